#include "channel/oracle.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace ni::test {
namespace {

/// Calls visit(element) for every element of a channel.
void each_of(const TensorCase& shape, int64_t c, const std::function<void(int64_t)>& visit) {
    for (int64_t n = 0; n < shape.batch; ++n)
        for (int64_t s = 0; s < shape.spatial; ++s) visit(shape.at(n, c, s));
}

long double wide(float value) { return static_cast<long double>(value); }

void set_batch_statistics(const TensorCase& shape, const BatchNormInputs& in, Exact& exact) {
    const auto n = static_cast<long double>(shape.values_per_channel());
    for (int64_t c = 0; c < shape.channels; ++c) {
        long double sum = 0, squares = 0;
        each_of(shape, c, [&](int64_t i) { sum += wide(in.x[i]); });
        const long double mean = sum / n;
        each_of(shape, c, [&](int64_t i) { squares += (wide(in.x[i]) - mean) * (wide(in.x[i]) - mean); });
        exact.mean.push_back(mean);
        exact.var.push_back(squares / n);
        exact.unbiased.push_back(squares / (n - 1));
    }
}

/// y, dx and the sums from the statistics, which depend on the data if `training`.
void set_outputs(const TensorCase& shape, const BatchNormInputs& in, bool training, Exact& exact) {
    const auto n = static_cast<long double>(shape.values_per_channel());
    exact.y.resize(in.x.size());
    exact.dx.resize(in.x.size());
    for (int64_t c = 0; c < shape.channels; ++c) {
        const long double mean = exact.mean[c], denominator = exact.var[c] + static_cast<long double>(in.eps);
        const long double r = denominator == 0 ? 0 : 1 / std::sqrt(denominator);
        const long double gamma = wide(in.weight[c]), beta = wide(in.bias[c]);
        long double sum_dy = 0, sum_dy_xmu = 0;
        each_of(shape, c, [&](int64_t i) {
            sum_dy += wide(in.dy[i]);
            sum_dy_xmu += wide(in.dy[i]) * (wide(in.x[i]) - mean);
        });
        const long double dgamma = sum_dy_xmu * r;
        long double y_terms = std::abs(beta), dx_terms = 0;
        each_of(shape, c, [&](int64_t i) {
            const long double normalized = (wide(in.x[i]) - mean) * r;
            exact.y[i] = normalized * gamma + beta;
            const long double slope = training ? normalized * dgamma / n : 0, shift = training ? sum_dy / n : 0;
            exact.dx[i] = gamma * r * (wide(in.dy[i]) - shift - slope);
            y_terms = std::max(y_terms, std::abs(normalized * gamma));
            dx_terms = std::max({dx_terms, std::abs(gamma * r * wide(in.dy[i])), std::abs(gamma * r * slope)});
        });
        exact.y_terms.push_back(y_terms);
        exact.dx_terms.push_back(dx_terms);
        exact.sum_dy.push_back(sum_dy);
        exact.sum_dy_xmu.push_back(sum_dy_xmu);
        exact.dweight.push_back(dgamma);
    }
}

template <class T>
double distance(const std::vector<T>& got, const std::vector<long double>& exact) {
    if (got.size() != exact.size()) return INFINITY;
    long double error = 0;
    for (size_t i = 0; i < got.size(); ++i) {
        const long double difference = std::abs(static_cast<long double>(got[i]) - exact[i]);
        if (std::isnan(difference)) return INFINITY;
        error = std::max(error, difference);
    }
    return static_cast<double>(error);
}

}  // namespace

Exact exact_training(const TensorCase& shape, const BatchNormInputs& in) {
    Exact exact;
    set_batch_statistics(shape, in, exact);
    set_outputs(shape, in, true, exact);
    return exact;
}

Exact exact_inference(const TensorCase& shape, const BatchNormInputs& in) {
    Exact exact;
    for (int64_t c = 0; c < shape.channels; ++c) {
        exact.mean.push_back(wide(in.running_mean[c]));
        exact.var.push_back(wide(in.running_var[c]));
    }
    set_outputs(shape, in, false, exact);
    return exact;
}

double largest_error(const std::vector<float>& got, const std::vector<long double>& exact) {
    return distance(got, exact);
}
double largest_error(const std::vector<double>& got, const std::vector<long double>& exact) {
    return distance(got, exact);
}
double largest_relative_error(const TensorCase& shape, const std::vector<float>& got,
                              const std::vector<long double>& exact, const std::vector<long double>& terms) {
    if (got.size() != exact.size()) return INFINITY;
    long double error = 0;
    for (int64_t i = 0; i < shape.elements(); ++i) {
        const long double difference = std::abs(static_cast<long double>(got[i]) - exact[i]);
        if (std::isnan(difference)) return INFINITY;
        if (difference > 0) error = std::max(error, difference / terms[shape.channel_of(i)]);
    }
    return static_cast<double>(error);
}
double largest(const std::vector<long double>& values) {
    long double magnitude = 0;
    for (const long double value : values) magnitude = std::max(magnitude, std::abs(value));
    return static_cast<double>(magnitude);
}

}  // namespace ni::test
