using System.CommandLine;
using System.CommandLine.Invocation;
using NormInterop;
using NormInterop.PeerBench.Commands;
using NormInterop.PeerBench.Contestants;
using NormInterop.PeerBench.Experiments;

const int Failed = 1;

RootCommand root = new("Times NormInterop beside libtorch, oneDNN, plain C# and the machine's own limit, in one process.");
new MatrixCommand().AttachTo(root);
new OverheadExperiment().AttachTo(root);
new TrainingExperiment().AttachTo(root);
new FusedExperiment().AttachTo(root);
new ThreadsExperiment().AttachTo(root);
new LoadExperiment().AttachTo(root);
BusyNeighbor.AttachTo(root);

// Everything runs on this thread, whose allocations the heap that was set up for the peers serves.
try
{
    ParseResult arguments = root.Parse(args);
    if (arguments.Action is ParseErrorAction errors)
        errors.ShowHelp = false;
    return arguments.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (IsForTheUser(e.GetBaseException()))
{
    Console.Error.WriteLine(e.GetBaseException().Message);
    return Failed;
}

// Arguments that do not go together, a library missing or of another version, no place for the reports: the message says what to do.
static bool IsForTheUser(Exception e) =>
    e is ArgumentException or NormInteropException or PeerException or DllNotFoundException or BadImageFormatException or IOException
        or UnauthorizedAccessException or OutOfMemoryException;
