using NormInterop;
using NormInterop.RankBench;

const int Passed = 0;
const int Failed = 1;
const int BadArguments = 2;

// Under mpirun, Console would take its pipe for a terminal, and send it control sequences.
Environment.SetEnvironmentVariable("TERM", "dumb");
Options? options = Options.Parse(args, out string complaint);
if (options is null)
{
    (complaint.Length == 0 ? Console.Out : Console.Error).WriteLine(complaint.Length == 0 ? Options.Usage : complaint + " Try --help.");
    return complaint.Length == 0 ? Passed : BadArguments;
}

try
{
    if (options.Model.Count > 0)
        new ModelReport([.. options.Model.Select(Measurements.Read)], options.Quick).Write(Console.Out);
    else
        RankJob.Run(options);
    return Passed;
}
catch (Exception e) when (e.GetBaseException() is DllNotFoundException or BadImageFormatException or CollectiveException
    or NormInteropException or InvalidOperationException or IOException or FormatException)
{
    Console.Error.WriteLine(e.GetBaseException().Message);
    return Failed;
}
