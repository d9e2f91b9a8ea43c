namespace NormInterop.RankBench;

/// <summary>A network as two numbers: a message takes latency + bytes / bandwidth.</summary>
/// <param name="Name">For the reports.</param>
/// <param name="Latency">Seconds.</param>
/// <param name="SecondsPerByte">1 / bandwidth.</param>
internal readonly record struct Link(string Name, double Latency, double SecondsPerByte)
{
    /// <summary>What networks are assumed to do, as programs see them; not measured here.</summary>
    public static readonly IReadOnlyList<Link> Assumed =
    [
        new("10 Gb/s Ethernet, TCP (assumed)", 25e-6, 1 / 1.1e9),
        new("100 Gb/s InfiniBand (assumed)", 2e-6, 1 / 11e9),
    ];

    /// <summary>One operation, without what the rank computes.</summary>
    public double Operation(int ranks, int values) => (Wire.Rounds(ranks) * Latency) + (Wire.Bytes(ranks, values) * SecondsPerByte);

    /// <summary>A forward and a backward of a layer, without what the rank computes.</summary>
    public double Step(int ranks, int channels) => Operation(ranks, (2 * channels) + 1) + Operation(ranks, 2 * channels);

    /// <summary>
    /// The least number of ranks from which on a reduction tree, up and down with one block a message, beats the gather of a sum.
    /// </summary>
    public int TreeFrom(int channels)
    {
        const int most = 1 << 20;
        int from = most;
        for (int ranks = most; ranks >= 2; ranks--)
        {
            double message = Latency + (Wire.Bytes(2, 2 * channels) * SecondsPerByte);
            if (2 * Wire.Rounds(ranks) * message < Operation(ranks, 2 * channels))
                from = ranks;
            else
                break;
        }

        return from;
    }

    /// <summary>The two numbers that fit best: least squares of the relative errors.</summary>
    public static Link Fit(string name, IReadOnlyList<Point> points)
    {
        double rr = 0, rb = 0, bb = 0, r1 = 0, b1 = 0;
        foreach (Point p in points)
        {
            double weight = 1 / p.Seconds;
            (double r, double b, double t) = (p.Rounds * weight, p.Bytes * weight, (p.Seconds - p.Cpu) * weight);
            (rr, rb, bb, r1, b1) = (rr + (r * r), rb + (r * b), bb + (b * b), r1 + (r * t), b1 + (b * t));
        }

        double determinant = (rr * bb) - (rb * rb);
        return new(name, ((r1 * bb) - (b1 * rb)) / determinant, ((rr * b1) - (rb * r1)) / determinant);
    }

    /// <summary>A measured operation.</summary>
    internal readonly record struct Point(int Ranks, Measurement Measured, double Cpu)
    {
        public double Seconds => Measured.Seconds;

        public int Values => (2 * Measured.Channels) + (Measured.What == CollectiveTimes.Forward ? 1 : 0);

        public int Rounds => Wire.Rounds(Ranks);

        public double Bytes => Wire.Bytes(Ranks, Values);

        public bool IsGather => Measured.What == CollectiveTimes.Forward || !Wire.IsInParts(Ranks, Values);
    }
}
