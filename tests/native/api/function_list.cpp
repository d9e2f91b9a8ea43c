// The table of functions.
#include "api/functions.h"

namespace ni::test {
namespace {

constexpr bool kInput = false, kOutput = true, kRequired = true, kOptional = false;
/// What a function takes beside pointers.
constexpr bool kEps = true, kCount = true, kMode = true, kNone = false;

Argument data_in(const char* name) { return {name, Kind::kData, kInput, kRequired, {}}; }
Argument statistics_in(const char* name) { return {name, Kind::kStatistics, kInput, kRequired, {}}; }
Argument statistics_out(const char* name, bool required = kOptional) {
    return {name, Kind::kStatistics, kOutput, required, {}};
}
Argument parameters_in(const char* name, bool required = kOptional) {
    return {name, Kind::kParameters, kInput, required, {}};
}
Argument parameters_out(const char* name, bool required = kOptional) {
    return {name, Kind::kParameters, kOutput, required, {}};
}
Argument y() { return {"y", Kind::kData, kOutput, kRequired, {"x"}}; }
Argument dx(bool required = kOptional) { return {"dx", Kind::kData, kOutput, required, {"dy", "x"}}; }

std::vector<Function> channel_functions() {
    return {
        {"ni_channel_statistics",
         Descriptor::kChannel,
         {data_in("x"), statistics_out("mean", kRequired), statistics_out("m2", kRequired)},
         kNone,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_channel_statistics(c.channels(), c.data("x"), c.doubles("mean"), c.doubles("m2"));
         }},
        {"ni_channel_apply",
         Descriptor::kChannel,
         {data_in("x"), statistics_in("mean"), statistics_in("invstd"), parameters_in("weight"), parameters_in("bias"),
          y()},
         kNone,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_channel_apply(c.channels(), c.data("x"), c.doubles("mean"), c.doubles("invstd"),
                                     c.data("weight"), c.data("bias"), c.data("y"));
         }},
        {"ni_channel_backward_reduce",
         Descriptor::kChannel,
         {data_in("dy"), data_in("x"), statistics_in("mean"), statistics_out("sum_dy", kRequired),
          statistics_out("sum_dy_xmu", kRequired)},
         kNone,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_channel_backward_reduce(c.channels(), c.data("dy"), c.data("x"), c.doubles("mean"),
                                               c.doubles("sum_dy"), c.doubles("sum_dy_xmu"));
         }},
        {"ni_channel_backward_apply",
         Descriptor::kChannel,
         {data_in("dy"), data_in("x"), statistics_in("mean"), statistics_in("invstd"), parameters_in("weight"),
          statistics_in("sum_dy"), statistics_in("sum_dy_xmu"), dx(kRequired)},
         kNone,
         kCount,
         kNone,
         [](const Call& c) {
             return ni_channel_backward_apply(c.channels(), c.data("dy"), c.data("x"), c.doubles("mean"),
                                              c.doubles("invstd"), c.data("weight"), c.doubles("sum_dy"),
                                              c.doubles("sum_dy_xmu"), c.count, c.data("dx"));
         }},
    };
}

std::vector<Function> batchnorm_functions() {
    return {
        {"ni_batchnorm_forward_training",
         Descriptor::kChannel,
         {data_in("x"), parameters_in("weight"), parameters_in("bias"), parameters_out("running_mean"),
          parameters_out("running_var"), statistics_out("saved_mean"), statistics_out("saved_invstd"), y()},
         kEps,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_batchnorm_forward_training(c.channels(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                                  c.momentum, c.data("running_mean"), c.data("running_var"),
                                                  c.doubles("saved_mean"), c.doubles("saved_invstd"), c.data("y"));
         }},
        {"ni_batchnorm_forward_inference",
         Descriptor::kChannel,
         {data_in("x"), parameters_in("weight"), parameters_in("bias"), parameters_in("mean", kRequired),
          parameters_in("var", kRequired), y()},
         kEps,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_batchnorm_forward_inference(c.channels(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                                   c.data("mean"), c.data("var"), c.data("y"));
         }},
        {"ni_batchnorm_backward_training",
         Descriptor::kChannel,
         {data_in("dy"), data_in("x"), parameters_in("weight"), statistics_in("saved_mean"),
          statistics_in("saved_invstd"), dx(), parameters_out("dweight"), parameters_out("dbias")},
         kNone,
         kNone,
         kMode,
         [](const Call& c) {
             return ni_batchnorm_backward_training(c.channels(), c.data("dy"), c.data("x"), c.data("weight"),
                                                   c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode,
                                                   c.data("dx"), c.data("dweight"), c.data("dbias"));
         }},
        {"ni_batchnorm_backward_inference",
         Descriptor::kChannel,
         {data_in("dy"), data_in("x"), parameters_in("weight"), parameters_in("mean", kRequired),
          parameters_in("var", kRequired), dx(), parameters_out("dweight"), parameters_out("dbias")},
         kEps,
         kNone,
         kMode,
         [](const Call& c) {
             return ni_batchnorm_backward_inference(c.channels(), c.data("dy"), c.data("x"), c.data("weight"), c.eps,
                                                    c.data("mean"), c.data("var"), c.gradient_mode, c.data("dx"),
                                                    c.data("dweight"), c.data("dbias"));
         }},
    };
}

std::vector<Function> caffe_functions() {
    return {
        {"ni_caffe_batchnorm_forward_training",
         Descriptor::kChannel,
         {data_in("x"), parameters_out("mean_sum", kRequired), parameters_out("var_sum", kRequired),
          statistics_out("saved_mean"), statistics_out("saved_invstd"), y()},
         kEps,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_caffe_batchnorm_forward_training(c.channels(), c.data("x"), c.eps, 1 - c.momentum,
                                                        c.data("mean_sum"), c.data("var_sum"), c.doubles("saved_mean"),
                                                        c.doubles("saved_invstd"), c.data("y"));
         }},
    };
}

std::vector<Argument> backward_arguments() {
    return {data_in("dy"),
            data_in("x"),
            parameters_in("weight"),
            statistics_in("saved_mean"),
            statistics_in("saved_invstd"),
            dx(),
            parameters_out("dweight"),
            parameters_out("dbias")};
}

std::vector<Function> group_functions() {
    return {
        {"ni_groupnorm_forward",
         Descriptor::kGroup,
         {data_in("x"), parameters_in("weight"), parameters_in("bias"), statistics_out("saved_mean"),
          statistics_out("saved_invstd"), y()},
         kEps,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_groupnorm_forward(c.groups(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                         c.doubles("saved_mean"), c.doubles("saved_invstd"), c.data("y"));
         }},
        {"ni_groupnorm_backward", Descriptor::kGroup, backward_arguments(), kNone, kNone, kMode,
         [](const Call& c) {
             return ni_groupnorm_backward(c.groups(), c.data("dy"), c.data("x"), c.data("weight"),
                                          c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode,
                                          c.data("dx"), c.data("dweight"), c.data("dbias"));
         }},
        {"ni_instancenorm_forward",
         Descriptor::kInstance,
         {data_in("x"), parameters_in("weight"), parameters_in("bias"), parameters_out("running_mean"),
          parameters_out("running_var"), statistics_out("saved_mean"), statistics_out("saved_invstd"), y()},
         kEps,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_instancenorm_forward(c.channels(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                            c.momentum, c.data("running_mean"), c.data("running_var"),
                                            c.doubles("saved_mean"), c.doubles("saved_invstd"), c.data("y"));
         }},
        {"ni_instancenorm_backward", Descriptor::kInstance, backward_arguments(), kNone, kNone, kMode,
         [](const Call& c) {
             return ni_instancenorm_backward(c.channels(), c.data("dy"), c.data("x"), c.data("weight"),
                                             c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode,
                                             c.data("dx"), c.data("dweight"), c.data("dbias"));
         }},
    };
}

std::vector<Function> row_functions() {
    return {
        {"ni_layernorm_forward",
         Descriptor::kRow,
         {data_in("x"), parameters_in("weight"), parameters_in("bias"), statistics_out("saved_mean"),
          statistics_out("saved_invstd"), y()},
         kEps,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_layernorm_forward(c.rows(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                         c.doubles("saved_mean"), c.doubles("saved_invstd"), c.data("y"));
         }},
        {"ni_layernorm_backward", Descriptor::kRow, backward_arguments(), kNone, kNone, kMode,
         [](const Call& c) {
             return ni_layernorm_backward(c.rows(), c.data("dy"), c.data("x"), c.data("weight"),
                                          c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode,
                                          c.data("dx"), c.data("dweight"), c.data("dbias"));
         }},
        {"ni_rmsnorm_forward",
         Descriptor::kRow,
         {data_in("x"), parameters_in("weight"), statistics_out("saved_invrms"), y()},
         kEps,
         kNone,
         kNone,
         [](const Call& c) {
             return ni_rmsnorm_forward(c.rows(), c.data("x"), c.data("weight"), c.eps, c.doubles("saved_invrms"),
                                       c.data("y"));
         }},
        {"ni_rmsnorm_backward",
         Descriptor::kRow,
         {data_in("dy"), data_in("x"), parameters_in("weight"), statistics_in("saved_invrms"), dx(),
          parameters_out("dweight")},
         kNone,
         kNone,
         kMode,
         [](const Call& c) {
             return ni_rmsnorm_backward(c.rows(), c.data("dy"), c.data("x"), c.data("weight"),
                                        c.doubles("saved_invrms"), c.gradient_mode, c.data("dx"), c.data("dweight"));
         }},
    };
}

}  // namespace

const std::vector<Function>& functions() {
    static const std::vector<Function> all = [] {
        std::vector<Function> list;
        for (auto part :
             {channel_functions(), batchnorm_functions(), caffe_functions(), group_functions(), row_functions()}) {
            list.insert(list.end(), part.begin(), part.end());
        }
        const std::vector<Function> with_activation = activation_functions(list);
        list.insert(list.end(), with_activation.begin(), with_activation.end());
        return list;
    }();
    return all;
}

}  // namespace ni::test
