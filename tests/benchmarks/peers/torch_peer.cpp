// libtorch: its C++ operators, as a program without autograd calls them. Outputs are allocated by the operators, as
// they are for every user; the heap keeps that from costing page faults (process.cpp).

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/Version.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/instance_norm.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/native_group_norm.h>
#include <ATen/ops/native_group_norm_backward.h>
#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>
#include <ATen/ops/rsqrt.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "shim.h"

namespace {

using at::Tensor;

/// What a pass leaves: y, or dx and the gradients of the parameters.
struct Results {
    Tensor out, weight_gradient, bias_gradient;
};

constexpr std::array<bool, 3> kAllGradients{true, true, true};

/// Only when the number changes: each time, libtorch makes a pool of threads for its quantized operators anew.
void use_threads(int32_t threads) {
    static int32_t current = 0;
    if (threads != current) at::set_num_threads(threads);
    current = threads;
}

at::ScalarType scalar_type(int32_t data_type) {
    switch (data_type) {
        case PEER_FLOAT32:
            return at::kFloat;
        case PEER_FLOAT64:
            return at::kDouble;
        case PEER_FLOAT16:
            return at::kHalf;
        default:
            return at::kBFloat16;
    }
}

at::ScalarType parameter_type(int32_t data_type) { return data_type == PEER_FLOAT64 ? at::kDouble : at::kFloat; }

/// The tensors of a case, without copies, and the call that makes its results.
class Case {
public:
    explicit Case(const peer_case& description) : case_(description) {
        const c10::InferenceMode mode;
        use_threads(case_.threads);
        lengths_.assign(case_.lengths, case_.lengths + case_.rank);
        x_ = data(const_cast<void*>(case_.x));
        dy_ = data(const_cast<void*>(case_.dy));
        out_ = data(case_.out);
        // Its LayerNorm, GroupNorm and the formula of RMSNorm want parameters of the data's type.
        const bool own_type = case_.family != PEER_BATCH_NORM && case_.family != PEER_INSTANCE_NORM;
        const at::ScalarType type = own_type ? scalar_type(case_.data_type) : parameter_type(case_.data_type);
        weight_ = parameter(const_cast<void*>(case_.weight)).to(type);
        bias_ = parameter(const_cast<void*>(case_.bias)).to(type);
        call_ = prepare();
        call_();
    }

    void run(int64_t calls) {
        const c10::InferenceMode mode;
        for (int64_t i = 0; i < calls; ++i) {
            results_ = Results();  // first, so that the next results find this memory, which a cache may still hold
            results_ = call_();
        }
    }

    /// With the place of the output in its page, which says whether stores to it get into the way of loads
    /// (SharedBuffers.cs).
    const char* implementation() {
        const auto address = reinterpret_cast<uintptr_t>(results_.out.data_ptr());
        implementation_ = "ATen, output at " + std::to_string(address % 4096) + " of a page";
        return implementation_.c_str();
    }

    void collect() {
        const c10::InferenceMode mode;
        out_.copy_(results_.out);
        if (results_.weight_gradient.defined()) parameter(case_.weight_gradient).copy_(results_.weight_gradient);
        if (results_.bias_gradient.defined()) parameter(case_.bias_gradient).copy_(results_.bias_gradient);
    }

private:
    /// A view of a shared buffer of data in the layout of the case.
    Tensor data(void* memory) const {
        std::vector<int64_t> strides(lengths_.size());
        int64_t stride = 1;
        if (case_.layout == PEER_CHANNELS_LAST) stride = strides[1] = 1, stride = lengths_[1];
        for (size_t i = lengths_.size(); i-- > 0;) {
            if (i == 1 && case_.layout == PEER_CHANNELS_LAST) continue;
            strides[i] = stride;
            stride *= lengths_[i];
        }
        return at::from_blob(memory, lengths_, strides, at::TensorOptions(scalar_type(case_.data_type)));
    }

    Tensor parameter(void* memory) const {
        return at::from_blob(memory, {peer::parameters(case_)}, at::TensorOptions(parameter_type(case_.data_type)));
    }

    std::function<Results()> prepare() {
        switch (case_.family) {
            case PEER_BATCH_NORM:
                return batch_norm();
            case PEER_LAYER_NORM:
                return layer_norm();
            case PEER_RMS_NORM:
                return rms_norm();
            case PEER_GROUP_NORM:
                return group_norm();
            default:
                return instance_norm();
        }
    }

    std::function<Results()> batch_norm() {
        const Tensor mean = parameter(case_.running_mean), var = parameter(case_.running_var);
        const bool training = !peer::uses_running(case_);
        if (!peer::is_backward(case_)) {
            return [this, mean, var, training] {
                return Results{std::get<0>(at::native_batch_norm(x_, weight_, bias_, mean, var, training,
                                                                 case_.momentum, case_.eps)),
                               {},
                               {}};
            };
        }
        const auto [y, saved_mean, saved_invstd] =
            at::native_batch_norm(x_, weight_, bias_, mean, var, training, 0.0, case_.eps);
        return [this, mean, var, training, saved_mean = saved_mean, saved_invstd = saved_invstd] {
            auto [dx, dweight, dbias] = at::native_batch_norm_backward(
                dy_, x_, weight_, mean, var, saved_mean, saved_invstd, training, case_.eps, kAllGradients);
            return Results{dx, dweight, dbias};
        };
    }

    std::function<Results()> layer_norm() {
        const std::vector<int64_t> shape{lengths_.back()};
        if (!peer::is_backward(case_)) {
            return [this, shape] {
                return Results{std::get<0>(at::native_layer_norm(x_, shape, weight_, bias_, case_.eps)), {}, {}};
            };
        }
        const auto [y, mean, invstd] = at::native_layer_norm(x_, shape, weight_, bias_, case_.eps);
        return [this, shape, mean = mean, invstd = invstd] {
            auto [dx, dweight, dbias] =
                at::native_layer_norm_backward(dy_, x_, shape, mean, invstd, weight_, bias_, kAllGradients);
            return Results{dx, dweight, dbias};
        };
    }

    /// libtorch 1.13 has none: the formula in its operators, as a user writes it. The backward is written out as well,
    /// which is less work than automatic differentiation of the forward would make.
    std::function<Results()> rms_norm() {
        const auto invrms = [this] { return at::rsqrt(x_.pow(2).mean(-1, true) + case_.eps); };
        if (!peer::is_backward(case_)) return [this, invrms] { return Results{x_ * invrms() * weight_, {}, {}}; };
        return [this, r = invrms()] {
            const Tensor xhat = x_ * r, g = dy_ * weight_;
            const Tensor dx = r * (g - xhat * (g * xhat).mean(-1, true));
            return Results{dx, (dy_ * xhat).reshape({-1, lengths_.back()}).sum(0), {}};
        };
    }

    std::function<Results()> group_norm() {
        const int64_t n = lengths_[0], c = lengths_[1], spatial = peer::product(case_, 2, case_.rank);
        if (!peer::is_backward(case_)) {
            return [this, n, c, spatial] {
                return Results{
                    std::get<0>(at::native_group_norm(x_, weight_, bias_, n, c, spatial, case_.groups, case_.eps)),
                    {},
                    {}};
            };
        }
        const auto [y, mean, invstd] =
            at::native_group_norm(x_, weight_, bias_, n, c, spatial, case_.groups, case_.eps);
        // Its backward knows contiguous data alone: torch.autograd copies what is not, in every call.
        return [this, n, c, spatial, mean = mean, invstd = invstd] {
            auto [dx, dweight, dbias] = at::native_group_norm_backward(
                dy_.contiguous(), x_.contiguous(), mean, invstd, weight_, n, c, spatial, case_.groups, kAllGradients);
            return Results{dx, dweight, dbias};
        };
    }

    /// For libtorch a batch of one with N * C channels, of which batch_norm takes the statistics; data must be
    /// contiguous for that. The backward is what torch.autograd runs: that of batch_norm, and sums over the samples for
    /// the parameters.
    std::function<Results()> instance_norm() {
        if (!peer::is_backward(case_)) {
            return [this] {
                return Results{
                    at::instance_norm(x_, weight_, bias_, {}, {}, true, case_.momentum, case_.eps, false), {}, {}};
            };
        }
        const int64_t n = lengths_[0], c = lengths_[1];
        std::vector<int64_t> view = lengths_;
        view[0] = 1, view[1] = n * c;
        // torch.autograd keeps these two from the forward.
        const Tensor x = x_.contiguous().view(view), weight = weight_.repeat(n);
        const auto [y, mean, invstd] =
            at::native_batch_norm(x, weight, bias_.repeat(n), {}, {}, true, case_.momentum, case_.eps);
        return [this, view, x, weight, n, c, mean = mean, invstd = invstd] {
            auto [dx, dweight, dbias] = at::native_batch_norm_backward(dy_.reshape(view), x, weight, {}, {}, mean,
                                                                       invstd, true, case_.eps, kAllGradients);
            return Results{dx.view(lengths_), dweight.view({n, c}).sum(0), dbias.view({n, c}).sum(0)};
        };
    }

    const peer_case case_;
    std::vector<int64_t> lengths_;
    Tensor x_, dy_, out_, weight_, bias_;
    std::function<Results()> call_;
    Results results_;
    std::string implementation_;
};

/// What libtorch says where it has no kernel for a type.
bool is_missing_kernel(const std::string& message) { return message.find("not implemented for") != std::string::npos; }

std::string first_line(const std::string& message) { return message.substr(0, message.find('\n')); }

/// The instruction set that it chose, which its configuration names in a line of its own.
std::string cpu_capability() {
    const std::string config = at::show_config(), label = "CPU capability usage: ";
    const size_t start = config.find(label);
    return start == std::string::npos ? "unknown kernels" : first_line(config.substr(start + label.size()));
}

}  // namespace

const char* peer_version(void) {
    static const std::string text = "libtorch " TORCH_VERSION ", " + cpu_capability();
    return text.c_str();
}

int32_t peer_create(const peer_case* description, void** handle) {
    return peer::guarded([&] {
        try {
            *handle = new Case(*description);
        } catch (const c10::Error& error) {
            const std::string message = first_line(error.what_without_backtrace());
            if (is_missing_kernel(message)) throw peer::Unsupported(message);
            throw std::runtime_error(message);
        }
    });
}

int32_t peer_run(void* handle, int64_t calls) {
    return peer::guarded([&] { static_cast<Case*>(handle)->run(calls); });
}

int32_t peer_collect(void* handle) {
    return peer::guarded([&] { static_cast<Case*>(handle)->collect(); });
}

const char* peer_implementation(void* handle) { return static_cast<Case*>(handle)->implementation(); }

void peer_destroy(void* handle) { delete static_cast<Case*>(handle); }

const char* peer_last_error(void) { return peer::last_error().c_str(); }
