using System.CommandLine;
using System.Globalization;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Model;
using NormInterop.PeerBench.Timing;

namespace NormInterop.PeerBench.Commands;

/// <summary>The arguments that choose cases and say how they are timed.</summary>
internal sealed class MatrixOptions
{
    private const double DefaultSeconds = 1.8;
    private const double QuickSeconds = 0.8;

    private static readonly string[] Contestants = [ManagedReference.Name, PeerSet.Torch, PeerSet.OneDnn, PeerSet.Limit];

    private readonly Option<Family[]> _families = Arguments.Several<Family>("--family", "layers", Choices.Text);
    private readonly Option<Pass[]> _passes = Arguments.Several<Pass>("--pass", "passes", Choices.Text);
    private readonly Option<Layout[]> _layouts = Arguments.Several<Layout>("--layout", "memory orders; rows have one", Choices.Text);
    private readonly Option<DataType[]> _types = Arguments.Several<DataType>("--dtype", "types of the data", Choices.Text);

    private readonly Option<Shape[]> _shapes = Arguments.Shapes(
        "--shape", "lengths such as 32,256,56,56 (N,C and spatial ones) or 4096,768 (rows, their length), instead of the usual ones");

    private readonly Option<int> _groups = Arguments.Number("--groups", "groups of GroupNorm", _ => CaseMatrix.DefaultGroups, int.MaxValue);
    private readonly Option<int> _threads = Arguments.Threads();
    private readonly Option<int> _rounds = Arguments.Number("--rounds", "rounds of each case, instead of a time", null, int.MaxValue);

    private readonly Option<double> _seconds = Arguments.Seconds(
        "--seconds", string.Create(CultureInfo.InvariantCulture, $"time for each case ({DefaultSeconds}; quick: {QuickSeconds})"));

    private readonly Option<string[]> _contestants = new("--contestants")
    {
        Description = "who is timed beside NormInterop (all)",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _reference = new("--reference") { Description = "time the managed reference on large cases as well" };
    private readonly Option<bool> _quick = new("--quick") { Description = "fewer shapes and less time for each: under five minutes" };
    private readonly Option<bool> _list = new("--list") { Description = "show the cases and time nothing" };

    private readonly Option<DirectoryInfo> _out = Arguments.Out("bench.md, bench.json and bench.html");

    public MatrixOptions() => _contestants.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, Contestants);

    public IEnumerable<Option> All =>
    [
        _families, _passes, _layouts, _types, _shapes, _groups, _threads, _seconds, _rounds, _contestants, _reference, _quick, _list, _out,
    ];

    public bool IsQuick(ParseResult arguments) => arguments.GetValue(_quick);

    public bool IsList(ParseResult arguments) => arguments.GetValue(_list);

    public DirectoryInfo Out(ParseResult arguments) => arguments.GetValue(_out)!;

    /// <summary>The number of threads, or the default of the library.</summary>
    public int Threads(ParseResult arguments) => arguments.GetValue(_threads) is > 0 and var threads ? threads : NormRuntime.ThreadLimit;

    public bool LargeReference(ParseResult arguments) => arguments.GetValue(_reference);

    public bool TakesPart(ParseResult arguments, string contestant) =>
        arguments.GetValue(_contestants) is not { Length: > 0 } chosen || chosen.Contains(contestant, StringComparer.OrdinalIgnoreCase);

    public Budget Budget(ParseResult arguments)
    {
        double seconds = arguments.GetValue(_seconds);
        double usual = IsQuick(arguments) ? QuickSeconds : DefaultSeconds;
        return new(seconds > 0 ? seconds : usual, arguments.GetValue(_rounds));
    }

    /// <summary>The cases that the arguments choose.</summary>
    /// <exception cref="ArgumentException">None of them is one that a layer takes.</exception>
    public IReadOnlyList<Case> Cases(ParseResult arguments)
    {
        IEnumerable<Case> candidates = Candidates(arguments);
        Case[] chosen = [.. candidates.Where(entry => Chosen(arguments, _families, entry.Family) && Chosen(arguments, _passes, entry.Pass)
            && Chosen(arguments, _layouts, entry.Layout))];
        Case[] taken = [.. chosen.Where(entry => entry.Refusal() is null)];
        if (taken.Length > 0)
            return taken;
        string reason = chosen.Length > 0 ? $"{chosen[0]}: {chosen[0].Refusal()}" : "no layer has such a combination of layout and pass";
        throw new ArgumentException($"Nothing to time: {reason}.");
    }

    private IEnumerable<Case> Candidates(ParseResult arguments)
    {
        Shape[] shapes = arguments.GetValue(_shapes) ?? [];
        DataType[] types = arguments.GetValue(_types) ?? [];
        Family[] families = arguments.GetValue(_families) ?? [];
        int groups = arguments.GetValue(_groups);
        bool quick = IsQuick(arguments);
        if (shapes.Length == 0 && types.Length == 0)
            return CaseMatrix.All(quick).Select(entry => entry.Groups == 0 ? entry : entry with { Groups = groups });
        return
            from type in types.Length > 0 ? types : [DataType.Float]
            from family in Enum.GetValues<Family>()
            from shape in shapes.Length > 0 ? shapes : CaseMatrix.Shapes(family, quick)
            where families.Contains(family) || IsUsual(family, shape)
            from entry in CaseMatrix.Cases(family, shape, type, groups)
            select entry;
    }

    // Two lengths are rows, and more are samples, channels and positions, unless a family is named that can read them otherwise.
    private static bool IsUsual(Family family, Shape shape) => family.IsRows() == (shape.Rank == 2);

    private static bool Chosen<T>(ParseResult arguments, Option<T[]> option, T value) =>
        arguments.GetValue(option) is not { Length: > 0 } chosen || chosen.Contains(value);
}
