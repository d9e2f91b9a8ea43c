using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Results;
using NormInterop.PeerBench.Timing;

namespace NormInterop.PeerBench.Commands;

/// <summary>Times one case after another on the same buffers.</summary>
internal sealed class CaseRunner : IDisposable
{
    // The plain loops take a few nanoseconds an element: beyond this they would take most of the time.
    private const int LargestForReference = 4 << 20;
    private const int ReferenceRounds = 5;

    private readonly PeerSet _peers;
    private readonly int _threads;
    private readonly bool _reference;
    private readonly bool _largeReference;
    private readonly long _cacheBytes = Machine.CacheBytes();
    private readonly SharedBuffers _buffers;
    private readonly SharedBuffers? _floatBuffers;

    /// <summary>Takes the memory for some cases.</summary>
    /// <param name="cases">All that will be timed.</param>
    /// <param name="peers">The others.</param>
    /// <param name="threads">Threads of everyone but the reference.</param>
    /// <param name="reference">Whether the managed reference takes part.</param>
    /// <param name="largeReference">Whether it does so on large cases too.</param>
    public CaseRunner(IReadOnlyCollection<Case> cases, PeerSet peers, int threads, bool reference, bool largeReference)
    {
        (_peers, _threads, _reference, _largeReference) = (peers, threads, reference, largeReference);
        NormRuntime.ThreadLimit = threads;
        _buffers = new(cases);
        Case[] companions = [.. cases.Where(HasFloatCompanion).Select(OnFloat)];
        _floatBuffers = companions.Length > 0 ? new(companions) : null;
    }

    public long CacheBytes => _cacheBytes;

    public void Dispose()
    {
        _buffers.Dispose();
        _floatBuffers?.Dispose();
    }

    /// <summary>Has the managed code of some kinds of cases compiled in its final form.</summary>
    /// <remarks>The compiler replaces methods that were called often, when no new one has come up for 100 ms, in the background.</remarks>
    public static void Settle(IEnumerable<Case> cases)
    {
        const int Rounds = 3;
        const int Calls = 60;
        Case[] small = [.. cases.Select(Small).Distinct()];
        using SharedBuffers buffers = new(small);
        Contestant[] contestants = [.. small.Select(entry => Filled(entry, buffers))];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < contestants.Length; i++)
            {
                buffers.Fill(small[i]);
                contestants[i].Prepare(Calls);
                contestants[i].Run(Calls);
            }

            Thread.Sleep(150);
        }
    }

    /// <summary>Compares the contestants' results, then times them.</summary>
    /// <param name="entry">The case.</param>
    /// <param name="budget">How long it is timed.</param>
    /// <param name="errors">Receives what went wrong. Who failed is not timed.</param>
    public CaseResult Run(Case entry, Budget budget, ICollection<string> errors)
    {
        List<Contestant> contestants = [];
        Dictionary<string, string> unsupported = [];
        OthersWork others = new();
        try
        {
            _buffers.Fill(entry);
            _buffers.ResetResults(entry);
            Contestant own = ManagedApi.Create(ManagedApi.Name, entry, _buffers);
            contestants.Add(own);
            Verification verification = new(entry, _buffers, own);
            Dictionary<string, double> differences = [];
            foreach (Func<Contestant> create in Others(entry))
                AddVerified(create, verification, contestants, differences, unsupported, errors);
            AddUncompared(entry, contestants, unsupported);

            Lane[] lanes = [.. contestants.Select(contestant => new Lane(contestant, MaxRounds(entry, contestant)))];
            RoundRobin.Run(lanes, budget, () => _peers.PageFaults);
            return new()
            {
                Case = entry,
                Size = entry.SizeClass(_cacheBytes),
                Measurements = [.. lanes.Select(lane => Measured(lane, differences))],
                Unsupported = unsupported,
                OthersProcessors = others.Processors(),
            };
        }
        finally
        {
            contestants.ForEach(contestant => contestant.Dispose());
        }
    }

    private IEnumerable<Func<Contestant>> Others(Case entry)
    {
        if (_reference && (_largeReference || entry.Elements <= LargestForReference))
            yield return () => ManagedReference.Create(entry, _buffers);
        foreach (PeerLibrary library in _peers.Libraries.Where(library => !IsLimit(library.Name)))
            yield return () => new PeerContestant(library, entry, _buffers, _threads);
    }

    private static void AddVerified(
        Func<Contestant> create,
        Verification verification,
        List<Contestant> contestants,
        Dictionary<string, double> differences,
        Dictionary<string, string> unsupported,
        ICollection<string> errors)
    {
        Contestant? contestant = null;
        try
        {
            contestant = create();
            differences[contestant.Name] = verification.Compare(contestant);
            contestants.Add(contestant);
        }
        catch (PeerNotSupportedException e)
        {
            unsupported[e.Peer] = e.Message;
        }
        catch (PeerException e)
        {
            contestant?.Dispose();
            errors.Add(e.Message);
        }
    }

    // Those whose results are not those of the pass: the limit, and ourselves on another type.
    private void AddUncompared(Case entry, List<Contestant> contestants, Dictionary<string, string> unsupported)
    {
        if (HasFloatCompanion(entry))
        {
            _floatBuffers!.Fill(OnFloat(entry));
            _floatBuffers.ResetResults(OnFloat(entry));
            contestants.Add(ManagedApi.Create(ManagedApi.FloatName, OnFloat(entry), _floatBuffers));
        }

        foreach (PeerLibrary library in _peers.Libraries.Where(library => IsLimit(library.Name)))
        {
            try
            {
                contestants.Add(new PeerContestant(library, entry, _buffers, _threads));
            }
            catch (PeerNotSupportedException e)
            {
                unsupported[e.Peer] = e.Message;
            }
        }
    }

    private static int MaxRounds(Case entry, Contestant contestant)
    {
        bool slow = contestant.Name == ManagedReference.Name && entry.Bytes > Case.SmallBytes;
        return slow ? ReferenceRounds : int.MaxValue;
    }

    private static Measurement Measured(Lane lane, Dictionary<string, double> differences)
    {
        Contestant contestant = lane.Contestant;
        double? difference = differences.TryGetValue(contestant.Name, out double found) ? found : null;
        return new(contestant.Name, contestant.Implementation, lane.Seconds, lane.Calls, lane.FaultsPerCall, difference);
    }

    private static Contestant Filled(Case entry, SharedBuffers buffers)
    {
        buffers.Fill(entry);
        buffers.ResetResults(entry);
        return ManagedApi.Create(ManagedApi.Name, entry, buffers);
    }

    private static Case Small(Case entry) => entry with
    {
        Shape = entry.Family.IsRows() ? new(4, 64) : new([2, 8, .. Enumerable.Repeat(2, entry.Shape.Rank - 2)]),
        Groups = entry.Groups == 0 ? 0 : 2,
    };

    private static bool IsLimit(string name) => name is PeerSet.RegularLimit or PeerSet.StreamingLimit;

    private static bool HasFloatCompanion(Case entry) => entry.DataType is DataType.Half or DataType.BFloat16;

    private static Case OnFloat(Case entry) => entry with { DataType = DataType.Float };
}
