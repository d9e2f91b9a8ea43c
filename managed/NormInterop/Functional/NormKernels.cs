using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>Which pair of native functions, forward and backward, a call goes to.</summary>
internal enum NormKernel
{
    None,

    /// <summary>BatchNorm with the statistics of the batch.</summary>
    BatchStatistics,

    /// <summary>As BatchStatistics, with Caffe's sums in place of running buffers.</summary>
    CaffeStatistics,

    /// <summary>Statistics that are given: constants, also in the backward. y is an affine function of x.</summary>
    RunningStatistics,

    /// <summary>InstanceNorm with the statistics of each sample and channel.</summary>
    InstanceStatistics,

    /// <summary>GroupNorm.</summary>
    GroupStatistics,

    /// <summary>LayerNorm.</summary>
    RowStatistics,

    /// <summary>RMSNorm.</summary>
    RowMeanSquare,
}

/// <summary>What a native forward takes, pinned. Null stands for what is absent.</summary>
internal readonly unsafe struct ForwardPointers
{
    internal void* X { get; init; }

    internal void* Y { get; init; }

    internal void* Weight { get; init; }

    internal void* Bias { get; init; }

    internal void* RunningMean { get; init; }

    internal void* RunningVar { get; init; }

    internal double* SavedMean { get; init; }

    internal double* SavedInvstd { get; init; }

    internal double* ExactMean { get; init; }

    internal double* ExactInvstd { get; init; }
}

/// <summary>What a native backward takes, pinned: the saved statistics or the running ones, as the kernel wants.</summary>
internal readonly unsafe struct BackwardPointers
{
    internal void* Dy { get; init; }

    internal void* X { get; init; }

    internal void* Dx { get; init; }

    internal void* Weight { get; init; }

    internal void* Dweight { get; init; }

    internal void* Dbias { get; init; }

    internal void* RunningMean { get; init; }

    internal void* RunningVar { get; init; }

    internal double* SavedMean { get; init; }

    internal double* SavedInvstd { get; init; }
}

/// <summary>The native calls of every family. Parameter gradients are added to.</summary>
internal static unsafe class NormKernels
{
    private const int Accumulate = (int)GradientMode.Accumulate;

    /// <summary>How many statistics of each kind a forward leaves for its backward. The product is known to fit.</summary>
    internal static nint SavedStatistics(NormKernel kernel, in NormGeometry geometry) => kernel switch
    {
        NormKernel.BatchStatistics or NormKernel.CaffeStatistics or NormKernel.RunningStatistics => geometry.Channels,
        NormKernel.InstanceStatistics => geometry.Batch * geometry.Channels,
        NormKernel.GroupStatistics => geometry.Batch * geometry.Groups,
        NormKernel.RowStatistics or NormKernel.RowMeanSquare => geometry.Batch,
        _ => throw Unknown(kernel),
    };

    internal static Status Forward<TData, T>(
        in NormGeometry geometry, MemoryFormat format, in NormArguments<T> arguments, in ForwardPointers p)
    {
        (double eps, double momentum) = (arguments.Eps, arguments.Momentum);
        ChannelShape channels = geometry.ToChannels<TData>(format, arguments.MaxThreads);
        GroupShape groups = geometry.ToGroups<TData>(format, arguments.MaxThreads);
        RowShape rows = geometry.ToRows<TData>(arguments.MaxThreads);
        return arguments.Kernel switch
        {
            NormKernel.BatchStatistics => NativeMethods.BatchnormForwardTraining(
                &channels, p.X, p.Weight, p.Bias, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y),
            NormKernel.CaffeStatistics => NativeMethods.CaffeBatchnormForwardTraining(
                &channels, p.X, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y),
            NormKernel.RunningStatistics when p.ExactMean is not null => NativeMethods.ChannelApply(
                &channels, p.X, p.ExactMean, p.ExactInvstd, p.Weight, p.Bias, p.Y),
            NormKernel.RunningStatistics => NativeMethods.BatchnormForwardInference(
                &channels, p.X, p.Weight, p.Bias, eps, p.RunningMean, p.RunningVar, p.Y),
            NormKernel.InstanceStatistics => NativeMethods.InstancenormForward(
                &channels, p.X, p.Weight, p.Bias, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y),
            NormKernel.GroupStatistics => NativeMethods.GroupnormForward(
                &groups, p.X, p.Weight, p.Bias, eps, p.SavedMean, p.SavedInvstd, p.Y),
            NormKernel.RowStatistics => NativeMethods.LayernormForward(
                &rows, p.X, p.Weight, p.Bias, eps, p.SavedMean, p.SavedInvstd, p.Y),
            NormKernel.RowMeanSquare => NativeMethods.RmsnormForward(&rows, p.X, p.Weight, eps, p.SavedInvstd, p.Y),
            _ => throw Unknown(arguments.Kernel),
        };
    }

    internal static Status Backward<TData>(
        NormKernel kernel, in NormGeometry geometry, MemoryFormat format, double eps, int maxThreads, in BackwardPointers p)
    {
        ChannelShape channels = geometry.ToChannels<TData>(format, maxThreads);
        GroupShape groups = geometry.ToGroups<TData>(format, maxThreads);
        RowShape rows = geometry.ToRows<TData>(maxThreads);
        return kernel switch
        {
            NormKernel.BatchStatistics or NormKernel.CaffeStatistics => NativeMethods.BatchnormBackwardTraining(
                &channels, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias),
            NormKernel.RunningStatistics => NativeMethods.BatchnormBackwardInference(
                &channels, p.Dy, p.X, p.Weight, eps, p.RunningMean, p.RunningVar, Accumulate, p.Dx, p.Dweight, p.Dbias),
            NormKernel.InstanceStatistics => NativeMethods.InstancenormBackward(
                &channels, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias),
            NormKernel.GroupStatistics => NativeMethods.GroupnormBackward(
                &groups, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias),
            NormKernel.RowStatistics => NativeMethods.LayernormBackward(
                &rows, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias),
            NormKernel.RowMeanSquare => NativeMethods.RmsnormBackward(
                &rows, p.Dy, p.X, p.Weight, p.SavedInvstd, Accumulate, p.Dx, p.Dweight),
            _ => throw Unknown(kernel),
        };
    }

    private static InvalidOperationException Unknown(NormKernel kernel) => new($"No kernel {kernel}.");
}
