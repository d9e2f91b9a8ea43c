using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>Which pair of native functions, forward and backward, a call goes to.</summary>
internal enum NormKernel
{
    None,

    /// <summary>BatchNorm with the statistics of the batch.</summary>
    BatchStatistics,

    /// <summary>BatchNorm with the statistics of the batches of all ranks.</summary>
    SyncStatistics,

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

    internal void* Bias { get; init; }

    internal void* Dweight { get; init; }

    internal void* Dbias { get; init; }

    internal void* RunningMean { get; init; }

    internal void* RunningVar { get; init; }

    internal double* SavedMean { get; init; }

    internal double* SavedInvstd { get; init; }
}

/// <summary>The native calls of every family, without an activation. Parameter gradients are added to.</summary>
internal static unsafe class NormKernels
{
    private const int Accumulate = (int)GradientMode.Accumulate;

    /// <summary>How many statistics of each kind a forward leaves for its backward. The product is known to fit.</summary>
    internal static nint SavedStatistics(NormKernel kernel, in NormGeometry geometry) => kernel switch
    {
        NormKernel.BatchStatistics or NormKernel.SyncStatistics or NormKernel.CaffeStatistics or NormKernel.RunningStatistics =>
            geometry.Channels,
        NormKernel.InstanceStatistics => geometry.Batch * geometry.Channels,
        NormKernel.GroupStatistics => geometry.Batch * geometry.Groups,
        NormKernel.RowStatistics or NormKernel.RowMeanSquare => geometry.Batch,
        _ => throw Unknown(kernel),
    };

    internal static Status Forward<TData, T>(
        in NormGeometry geometry, MemoryFormat format, in NormArguments<T> arguments, in ForwardPointers p)
    {
        switch (arguments.Kernel)
        {
            case NormKernel.GroupStatistics:
                GroupShape groups = geometry.ToGroups<TData>(format, arguments.MaxThreads);
                return NativeMethods.GroupnormForward(&groups, p.X, p.Weight, p.Bias, arguments.Eps, p.SavedMean, p.SavedInvstd, p.Y);
            case NormKernel.RowStatistics or NormKernel.RowMeanSquare:
                RowShape rows = geometry.ToRows<TData>(arguments.MaxThreads);
                return arguments.Kernel == NormKernel.RowMeanSquare
                    ? NativeMethods.RmsnormForward(&rows, p.X, p.Weight, arguments.Eps, p.SavedInvstd, p.Y)
                    : NativeMethods.LayernormForward(&rows, p.X, p.Weight, p.Bias, arguments.Eps, p.SavedMean, p.SavedInvstd, p.Y);
            default:
                ChannelShape channels = geometry.ToChannels<TData>(format, arguments.MaxThreads);
                return ChannelForward(&channels, arguments.Kernel, arguments.Eps, arguments.Momentum, p);
        }
    }

    internal static Status Backward<TData>(
        NormKernel kernel, in NormGeometry geometry, MemoryFormat format, double eps, int maxThreads, in BackwardPointers p)
    {
        switch (kernel)
        {
            case NormKernel.GroupStatistics:
                GroupShape groups = geometry.ToGroups<TData>(format, maxThreads);
                return NativeMethods.GroupnormBackward(
                    &groups, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias);
            case NormKernel.RowStatistics or NormKernel.RowMeanSquare:
                RowShape rows = geometry.ToRows<TData>(maxThreads);
                return kernel == NormKernel.RowMeanSquare
                    ? NativeMethods.RmsnormBackward(&rows, p.Dy, p.X, p.Weight, p.SavedInvstd, Accumulate, p.Dx, p.Dweight)
                    : NativeMethods.LayernormBackward(
                        &rows, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias);
            default:
                ChannelShape channels = geometry.ToChannels<TData>(format, maxThreads);
                return ChannelBackward(&channels, kernel, eps, p);
        }
    }

    private static Status ChannelForward(ChannelShape* shape, NormKernel kernel, double eps, double momentum, in ForwardPointers p) =>
        kernel switch
        {
            NormKernel.BatchStatistics => NativeMethods.BatchnormForwardTraining(
                shape, p.X, p.Weight, p.Bias, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y),
            NormKernel.CaffeStatistics => NativeMethods.CaffeBatchnormForwardTraining(
                shape, p.X, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y),
            NormKernel.RunningStatistics when p.ExactMean is not null => NativeMethods.ChannelApply(
                shape, p.X, p.ExactMean, p.ExactInvstd, p.Weight, p.Bias, p.Y),
            NormKernel.RunningStatistics => NativeMethods.BatchnormForwardInference(
                shape, p.X, p.Weight, p.Bias, eps, p.RunningMean, p.RunningVar, p.Y),
            NormKernel.InstanceStatistics => NativeMethods.InstancenormForward(
                shape, p.X, p.Weight, p.Bias, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y),
            _ => throw Unknown(kernel),
        };

    private static Status ChannelBackward(ChannelShape* shape, NormKernel kernel, double eps, in BackwardPointers p) => kernel switch
    {
        NormKernel.BatchStatistics or NormKernel.CaffeStatistics => NativeMethods.BatchnormBackwardTraining(
            shape, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias),
        NormKernel.RunningStatistics => NativeMethods.BatchnormBackwardInference(
            shape, p.Dy, p.X, p.Weight, eps, p.RunningMean, p.RunningVar, Accumulate, p.Dx, p.Dweight, p.Dbias),
        NormKernel.InstanceStatistics => NativeMethods.InstancenormBackward(
            shape, p.Dy, p.X, p.Weight, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias),
        _ => throw Unknown(kernel),
    };

    private static InvalidOperationException Unknown(NormKernel kernel) => new($"No kernel {kernel}.");
}
