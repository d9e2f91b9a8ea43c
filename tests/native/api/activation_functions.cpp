// The functions with an activation as data: the plain ones', with what is more.
#include "api/functions.h"

namespace ni::test {
namespace {

using Run = ni_status (*)(const Call& call);

constexpr bool kInput = false, kOutput = true, kRequired = true, kOptional = false;

/// A forward takes a residual, which y may be, and gives a mask.
Function forward_of(const char* name, Function function, Run run) {
    function.name = name;
    function.call = run;
    for (Argument& argument : function.arguments) {
        if (argument.name == "y") argument.may_be.emplace_back("residual");
    }
    function.arguments.push_back({"residual", Kind::kData, kInput, kOptional, {}});
    function.arguments.push_back({"mask", Kind::kMask, kOutput, kOptional, {}});
    return function;
}

/// A backward takes the bias and the mask, and gives the residual's gradient.
Function backward_of(const char* name, Function function, Run run) {
    function.name = name;
    function.call = run;
    function.arguments.push_back({"bias", Kind::kParameters, kInput, kOptional, {}});
    function.arguments.push_back({"mask", Kind::kMask, kInput, kOptional, {}});
    function.arguments.push_back({"dresidual", Kind::kData, kOutput, kOptional, {"dy"}});
    return function;
}

/// A reduction takes what makes z and the mask.
Function reduction_of(const char* name, Function function, Run run) {
    function.name = name;
    function.call = run;
    function.arguments.push_back({"invstd", Kind::kStatistics, kInput, kRequired, {}});
    function.arguments.push_back({"weight", Kind::kParameters, kInput, kOptional, {}});
    function.arguments.push_back({"bias", Kind::kParameters, kInput, kOptional, {}});
    function.arguments.push_back({"mask", Kind::kMask, kInput, kOptional, {}});
    return function;
}

ni_status channel_apply(const Call& c) {
    return ni_channel_act_apply(c.channels(), c.data("x"), c.doubles("mean"), c.doubles("invstd"), c.data("weight"),
                                c.data("bias"), c.data("y"), c.activation, c.data("residual"), c.mask());
}
ni_status channel_backward_reduce(const Call& c) {
    return ni_channel_act_backward_reduce(c.channels(), c.data("dy"), c.data("x"), c.doubles("mean"),
                                          c.doubles("invstd"), c.data("weight"), c.data("bias"), c.doubles("sum_dy"),
                                          c.doubles("sum_dy_xmu"), c.activation, c.mask());
}
ni_status channel_backward_apply(const Call& c) {
    return ni_channel_act_backward_apply(c.channels(), c.data("dy"), c.data("x"), c.doubles("mean"),
                                         c.doubles("invstd"), c.data("weight"), c.data("bias"), c.doubles("sum_dy"),
                                         c.doubles("sum_dy_xmu"), c.count, c.data("dx"), c.activation, c.mask(),
                                         c.data("dresidual"));
}
ni_status batchnorm_forward_training(const Call& c) {
    return ni_batchnorm_act_forward_training(c.channels(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                             c.momentum, c.data("running_mean"), c.data("running_var"),
                                             c.doubles("saved_mean"), c.doubles("saved_invstd"), c.data("y"),
                                             c.activation, c.data("residual"), c.mask());
}
ni_status batchnorm_forward_inference(const Call& c) {
    return ni_batchnorm_act_forward_inference(c.channels(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                              c.data("mean"), c.data("var"), c.data("y"), c.activation,
                                              c.data("residual"), c.mask());
}
ni_status batchnorm_backward_training(const Call& c) {
    return ni_batchnorm_act_backward_training(c.channels(), c.data("dy"), c.data("x"), c.data("weight"), c.data("bias"),
                                              c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode,
                                              c.data("dx"), c.data("dweight"), c.data("dbias"), c.activation, c.mask(),
                                              c.data("dresidual"));
}
ni_status batchnorm_backward_inference(const Call& c) {
    return ni_batchnorm_act_backward_inference(
        c.channels(), c.data("dy"), c.data("x"), c.data("weight"), c.data("bias"), c.eps, c.data("mean"), c.data("var"),
        c.gradient_mode, c.data("dx"), c.data("dweight"), c.data("dbias"), c.activation, c.mask(), c.data("dresidual"));
}
ni_status groupnorm_forward(const Call& c) {
    return ni_groupnorm_act_forward(c.groups(), c.data("x"), c.data("weight"), c.data("bias"), c.eps,
                                    c.doubles("saved_mean"), c.doubles("saved_invstd"), c.data("y"), c.activation,
                                    c.data("residual"), c.mask());
}
ni_status groupnorm_backward(const Call& c) {
    return ni_groupnorm_act_backward(c.groups(), c.data("dy"), c.data("x"), c.data("weight"), c.data("bias"),
                                     c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode, c.data("dx"),
                                     c.data("dweight"), c.data("dbias"), c.activation, c.mask(), c.data("dresidual"));
}
ni_status instancenorm_forward(const Call& c) {
    return ni_instancenorm_act_forward(c.channels(), c.data("x"), c.data("weight"), c.data("bias"), c.eps, c.momentum,
                                       c.data("running_mean"), c.data("running_var"), c.doubles("saved_mean"),
                                       c.doubles("saved_invstd"), c.data("y"), c.activation, c.data("residual"),
                                       c.mask());
}
ni_status instancenorm_backward(const Call& c) {
    return ni_instancenorm_act_backward(c.channels(), c.data("dy"), c.data("x"), c.data("weight"), c.data("bias"),
                                        c.doubles("saved_mean"), c.doubles("saved_invstd"), c.gradient_mode,
                                        c.data("dx"), c.data("dweight"), c.data("dbias"), c.activation, c.mask(),
                                        c.data("dresidual"));
}

}  // namespace

std::vector<Function> activation_functions(const std::vector<Function>& plain) {
    std::vector<Function> list;
    for (const Function& function : plain) {
        const std::string name = function.name;
        if (name == "ni_channel_apply") list.push_back(forward_of("ni_channel_act_apply", function, channel_apply));
        if (name == "ni_channel_backward_reduce")
            list.push_back(reduction_of("ni_channel_act_backward_reduce", function, channel_backward_reduce));
        if (name == "ni_channel_backward_apply")
            list.push_back(backward_of("ni_channel_act_backward_apply", function, channel_backward_apply));
        if (name == "ni_batchnorm_forward_training")
            list.push_back(forward_of("ni_batchnorm_act_forward_training", function, batchnorm_forward_training));
        if (name == "ni_batchnorm_forward_inference")
            list.push_back(forward_of("ni_batchnorm_act_forward_inference", function, batchnorm_forward_inference));
        if (name == "ni_batchnorm_backward_training")
            list.push_back(backward_of("ni_batchnorm_act_backward_training", function, batchnorm_backward_training));
        if (name == "ni_batchnorm_backward_inference")
            list.push_back(backward_of("ni_batchnorm_act_backward_inference", function, batchnorm_backward_inference));
        if (name == "ni_groupnorm_forward")
            list.push_back(forward_of("ni_groupnorm_act_forward", function, groupnorm_forward));
        if (name == "ni_groupnorm_backward")
            list.push_back(backward_of("ni_groupnorm_act_backward", function, groupnorm_backward));
        if (name == "ni_instancenorm_forward")
            list.push_back(forward_of("ni_instancenorm_act_forward", function, instancenorm_forward));
        if (name == "ni_instancenorm_backward")
            list.push_back(backward_of("ni_instancenorm_act_backward", function, instancenorm_backward));
    }
    return list;
}

}  // namespace ni::test
