#include "layers/layer_oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace ni::test {
namespace {

long double wide(double value) { return static_cast<long double>(value); }

/// Roundings that an element's terms go through, those of the statistics included. In double, 32 additions in a chunk
/// of 256 rows, whose errors count four times where a shift is as far from the mean as a kernel allows.
template <class E>
constexpr long double kLoss = (sizeof(typename E::Constant) == sizeof(float) ? 16 : 128) * Type<E>::kRoundoff;
/// Likewise of sums: those of 16-bit numbers are taken in float, unless they are of few.
template <class E>
long double loss_of_sums(bool few) {
    return kIs16Bit<E> && !few ? kLoss<Float32> : kLoss<E>;
}
/// What is lost of a mean, in roundings of a constant: it is carried as two of them if they are float.
template <class E>
constexpr long double kOfMean = sizeof(typename E::Constant) == sizeof(float) ? 0x1p-26L : 1;

/// What the elements of a set have in common.
struct SetSums {
    long double g = 0, g_xhat = 0;
    Term y, dx;  // the largest magnitudes
};

template <class E>
class Oracle {
public:
    Oracle(const LayerCase& layer, const LayerInputs<E>& in)
        : layer_(layer), in_(in), x_(values<E>(in.x)), dy_(values<E>(in.dy)), sums_(layer.sets()) {
        const auto sets = static_cast<size_t>(layer.sets()), parameters = static_cast<size_t>(layer.channels);
        exact_.mean.resize(sets);
        exact_.var.resize(sets);
        exact_.invstd.resize(sets);
        exact_.y.resize(x_.size());
        exact_.dx.resize(x_.size());
        exact_.dweight.resize(parameters);
        exact_.dbias.resize(parameters);
        set_statistics();
        set_outputs();
        if (layer.has_running()) set_running();
    }
    const LayerExact& exact() const { return exact_; }

private:
    long double count() const { return static_cast<long double>(layer_.set_size()); }
    long double gamma(int64_t element) const {
        return layer_.has_parameters() ? wide(in_.weight[layer_.parameter_of(element)]) : 1;
    }
    long double beta(int64_t element) const {
        return layer_.has_bias() ? wide(in_.bias[layer_.parameter_of(element)]) : 0;
    }
    long double xhat(int64_t i, int64_t set) const { return (wide(x_[i]) - exact_.mean[set]) * exact_.invstd[set]; }

    /// What errors of a normalized value are measured against: whatever a mean loses, every value of the set loses, and
    /// its deviation as well.
    long double size_of(long double normalized, int64_t set) const {
        const long double of_mean = std::abs(exact_.mean[set]) * exact_.invstd[set] * kOfMean<E>;
        const long double tiny = static_cast<long double>(std::numeric_limits<typename E::Constant>::denorm_min());
        return std::abs(normalized) * (1 + of_mean) + of_mean + tiny * exact_.invstd[set] / Type<E>::kRoundoff;
    }

    void set_statistics() {
        for (int64_t i = 0; i < layer_.elements(); ++i) exact_.mean[layer_.set_of(i)] += wide(x_[i]) / count();
        if (!layer_.centered()) std::fill(exact_.mean.begin(), exact_.mean.end(), 0.0L);
        for (int64_t i = 0; i < layer_.elements(); ++i) {
            const int64_t set = layer_.set_of(i);
            exact_.var[set] += (wide(x_[i]) - exact_.mean[set]) * (wide(x_[i]) - exact_.mean[set]) / count();
        }
        for (size_t set = 0; set < exact_.var.size(); ++set) {
            const long double denominator = exact_.var[set] + wide(in_.eps);
            exact_.invstd[set] = denominator == 0 ? 0 : 1 / std::sqrt(denominator);
        }
    }

    void set_outputs() {
        for (int64_t i = 0; i < layer_.elements(); ++i) {
            const int64_t set = layer_.set_of(i), parameter = layer_.parameter_of(i);
            SetSums& sums = sums_[set];
            const long double normalized = xhat(i, set), g = gamma(i) * wide(dy_[i]), r = exact_.invstd[set];
            const long double size = size_of(normalized, set);
            exact_.y[i].value = normalized * gamma(i) + beta(i);
            sums.y.magnitude = std::max({sums.y.magnitude, std::abs(beta(i)), size * std::abs(gamma(i))});
            sums.g += g / count();
            sums.g_xhat += g * normalized / count();
            sums.dx.magnitude = std::max(sums.dx.magnitude, std::abs(g) * r * size_of(1, set));
            const long double deviation = std::sqrt(exact_.var[set]) * r;
            add(exact_.dweight[parameter], wide(dy_[i]) * normalized, std::abs(wide(dy_[i])) * (size + deviation));
            add(exact_.dbias[parameter], wide(dy_[i]), std::abs(wide(dy_[i])));
        }
        for (int64_t i = 0; i < layer_.elements(); ++i) {
            const int64_t set = layer_.set_of(i);
            SetSums& sums = sums_[set];
            const long double r = exact_.invstd[set], of_mean = layer_.centered() ? sums.g : 0;
            const long double normalized = xhat(i, set);
            const long double size = size_of(normalized, set);
            exact_.dx[i].value = r * (gamma(i) * wide(dy_[i]) - of_mean - normalized * sums.g_xhat);
            sums.dx.magnitude = std::max(sums.dx.magnitude, r * std::abs(sums.g_xhat) * std::max(size, 1.0L));
        }
        for (int64_t i = 0; i < layer_.elements(); ++i) {
            exact_.y[i].magnitude = sums_[layer_.set_of(i)].y.magnitude;
            exact_.dx[i].magnitude = sums_[layer_.set_of(i)].dx.magnitude;
        }
    }

    static void add(Term& to, long double term, long double magnitude) {
        to.value += term;
        to.magnitude += magnitude;
    }

    void set_running() {
        const bool caffe = layer_.family == Family::kCaffe;
        const long double keep = 1 - wide(in_.momentum), part = caffe ? 1 : wide(in_.momentum);
        const int64_t samples = layer_.sets() / layer_.channels;
        const long double bessel = count() / std::max(count() - 1, 1.0L);
        for (int64_t c = 0; c < layer_.channels; ++c) {
            Term mean, var;
            add(mean, keep * wide(in_.running_mean[c]), std::abs(wide(in_.running_mean[c])));
            add(var, keep * wide(in_.running_var[c]), std::abs(wide(in_.running_var[c])));
            for (int64_t set = c; set < layer_.sets(); set += layer_.channels) {
                const long double share = part / static_cast<long double>(samples);
                add(mean, share * exact_.mean[set],
                    std::abs(share) * (std::abs(exact_.mean[set]) + std::sqrt(exact_.var[set])));
                add(var, share * exact_.var[set] * bessel,
                    std::abs(share) * exact_.var[set] * bessel * size_of(1, set));
            }
            exact_.running_mean.push_back(mean);
            exact_.running_var.push_back(var);
        }
    }

    const LayerCase& layer_;
    const LayerInputs<E>& in_;
    const std::vector<double> x_, dy_;
    std::vector<SetSums> sums_;
    LayerExact exact_;
};

/// Elements of the data type E, or doubles and parameters with E = Float64 or Float32.
template <class E>
void expect_near(const char* what, const std::vector<double>& got, const std::vector<Term>& exact, long double loss) {
    ASSERT_EQ(got.size(), exact.size()) << what;
    const long double tiny = 16 * static_cast<long double>(std::numeric_limits<typename E::Constant>::denorm_min());
    for (size_t i = 0; i < got.size(); ++i) {
        ASSERT_TRUE(is_result<E>(got[i], exact[i].value, loss * exact[i].magnitude + tiny))
            << what << " " << i << " is " << got[i] << ", expected " << exact[i].value << " of terms of "
            << exact[i].magnitude;
    }
}

template <class E>
void expect_data(const char* what, const std::vector<typename E::Data>& got, const std::vector<Term>& exact,
                 long double loss) {
    bool all_beside = false;
    if constexpr (kIs16Bit<E>) {
        all_beside = got.size() == exact.size();
        for (size_t i = 0; i < got.size() && all_beside; ++i) all_beside = is_beside<E>(got[i], exact[i].value);
    }
    if (!all_beside) expect_near<E>(what, values<E>(got), exact, loss);
}

template <class E>
void expect_parameters(const char* what, const std::vector<typename E::Parameter>& got,
                       const std::vector<Term>& exact) {
    using Stored = std::conditional_t<sizeof(typename E::Parameter) == sizeof(float), Float32, Float64>;
    std::vector<Term> rounded = exact;
    for (Term& term : rounded) {
        term.magnitude = 2 * loss_of_sums<E>(false) * term.magnitude + Type<Stored>::kRoundoff * std::abs(term.value);
    }
    expect_near<Stored>(what, std::vector<double>(got.begin(), got.end()), rounded, 1);
}

}  // namespace

template <class E>
LayerExact exact_layer(const LayerCase& layer, const LayerInputs<E>& in) {
    return Oracle<E>(layer, in).exact();
}

template <class E>
void expect_exact(const LayerCase& layer, const LayerInputs<E>& in, const LayerResults<E>& got) {
    const LayerExact exact = exact_layer(layer, in);
    const bool few = layer.set_size() <= 256;
    // Of sums in float, what is left after all roundings, half of which lower a sum and half of which raise it.
    const long double of_data = kIs16Bit<E> && !few ? 0x1p-29L : kLoss<E>;
    expect_data<E>("y", got.y, exact.y, of_data);
    expect_data<E>("dx", got.dx, exact.dx, of_data);
    std::vector<Term> mean, invstd;
    for (size_t set = 0; set < exact.mean.size(); ++set) {
        mean.push_back({exact.mean[set], std::sqrt(exact.var[set]) + kOfMean<E> * std::abs(exact.mean[set])});
        // Means of parts of a set that are rounded make its variance.
        const long double of_mean = kOfMean<E> * std::abs(exact.mean[set]) * exact.invstd[set];
        invstd.push_back({exact.invstd[set], exact.invstd[set] * (1 + of_mean)});
    }
    const long double loss = loss_of_sums<E>(few);
    if (layer.centered()) expect_near<Float64>("mean", got.mean, mean, loss);
    expect_near<Float64>("invstd", got.invstd, invstd, loss);
    if (layer.has_parameters()) expect_parameters<E>("dweight", got.dweight, exact.dweight);
    if (layer.has_bias()) expect_parameters<E>("dbias", got.dbias, exact.dbias);
    if (!layer.has_running()) return;
    expect_parameters<E>("running mean", got.running_mean, exact.running_mean);
    expect_parameters<E>("running var", got.running_var, exact.running_var);
}

#define NI_INSTANTIATE(E)                                                     \
    template LayerExact exact_layer(const LayerCase&, const LayerInputs<E>&); \
    template void expect_exact(const LayerCase&, const LayerInputs<E>&, const LayerResults<E>&);
NI_INSTANTIATE(Float32)
NI_INSTANTIATE(Float64)
NI_INSTANTIATE(Float16)
NI_INSTANTIATE(BFloat16)
#undef NI_INSTANTIATE

}  // namespace ni::test
