using System.Globalization;
using System.Numerics;
using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>
/// BatchNorm over all ranks, of the four parts of a normalization: the ranks talk after the statistics, and after the gradient sums.
/// Nothing of the caller's but the output is written before they have.
/// </summary>
internal static unsafe class SyncKernels
{
    internal static Status Forward<TData, T>(
        in NormGeometry geometry, MemoryFormat format, in NormArguments<T> arguments, in ForwardPointers p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        BatchSync sync = arguments.Sync!;
        ChannelShape shape = geometry.ToChannels<TData>(format, arguments.MaxThreads);
        fixed (double* mean = sync.Mean, m2 = sync.M2, invstd = sync.Invstd)
        {
            Status status = NativeMethods.ChannelStatistics(&shape, p.X, mean, m2);
            if (status != Status.Ok)
                return status;
            sync.MergeMoments((double)geometry.Batch * geometry.Spatial);
            CheckCount(sync.Count, geometry);
            for (int c = 0; c < sync.Channels; c++)
            {
                double spread = (sync.Count > 0 ? m2[c] / sync.Count : 0) + arguments.Eps;
                invstd[c] = spread == 0 || sync.Count == 0 ? 0 : 1 / Math.Sqrt(spread);
            }

            status = NativeMethods.ChannelActApply(
                &shape, p.X, mean, invstd, p.Weight, p.Bias, p.Y, (int)arguments.Activation, arguments.Residual, arguments.Mask);
            if (status != Status.Ok)
                return status;
        }

        if (p.SavedMean is not null)
        {
            sync.Mean.CopyTo(new Span<double>(p.SavedMean, sync.Channels));
            sync.Invstd.CopyTo(new Span<double>(p.SavedInvstd, sync.Channels));
        }

        if (sync.Count > 0)
            Move(arguments, sync);
        return Status.Ok;
    }

    internal static Status Backward<TData, T>(
        in ContextSnapshot<T> saved, MemoryFormat format, in GradientArguments<T> arguments, in BackwardPointers p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        BatchSync sync = saved.Sync!;
        int activation = (int)saved.Activation, channels = sync.Channels;
        ChannelShape shape = saved.Geometry.ToChannels<TData>(format, arguments.MaxThreads);
        fixed (double* own = sync.OwnSums, all = sync.AllSums)
        {
            Status status = NativeMethods.ChannelActBackwardReduce(
                &shape, p.Dy, p.X, p.SavedMean, p.SavedInvstd, p.Weight, p.Bias, own, own + channels, activation, arguments.Mask);
            if (status != Status.Ok)
                return status;
            sync.ReduceSums();
            status = NativeMethods.ChannelActBackwardApply(
                &shape, p.Dy, p.X, p.SavedMean, p.SavedInvstd, p.Weight, p.Bias, all, all + channels, Math.Max(saved.Count, 1), p.Dx,
                activation, arguments.Mask, arguments.ResidualGradient);
            if (status != Status.Ok)
                return status;

            // Those of the parameters stay this rank's own: whoever trains in parallel averages all gradients.
            for (int c = 0; c < arguments.WeightGradient.Length; c++)
                arguments.WeightGradient[c] = Sum(arguments.WeightGradient[c], own[channels + c] * p.SavedInvstd[c]);
            for (int c = 0; c < arguments.BiasGradient.Length; c++)
                arguments.BiasGradient[c] = Sum(arguments.BiasGradient[c], own[c]);
        }

        return Status.Ok;
    }

    private static void CheckCount(double count, in NormGeometry geometry)
    {
        if (count == 1)
        {
            throw Guard.Refused(
                "Expected more than 1 value per channel when training, got 1 over all ranks"
                + string.Create(CultureInfo.InvariantCulture, $" (batch {geometry.Batch} on this one)."), "input");
        }
    }

    /// <summary>running = (1 - momentum) * running + momentum * batch, with the unbiased variance of all ranks' values.</summary>
    private static void Move<T>(in NormArguments<T> arguments, BatchSync sync)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double momentum = arguments.Momentum;
        for (int c = 0; c < arguments.RunningMean.Length; c++)
            arguments.RunningMean[c] = Moved(arguments.RunningMean[c], sync.Mean[c]);
        for (int c = 0; c < arguments.RunningVar.Length; c++)
            arguments.RunningVar[c] = Moved(arguments.RunningVar[c], sync.M2[c] / (sync.Count - 1));

        T Moved(T old, double batch) => T.CreateTruncating(((1 - momentum) * double.CreateTruncating(old)) + (momentum * batch));
    }

    private static T Sum<T>(T old, double added)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => T.CreateTruncating(double.CreateTruncating(old) + added);
}
