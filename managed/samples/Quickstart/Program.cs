using System.Numerics.Tensors;
using NormInterop;

// A batch of 8 images, 3 channels of 32 x 32, in PyTorch's order: (N, C, H, W).
Tensor<float> x = Tensor.CreateFromShape<float>([8, 3, 32, 32]);
Tensor.FillGaussianNormalDistribution(x.AsTensorSpan(), new Random(1));

BatchNorm2d<float> norm = new(numFeatures: 3);
Tensor<float> y = norm.Forward(x);                      // training: statistics of the batch, running buffers updated
Console.WriteLine($"{norm} on {NormRuntime.ActiveIsa}: y[0, 0, 0, 0] = {y[0, 0, 0, 0]:F4}");

Tensor<float> gradient = Tensor.CreateFromShape<float>(y.Lengths);
gradient.Fill(1f);
Tensor<float> dx = norm.Backward(gradient);             // gradient of the input; those of the parameters accumulate
Console.WriteLine($"bias gradient {norm.Bias!.Gradient[0]}, input gradient {dx[0, 0, 0, 0]:F4}");

norm.Eval();                                            // evaluation: the running buffers, sample by sample
Tensor<float> one = x.Slice(0..1, .., .., ..);
Console.WriteLine($"running mean {norm.RunningMean![0]:F4}, one image: {norm.Forward(one)[0, 0, 0, 0]:F4}");

norm.Forward(x.AsReadOnlyTensorSpan(), y.AsTensorSpan());   // into memory of yours: allocates nothing
