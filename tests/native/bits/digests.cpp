#include "bits/digests.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <type_traits>

#include "kernels/channel/channel_norm.h"
#include "layers/layer_case.h"

namespace ni::test {
namespace {

/// The hash FNV-1a of Fowler, Noll and Vo, in 64 bits, of numbers that belong to a data type.
template <class E>
class Digest {
public:
    template <class T>
    Digest& add(const std::vector<T>& numbers) {
        for (const T number : numbers) nan_ |= is_nan(number);
        const auto* byte = reinterpret_cast<const unsigned char*>(numbers.data());
        for (size_t i = 0; i < numbers.size() * sizeof(T); ++i) hash_ = (hash_ ^ byte[i]) * 0x100000001B3ULL;
        return *this;
    }
    Digest& add_bytes(const std::vector<uint8_t>& bytes) {
        for (const uint8_t byte : bytes) hash_ = (hash_ ^ byte) * 0x100000001B3ULL;
        return *this;
    }
    std::string text() const {
        char digits[17];
        snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash_));
        return nan_ ? std::string("NaN") : digits;
    }

private:
    static bool is_nan(double number) { return std::isnan(number); }
    static bool is_nan(uint16_t bits) { return (bits & 0x7FFF) > Type<E>::kFormat.infinity; }

    uint64_t hash_ = 0xCBF29CE484222325ULL;
    bool nan_ = false;
};

/// Numbers of a data type, from the fields of their bits.
template <class E>
struct Fields;
template <>
struct Fields<Float32> {
    using Bits = uint32_t;
    static constexpr int kFraction = 23, kBias = 127, kSpread = 100;
};
template <>
struct Fields<Float64> {
    using Bits = uint64_t;
    static constexpr int kFraction = 52, kBias = 1023, kSpread = 400;
};
template <>
struct Fields<Float16> {
    using Bits = uint16_t;
    static constexpr int kFraction = 10, kBias = 15, kSpread = 14;
};
template <>
struct Fields<BFloat16> {
    using Bits = uint16_t;
    static constexpr int kFraction = 7, kBias = 127, kSpread = 100;
};

enum class Kind {
    kPlain,   ///< around 0, of several binades: sums and products round
    kFar,     ///< 64 to 128: the mean needs more digits than a float has, and layers accumulate
    kTiny,    ///< denormal
    kSpread,  ///< of almost every magnitude: squares and products leave the range of a float
};
constexpr Kind kKinds[] = {Kind::kPlain, Kind::kFar, Kind::kTiny, Kind::kSpread};
constexpr const char* kKindNames[] = {"plain", "far", "tiny", "spread"};

int exponent_of(Kind kind, uint64_t random, int spread) {
    switch (kind) {
        case Kind::kFar:
            return 6;
        case Kind::kSpread:
            return static_cast<int>(random % (2 * static_cast<uint64_t>(spread) + 1)) - spread;
        default:
            return static_cast<int>(random % 6) - 4;
    }
}

template <class E>
std::vector<typename E::Data> numbers_of(Kind kind, int64_t count, uint64_t seed) {
    using Bits = typename Fields<E>::Bits;
    constexpr int kFraction = Fields<E>::kFraction;
    std::vector<typename E::Data> numbers;
    numbers.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
        const uint64_t random = mixed((seed << 32) + static_cast<uint64_t>(i));
        const uint64_t fraction = random >> (64 - kFraction), sign = kind == Kind::kFar ? 0 : random & 1U;
        const auto exponent = static_cast<uint64_t>(
            kind == Kind::kTiny ? 0 : Fields<E>::kBias + exponent_of(kind, random >> 1 & 0x3FFU, Fields<E>::kSpread));
        const uint64_t bits = sign << (8 * sizeof(Bits) - 1) | exponent << kFraction | fraction;
        numbers.push_back(std::bit_cast<typename E::Data>(static_cast<Bits>(bits)));
    }
    return numbers;
}

template <class E>
LayerInputs<E> inputs_of(const LayerCase& layer, Kind kind) {
    using OfParameter = std::conditional_t<std::is_same_v<typename E::Parameter, double>, Float64, Float32>;
    LayerInputs<E> in(layer);
    in.x = numbers_of<E>(kind, layer.elements(), 1);
    in.dy = numbers_of<E>(kind == Kind::kSpread ? kind : Kind::kPlain, layer.elements(), 2);
    in.weight = numbers_of<OfParameter>(Kind::kPlain, layer.channels, 3);
    in.bias = numbers_of<OfParameter>(Kind::kPlain, layer.channels, 4);
    in.running_mean = numbers_of<OfParameter>(Kind::kPlain, layer.channels, 5);
    in.running_var = numbers_of<OfParameter>(Kind::kFar, layer.channels, 6);
    return in;
}

/// Forward and backward, with what belongs to them.
template <class E>
std::string digest_of_layer(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in,
                            const LayerOptions& options) {
    const LayerResults<E> out = run_layer(table, layer, in, options);
    Digest<E> forward, backward;
    forward.add(out.y).add(out.invstd).add(out.running_mean).add(out.running_var);
    if (layer.centered()) forward.add(out.mean);
    backward.add(out.dx).add(out.dweight).add(out.dbias);
    return "forward " + forward.text() + ", backward " + backward.text();
}

/// The same with an activation, of a sum with dy where there is a mask.
template <class E>
std::string digest_of_fused(const KernelTable& table, const LayerCase& layer, LayerInputs<E> in, LayerOptions options) {
    std::string text;
    for (const Activation activation : {Activation::kRelu, Activation::kSilu}) {
        options.activation = activation;
        options.mask = activation == Activation::kRelu;
        if (options.mask) in.residual = in.dy;
        const LayerResults<E> out = run_layer(table, layer, in, options);
        Digest<E> digest;
        digest.add(out.y).add(out.dx).add(out.dweight).add(out.dbias).add(out.dresidual);
        text += (options.mask ? ", relu " : ", silu ") + digest.text();
        if (options.mask) text += ", mask " + Digest<E>().add_bytes(out.mask).text();
        in.residual.clear();
    }
    return text.substr(2);
}

/// What only BatchNorm has: inference, and the four parts.
template <class E>
std::string digest_of_inference(const KernelTable& table, const LayerCase& layer, const LayerInputs<E>& in,
                                const LayerOptions& options) {
    const ChannelTensor tensor{layer.batch, layer.channels, layer.spatial, layer.channels_last, options.threads};
    const ChannelNorm<E> norm{table.of(E()), tensor};
    const Affine<typename E::Parameter> affine{in.weight.data(), in.bias.data()};
    std::vector<typename E::Data> y(in.x.size()), dx(in.x.size());
    std::vector<typename E::Parameter> dweight = in.weight, dbias = in.bias;
    norm.forward_inference(in.x.data(), affine, in.eps, in.running_mean.data(), in.running_var.data(), y.data());
    norm.backward_inference(in.dy.data(), in.x.data(), affine.weight, in.eps, in.running_mean.data(),
                            in.running_var.data(), dx.data(), {dweight.data(), dbias.data(), options.accumulate});
    Digest<E> inference, parts;
    inference.add(y).add(dx).add(dweight).add(dbias);

    const auto channels = static_cast<size_t>(layer.channels);
    const auto count = static_cast<double>(layer.set_size());
    std::vector<double> mean(channels), m2(channels), invstd, sum_dy(channels), sum_dy_xmu(channels);
    norm.statistics(in.x.data(), mean.data(), m2.data());
    for (const double squares : m2) invstd.push_back(1 / std::sqrt(squares / count + in.eps));
    norm.apply(in.x.data(), mean.data(), invstd.data(), affine, y.data());
    norm.backward_reduce(in.dy.data(), in.x.data(), mean.data(), nullptr, nullptr, sum_dy.data(), sum_dy_xmu.data());
    norm.backward_apply(in.dy.data(), in.x.data(), mean.data(), invstd.data(), affine.weight, sum_dy.data(),
                        sum_dy_xmu.data(), count, dx.data());
    parts.add(mean).add(m2).add(y).add(sum_dy).add(sum_dy_xmu).add(dx);
    return ", inference " + inference.text() + ", parts " + parts.text();
}

template <class E>
std::string line(const KernelTable& table, const LayerCase& layer, Kind kind, bool threads_differ) {
    const LayerInputs<E> in = inputs_of<E>(layer, kind);
    const auto digest = [&](int32_t threads) {
        const LayerOptions options{.threads = threads, .accumulate = kind == Kind::kFar};
        std::string text = digest_of_layer(table, layer, in, options);
        if (layer.family == Family::kBatch) text += digest_of_inference(table, layer, in, options);
        return text;
    };
    const std::string one = digest(1), three = threads_differ ? digest(3) : one;
    std::ostringstream text;
    text << layer << ", " << Type<E>::kName << ", " << kKindNames[static_cast<int>(kind)] << ": " << one;
    if (three != one) text << "; with 3 threads " << three;
    return text.str();
}

/// On every kind of numbers, on the caller's thread alone, as such sizes always are: around the boundaries of vectors,
/// of blocks (4096 elements, 16 rows) and of the widest piece of a row (1024 channels).
const LayerCase kSmall[] = {
    {Family::kBatch, 3, 5, 49},
    {Family::kBatch, 2, 3, 4099},
    {Family::kBatch, 65, 3, 17},
    {Family::kBatch, 37, 21, 1},
    {Family::kBatch, 33, 17, 3, 1, true},
    {Family::kBatch, 3, 1030, 7, 1, true},
    {Family::kBatch, 2, 70, 67, 1, true},
    {Family::kCaffe, 3, 5, 20},
    {Family::kCaffe, 3, 19, 20, 1, true},
    {Family::kGroup, 3, 12, 35, 4},
    {Family::kGroup, 2, 6, 2051, 2},
    {Family::kGroup, 5, 12, 1, 3},
    {Family::kGroup, 3, 20, 33, 5, true},
    {Family::kGroup, 2, 1040, 7, 4, true},
    {Family::kInstance, 3, 7, 50},
    {Family::kInstance, 3, 19, 65, 1, true},
    {Family::kLayer, 17, 77},
    {Family::kLayer, 3, 4100},
    {Family::kLayer, 130, 33},
    {Family::kRms, 17, 77},
    {Family::kRms, 3, 4100},
    {Family::kRms, 130, 33},
};
/// On plain numbers: large enough for three threads, each way that they share work.
const LayerCase kLarge[] = {
    {Family::kBatch, 4, 50, 501},
    {Family::kBatch, 2, 2, 25001},
    {Family::kBatch, 800, 130, 1},
    {Family::kBatch, 6, 40, 419, 1, true},
    {Family::kCaffe, 2, 2, 25001},
    {Family::kGroup, 1, 6, 16701, 2},
    {Family::kGroup, 40, 60, 45, 4},
    {Family::kGroup, 3, 24, 1401, 4, true},
    {Family::kGroup, 300, 12, 29, 3, true},
    {Family::kGroup, 40, 2505, 1, 3},
    {Family::kInstance, 2, 3, 16701},
    {Family::kInstance, 4, 40, 631, 1, true},
    {Family::kLayer, 1300, 77},
    {Family::kLayer, 3, 33501},
    {Family::kRms, 1300, 77},
    {Family::kRms, 3, 33501},
};

template <class E>
std::string fused_line(const KernelTable& table, const LayerCase& layer, Kind kind, bool threads_differ) {
    const LayerInputs<E> in = inputs_of<E>(layer, kind);
    const std::string one = digest_of_fused(table, layer, in, {.threads = 1});
    const std::string three = threads_differ ? digest_of_fused(table, layer, in, {.threads = 3}) : one;
    std::ostringstream text;
    text << layer << " with activations, " << Type<E>::kName << ", " << kKindNames[static_cast<int>(kind)] << ": "
         << one;
    if (three != one) text << "; with 3 threads " << three;
    return text.str();
}

/// With activations, as those above.
const LayerCase kSmallFused[] = {
    {Family::kBatch, 3, 5, 49},           {Family::kBatch, 2, 3, 4099},
    {Family::kBatch, 33, 17, 3, 1, true}, {Family::kBatch, 3, 1030, 7, 1, true},
    {Family::kGroup, 3, 12, 35, 4},       {Family::kGroup, 5, 12, 1, 3},
    {Family::kGroup, 3, 20, 33, 5, true}, {Family::kInstance, 3, 7, 50},
};
const LayerCase kLargeFused[] = {
    {Family::kBatch, 4, 50, 501},
    {Family::kBatch, 6, 40, 419, 1, true},
    {Family::kGroup, 40, 60, 45, 4},
    {Family::kGroup, 3, 24, 1401, 4, true},
};

template <class E>
void add_fused_lines(const KernelTable& table, std::vector<std::string>& lines) {
    for (const Kind kind : {Kind::kPlain, Kind::kFar, Kind::kTiny})
        for (const LayerCase& layer : kSmallFused) lines.push_back(fused_line<E>(table, layer, kind, false));
    for (const LayerCase& layer : kLargeFused) lines.push_back(fused_line<E>(table, layer, Kind::kPlain, true));
}

template <class E>
void add_lines(const KernelTable& table, std::vector<std::string>& lines) {
    for (const Kind kind : kKinds)
        for (const LayerCase& layer : kSmall) lines.push_back(line<E>(table, layer, kind, false));
    for (const LayerCase& layer : kLarge) lines.push_back(line<E>(table, layer, Kind::kPlain, true));
}

}  // namespace

std::vector<std::string> digests(const KernelTable& table) {
    std::vector<std::string> lines;
    add_lines<Float32>(table, lines);
    add_lines<Float64>(table, lines);
    add_lines<Float16>(table, lines);
    add_lines<BFloat16>(table, lines);
    add_fused_lines<Float32>(table, lines);
    add_fused_lines<Float64>(table, lines);
    add_fused_lines<Float16>(table, lines);
    add_fused_lines<BFloat16>(table, lines);
    return lines;
}

}  // namespace ni::test
