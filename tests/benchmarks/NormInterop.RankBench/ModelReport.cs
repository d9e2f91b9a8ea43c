using NormInterop.Collectives;

namespace NormInterop.RankBench;

/// <summary>
/// Per layer and step: 2 * ceil(log2 P) * latency + bytes / bandwidth + what every rank computes of all blocks. Latency and bandwidth
/// are fitted to jobs of few ranks; what is computed is measured for any number of them.
/// </summary>
internal sealed class ModelReport(IReadOnlyList<Measurements> jobs, bool quick)
{
    private static readonly int[] s_layers = [64, 256, 1024];
    private static readonly int[] s_hosts = [64, 1024];

    private readonly Dictionary<(int Ranks, int Channels), CpuCost> _cpu = [];
    private TextWriter _to = TextWriter.Null;

    public void Write(TextWriter to)
    {
        _to = to;
        MeasureCpu();
        Line($"## Model");
        Cpu();
        List<Link> links = [.. Link.Assumed];
        foreach (IGrouping<string, Measurements> jobsOfLink in jobs.GroupBy(job => job.Link))
            links.Add(Fitted(jobsOfLink.Key, [.. jobsOfLink]));
        Layers(links);
        Network(links);
        Trees(links);
    }

    private void MeasureCpu()
    {
        using MpiTransport native = OpenMpi();
        int[] small = [.. jobs.Select(job => job.Ranks).Distinct()];
        foreach (int ranks in small.Concat(s_hosts))
        {
            int[] channels = [.. ResNet50.Norms.Select(norm => norm.Channels)];
            if (small.Contains(ranks))
                channels = [.. channels.Concat(CollectiveTimes.Channels).Distinct()];
            foreach (int c in channels)
                _cpu[(ranks, c)] = CpuCost.Measure(native, ranks, c, quick ? 7 : 21);
        }
    }

    private static MpiTransport OpenMpi()
    {
        TimeSpan limit = TimeSpan.FromSeconds(60);
        MpiProcess.Start(limit);
        return MpiTransport.OpenWorld(limit);
    }

    private void Cpu()
    {
        Line($"");
        Line($"What a rank computes in a step, with the blocks of P ranks in memory: µs, copying in a gather + merging + summing.");
        Line($"");
        Line($"| P | C = 64 | C = 256 | C = 1024 | ns per rank and channel |");
        Line($"|---:|---:|---:|---:|---:|");
        foreach (int ranks in _cpu.Keys.Select(key => key.Ranks).Distinct())
        {
            string[] cells =
                [.. s_layers.Select(c => _cpu[(ranks, c)]).Select(c => $"{Us(c.Gather)} + {Us(c.Merge)} + {Us(c.Reduce)}")];
            Line($"| {ranks} | {cells[0]} | {cells[1]} | {cells[2]} | {_cpu[(ranks, 1024)].Step * 1e9 / ranks / 1024:0.0} |");
        }
    }

    /// <summary>Of the smallest job, whose ranks share processors least, for the predictions; of the others to compare.</summary>
    private Link Fitted(string name, Measurements[] ofLink)
    {
        Line($"");
        Line($"Fitted to {name}, by least squares of the relative errors:");
        Line($"");
        Line($"| Ranks | Latency | Bandwidth | Typical error | Largest error |");
        Line($"|---:|---:|---:|---:|---:|");
        Measurements[] ascending = [.. ofLink.OrderBy(job => job.Ranks)];
        Link[] links = [.. ascending.Select(job => Fit(job, PointsOf(job)))];
        Line($"");
        Line($"Measured → by the model, µs:");
        Line($"");
        var titles = CollectiveTimes.Channels.Select(c => FormattableString.Invariant($"C = {c}"));
        Line($"| Operation | Ranks | Fitted to | {string.Join(" | ", titles)} |");
        Line($"|---|---:|---:|{string.Concat(CollectiveTimes.Channels.Select(_ => "---:|"))}");
        foreach (int i in Enumerable.Range(0, links.Length))
        {
            Residuals(PointsOf(ascending[i]), links[i], ascending[i].Ranks);
            if (i > 0)
                Residuals(PointsOf(ascending[i]), links[0], ascending[0].Ranks);
        }

        return links[0] with { Name = FormattableString.Invariant($"{name}, fitted to {ascending[0].Ranks} ranks") };
    }

    private Link.Point[] PointsOf(Measurements job) =>
    [
        .. job.All.Where(m => m.What != Measurements.Step)
            .Select(m => new Link.Point(job.Ranks, m, _cpu.GetValueOrDefault((job.Ranks, m.Channels)).Of(m.What)))
            .Where(p => p.IsGather),
    ];

    private Link Fit(Measurements job, Link.Point[] points)
    {
        Link link = Link.Fit(job.Link, points);
        double[] errors = [.. points.Select(p => Math.Abs(Error(p, link)))];
        double typical = Math.Sqrt(errors.Average(e => e * e));
        Line($"| {job.Ranks} | {Us(link.Latency)} µs | {1e-9 / link.SecondsPerByte:0.00} GB/s | {typical:P0} | {errors.Max():P0} |");
        return link;
    }

    private void Residuals(Link.Point[] points, Link link, int fittedTo)
    {
        foreach (IGrouping<(string What, int Ranks), Link.Point> row in points.GroupBy(p => (p.Measured.What, p.Ranks)))
        {
            var cells = row.Select(p => FormattableString.Invariant(
                $"{p.Seconds * 1e6:0.0} → {(link.Operation(p.Ranks, p.Values) + p.Cpu) * 1e6:0.0} ({Error(p, link):+0 %;-0 %;0 %})"));
            string missing = row.Count() < CollectiveTimes.Channels.Count ? " in parts |" : "";
            Line($"| {row.Key.What} | {row.Key.Ranks} | {fittedTo} | {string.Join(" | ", cells)} |{missing}");
        }
    }

    private static double Error(Link.Point p, Link link) => (link.Operation(p.Ranks, p.Values) + p.Cpu - p.Seconds) / p.Seconds;

    private void Layers(List<Link> links)
    {
        Line($"");
        Line($"Predicted for one layer's step, µs: latency + bytes + computing = sum, and its share of a step that computes as long as");
        Line($"BatchNorm2d on {LayerShape.Batch},C,H,W does here, on one thread.");
        Line($"");
        Line($"| Hosts | C | Network | Latency | Bytes | Computing | Sum | Share |");
        Line($"|---:|---:|---|---:|---:|---:|---:|---:|");
        foreach ((int hosts, int channels) in s_hosts.SelectMany(h => s_layers.Select(c => (h, c))))
        {
            var steps = jobs.SelectMany(job => job.All).Where(m => (m.What, m.Channels) == (Measurements.Step, channels));
            double compute = steps.Min(m => m.Seconds);
            foreach (Link link in links)
            {
                double latency = 2 * Wire.Rounds(hosts) * link.Latency, bytes = link.Step(hosts, channels) - latency;
                double cpu = _cpu[(hosts, channels)].Step, sum = latency + bytes + cpu;
                string parts = string.Join(" | ", new[] { latency, bytes, cpu, sum }.Select(Whole));
                Line($"| {hosts} | {channels} | {link.Name} | {parts} | {sum / (sum + compute):P0} |");
            }
        }
    }

    private void Network(List<Link> links)
    {
        Line($"");
        Line($"Predicted for the {ResNet50.Norms.Sum(norm => norm.Layers)} layers of ResNet-50, ms a step, and the share of a step that");
        Line($"computes for {ResNet50.ComputeSeconds * 1e3:0} ms (assumed: 8 images a host, 10^12 operations a second).");
        Line($"");
        Line($"| Hosts | Network | Latency | Bytes | Computing | Sum | Share | Received by each |");
        Line($"|---:|---|---:|---:|---:|---:|---:|---:|");
        foreach ((int hosts, Link link) in s_hosts.SelectMany(h => links.Select(l => (h, l))))
        {
            double latency = ResNet50.Sum(_ => 2 * Wire.Rounds(hosts) * link.Latency);
            double bytes = ResNet50.Sum(c => link.Step(hosts, c)) - latency;
            double cpu = ResNet50.Sum(c => _cpu[(hosts, c)].Step), sum = latency + bytes + cpu;
            string parts = string.Join(" | ", new[] { latency, bytes, cpu, sum }.Select(Milliseconds));
            double received = ResNet50.Sum(c => Wire.StepBytes(hosts, c));
            Line($"| {hosts} | {link.Name} | {parts} | {sum / (sum + ResNet50.ComputeSeconds):P0} | {received * 1e-6:0} MB |");
        }
    }

    private void Trees(List<Link> links)
    {
        Line($"");
        Line($"From so many ranks on a reduction tree, 2 log2 P messages of one block, would be cheaper than the gather of a sum:");
        Line($"");
        Line($"| Network | C = 64 | C = 256 | C = 1024 | C = 2048 |");
        Line($"|---|---:|---:|---:|---:|");
        foreach (Link link in links)
            Line($"| {link.Name} | {link.TreeFrom(64)} | {link.TreeFrom(256)} | {link.TreeFrom(1024)} | {link.TreeFrom(2048)} |");
    }

    private static string Us(double seconds) => FormattableString.Invariant($"{seconds * 1e6:0.0}");

    private static string Milliseconds(double seconds) => FormattableString.Invariant($"{seconds * 1e3:0.0}");

    private static string Whole(double seconds) => FormattableString.Invariant($"{seconds * 1e6:0}");

    private void Line(FormattableString text) => _to.WriteLine(FormattableString.Invariant(text));
}
