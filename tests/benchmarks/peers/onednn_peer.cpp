// oneDNN: its primitives, in the format that the user's data have. It has BatchNorm and LayerNorm.

#include <omp.h>

#include <dnnl.hpp>

#include <cmath>
#include <string>
#include <unordered_map>
#include <vector>

#include "shim.h"

namespace {

using dnnl::memory;

const auto kParameters = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;

memory::data_type data_type(int32_t type) {
    switch (type) {
        case PEER_FLOAT32:
            return memory::data_type::f32;
        case PEER_BFLOAT16:
            return memory::data_type::bf16;
        default:
            throw peer::Unsupported("oneDNN 2.6 has no normalization of this data type on a CPU");
    }
}

/// The plain formats: channels after the samples, or innermost.
memory::desc data_desc(const peer_case& description) {
    using Tag = memory::format_tag;
    const memory::data_type type = data_type(description.data_type);
    if (peer::is_rows(description)) {
        return {{peer::product(description, 0, description.rank - 1), peer::parameters(description)}, type, Tag::ab};
    }
    constexpr Tag kTags[][2] = {
        {Tag::nc, Tag::nc}, {Tag::ncw, Tag::nwc}, {Tag::nchw, Tag::nhwc}, {Tag::ncdhw, Tag::ndhwc}};
    const Tag tag = kTags[description.rank - 2][description.layout == PEER_CHANNELS_LAST ? 1 : 0];
    return {memory::dims(description.lengths, description.lengths + description.rank), type, tag};
}

/// A case: the primitive, and the memory it is given.
class Case {
public:
    explicit Case(const peer_case& description) : case_(description) {
        // Before the primitive, which divides the work when it is made.
        omp_set_num_threads(case_.threads);
        if (case_.family == PEER_BATCH_NORM) {
            prepare_batch_norm();
        } else if (case_.family == PEER_LAYER_NORM) {
            prepare_layer_norm();
        } else {
            throw peer::Unsupported("oneDNN 2.6 has BatchNorm and LayerNorm only");
        }
        run(1);
    }

    void run(int64_t calls) {
        omp_set_num_threads(case_.threads);
        for (int64_t i = 0; i < calls; ++i) {
            primitive_.execute(stream_, arguments_);
            if (updates_running_) update_running();
        }
        stream_.wait();
    }

    const char* implementation() const { return implementation_.c_str(); }

private:
    memory shared(const memory::desc& desc, const void* pointer) { return {desc, engine_, const_cast<void*>(pointer)}; }

    /// Statistics of oneDNN's own: it has variances where others keep their inverted roots.
    memory statistic(std::vector<float>& values, int64_t count) {
        values.resize(static_cast<size_t>(count));
        return {memory::desc({count}, memory::data_type::f32, memory::format_tag::a), engine_, values.data()};
    }

    void bind_forward(const memory::desc& desc, const memory& mean, const memory& var) {
        const memory::desc scale({peer::parameters(case_)}, memory::data_type::f32, memory::format_tag::a);
        arguments_ = {{DNNL_ARG_SRC, shared(desc, case_.x)},
                      {DNNL_ARG_DST, shared(desc, case_.out)},
                      {DNNL_ARG_SCALE, shared(scale, case_.weight)},
                      {DNNL_ARG_SHIFT, shared(scale, case_.bias)},
                      {DNNL_ARG_MEAN, mean},
                      {DNNL_ARG_VARIANCE, var}};
    }

    void bind_backward(const memory::desc& desc, const memory& mean, const memory& var) {
        const memory::desc scale({peer::parameters(case_)}, memory::data_type::f32, memory::format_tag::a);
        arguments_ = {{DNNL_ARG_SRC, shared(desc, case_.x)},
                      {DNNL_ARG_DIFF_DST, shared(desc, case_.dy)},
                      {DNNL_ARG_DIFF_SRC, shared(desc, case_.out)},
                      {DNNL_ARG_SCALE, shared(scale, case_.weight)},
                      {DNNL_ARG_SHIFT, shared(scale, case_.bias)},
                      {DNNL_ARG_DIFF_SCALE, shared(scale, case_.weight_gradient)},
                      {DNNL_ARG_DIFF_SHIFT, shared(scale, case_.bias_gradient)},
                      {DNNL_ARG_MEAN, mean},
                      {DNNL_ARG_VARIANCE, var}};
    }

    void prepare_batch_norm() {
        using Forward = dnnl::batch_normalization_forward;
        using Backward = dnnl::batch_normalization_backward;
        const bool running = peer::uses_running(case_);
        const memory::desc desc = data_desc(case_);
        const auto flags = running ? kParameters | dnnl::normalization_flags::use_global_stats : kParameters;
        const auto kind =
            case_.pass == PEER_INFERENCE ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
        const Forward::primitive_desc forward({kind, desc, static_cast<float>(case_.eps), flags}, engine_);
        const memory::desc channels({case_.lengths[1]}, memory::data_type::f32, memory::format_tag::a);
        const memory mean = running ? shared(channels, case_.running_mean) : statistic(mean_, case_.lengths[1]);
        const memory var = running ? shared(channels, case_.running_var) : statistic(var_, case_.lengths[1]);
        bind_forward(desc, mean, var);
        if (!peer::is_backward(case_)) {
            updates_running_ = !running;
            return use(Forward(forward), forward.impl_info_str());
        }
        Forward(forward).execute(stream_, arguments_);
        const Backward::primitive_desc backward(
            {dnnl::prop_kind::backward, desc, desc, static_cast<float>(case_.eps), flags}, engine_, forward);
        bind_backward(desc, mean, var);
        use(Backward(backward), backward.impl_info_str());
    }

    void prepare_layer_norm() {
        using Forward = dnnl::layer_normalization_forward;
        using Backward = dnnl::layer_normalization_backward;
        const memory::desc desc = data_desc(case_);
        const int64_t rows = desc.dims()[0];
        const Forward::primitive_desc forward(
            {dnnl::prop_kind::forward_training, desc, static_cast<float>(case_.eps), kParameters}, engine_);
        const memory mean = statistic(mean_, rows), var = statistic(var_, rows);
        bind_forward(desc, mean, var);
        if (!peer::is_backward(case_)) return use(Forward(forward), forward.impl_info_str());
        Forward(forward).execute(stream_, arguments_);
        const Backward::primitive_desc backward(
            {dnnl::prop_kind::backward, desc, desc, static_cast<float>(case_.eps), kParameters}, engine_, forward);
        bind_backward(desc, mean, var);
        use(Backward(backward), backward.impl_info_str());
    }

    void use(const dnnl::primitive& primitive, const char* implementation) {
        primitive_ = primitive;
        implementation_ = implementation;
    }

    /// A framework around oneDNN does this, and so does every other contestant within its call.
    void update_running() {
        const auto momentum = static_cast<float>(case_.momentum);
        const auto count = static_cast<float>(peer::product(case_, 0, case_.rank) / case_.lengths[1]);
        auto* running_mean = static_cast<float*>(case_.running_mean);
        auto* running_var = static_cast<float*>(case_.running_var);
        for (size_t c = 0; c < mean_.size(); ++c) {
            running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean_[c];
            running_var[c] = (1 - momentum) * running_var[c] + momentum * (var_[c] * count / (count - 1));
        }
    }

    const peer_case case_;
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    dnnl::primitive primitive_;
    std::unordered_map<int, memory> arguments_;
    std::vector<float> mean_, var_;
    std::string implementation_;
    bool updates_running_ = false;
};

}  // namespace

const char* peer_version(void) {
    static const std::string text = [] {
        const dnnl_version_t* version = dnnl_version();
        return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
               std::to_string(version->patch);
    }();
    return text.c_str();
}

int32_t peer_create(const peer_case* description, void** handle) {
    return peer::guarded([&] {
        try {
            *handle = new Case(*description);
        } catch (const dnnl::error& error) {
            if (error.status == dnnl_unimplemented) throw peer::Unsupported(error.what());
            throw;
        }
    });
}

int32_t peer_run(void* handle, int64_t calls) {
    return peer::guarded([&] { static_cast<Case*>(handle)->run(calls); });
}

int32_t peer_collect(void*) { return PEER_OK; }

const char* peer_implementation(void* handle) { return static_cast<Case*>(handle)->implementation(); }

void peer_destroy(void* handle) { delete static_cast<Case*>(handle); }

const char* peer_last_error(void) { return peer::last_error().c_str(); }
