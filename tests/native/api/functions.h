// The functions over per-channel tensors as data: what each takes, so that one test tries a mistake on all of them.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "norminterop/norminterop.h"

namespace ni::test {

enum class Kind { kData, kParameters, kDoubles };

/// One pointer argument.
struct Argument {
    std::string name;
    Kind kind;
    bool output;
    bool required;
    std::vector<std::string> may_be;  ///< inputs that an output may be exactly
};

/// One call's arguments: pointers by name, numbers as members.
struct Call {
    ni_channel_shape shape;
    bool null_shape = false;
    std::map<std::string, void*> at;
    double eps = 1e-5, momentum = 0.1, count = 10;
    int32_t gradient_mode = NI_GRADIENT_MODE_OVERWRITE;

    const ni_channel_shape* descriptor() const { return null_shape ? nullptr : &shape; }
    void* data(const char* name) const { return at.at(name); }
    double* doubles(const char* name) const { return static_cast<double*>(at.at(name)); }
};

struct Function {
    const char* name;
    std::vector<Argument> arguments;
    bool takes_eps, takes_count, takes_gradient_mode;
    ni_status (*call)(const Call& call);
};
std::ostream& operator<<(std::ostream& out, const Function& function);

/// All of them.
const std::vector<Function>& functions();

/// A call with buffers of its own that would succeed. Behind each buffer there is room for any other one.
class PreparedCall {
public:
    explicit PreparedCall(const Function& function, int64_t batch = 2, int64_t channels = 6, int64_t spatial = 10,
                          ni_layout layout = NI_LAYOUT_NCS);
    PreparedCall(const PreparedCall&) = delete;
    PreparedCall& operator=(const PreparedCall&) = delete;

    Call call;
    ni_status run() const { return function_.call(call); }
    /// Bytes that an argument's buffer has by its kind.
    size_t bytes_of(const Argument& argument) const;
    /// True while every buffer is as it was made.
    bool nothing_written() const { return storage_ == original_; }
    /// Points an argument elsewhere: `offset` bytes into another one's buffer.
    void alias(const std::string& argument, const std::string& other, size_t offset);

private:
    const Function& function_;
    std::map<std::string, std::vector<double>> storage_, original_;
};

/// Runs a call that must be refused: with this status, with a message that contains `fragment`, and without a trace.
void expect_refused(const PreparedCall& prepared, ni_status status, const std::string& fragment);

}  // namespace ni::test
