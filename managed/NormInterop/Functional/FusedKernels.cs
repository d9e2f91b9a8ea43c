using NormInterop.Bindings;

namespace NormInterop.Functional;

/// <summary>The native calls of the families that take an activation. Parameter gradients are added to.</summary>
internal static unsafe class FusedKernels
{
    private const int Accumulate = (int)GradientMode.Accumulate;

    internal static Status Forward<TData, T>(
        in NormGeometry geometry, MemoryFormat format, in NormArguments<T> arguments, in ForwardPointers p)
    {
        int activation = (int)arguments.Activation;
        void* residual = arguments.Residual;
        byte* mask = arguments.Mask;
        double eps = arguments.Eps, momentum = arguments.Momentum;
        if (arguments.Kernel == NormKernel.GroupStatistics)
        {
            GroupShape groups = geometry.ToGroups<TData>(format, arguments.MaxThreads);
            return NativeMethods.GroupnormActForward(
                &groups, p.X, p.Weight, p.Bias, eps, p.SavedMean, p.SavedInvstd, p.Y, activation, residual, mask);
        }

        ChannelShape shape = geometry.ToChannels<TData>(format, arguments.MaxThreads);
        return arguments.Kernel switch
        {
            NormKernel.BatchStatistics => NativeMethods.BatchnormActForwardTraining(
                &shape, p.X, p.Weight, p.Bias, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y, activation,
                residual, mask),
            NormKernel.RunningStatistics => NativeMethods.BatchnormActForwardInference(
                &shape, p.X, p.Weight, p.Bias, eps, p.RunningMean, p.RunningVar, p.Y, activation, residual, mask),
            NormKernel.InstanceStatistics => NativeMethods.InstancenormActForward(
                &shape, p.X, p.Weight, p.Bias, eps, momentum, p.RunningMean, p.RunningVar, p.SavedMean, p.SavedInvstd, p.Y, activation,
                residual, mask),
            _ => throw Unknown(arguments.Kernel),
        };
    }

    internal static Status Backward<TData, T>(
        in ContextSnapshot<T> saved, MemoryFormat format, in GradientArguments<T> arguments, in BackwardPointers p)
    {
        int activation = (int)saved.Activation;
        byte* mask = arguments.Mask;
        void* dresidual = arguments.ResidualGradient;
        NormGeometry geometry = saved.Geometry;
        if (saved.Kernel == NormKernel.GroupStatistics)
        {
            GroupShape groups = geometry.ToGroups<TData>(format, arguments.MaxThreads);
            return NativeMethods.GroupnormActBackward(
                &groups, p.Dy, p.X, p.Weight, p.Bias, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias, activation, mask,
                dresidual);
        }

        ChannelShape shape = geometry.ToChannels<TData>(format, arguments.MaxThreads);
        return saved.Kernel switch
        {
            NormKernel.BatchStatistics => NativeMethods.BatchnormActBackwardTraining(
                &shape, p.Dy, p.X, p.Weight, p.Bias, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias, activation, mask,
                dresidual),
            NormKernel.RunningStatistics => NativeMethods.BatchnormActBackwardInference(
                &shape, p.Dy, p.X, p.Weight, p.Bias, saved.Eps, p.RunningMean, p.RunningVar, Accumulate, p.Dx, p.Dweight, p.Dbias,
                activation, mask, dresidual),
            NormKernel.InstanceStatistics => NativeMethods.InstancenormActBackward(
                &shape, p.Dy, p.X, p.Weight, p.Bias, p.SavedMean, p.SavedInvstd, Accumulate, p.Dx, p.Dweight, p.Dbias, activation, mask,
                dresidual),
            _ => throw Unknown(saved.Kernel),
        };
    }

    private static InvalidOperationException Unknown(NormKernel kernel) => new($"No kernel {kernel} with an activation.");
}
