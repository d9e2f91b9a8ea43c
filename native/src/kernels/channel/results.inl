// What the kernels write: y and dx of 16 elements.
//
// Float and double compute them as the formulas say. Elements of 16 bits are computed in float, which has bits to spare
// as long as the terms of a sum do not cancel. Where they do, and where a float overflows, the lane is computed again
// in double: only so is every result the exact one, rounded, or its neighbour. With u = 2^-24, a float result y of
// terms of which the smaller ones add up to B is off by less than u (2 |y| + 7 B), and half a unit in the last place of
// the result is at least h |y|, with h = 2^-12 for binary16 and 2^-9 for bfloat16: |y| >= B * 7 u / h is enough,
// rounded up to a power of two.
#pragma once

#include "kernels/kernel_types.h"
#include "simd/elements.h"

#define NI_METHOD inline __attribute__((always_inline))

namespace {

/// |y| that is exact enough as a float, for B = 1.
template <class E>
constexpr double kLeastResult = 0;
template <>
constexpr double kLeastResult<ni::Float16> = 0x1p-9;
template <>
constexpr double kLeastResult<ni::BFloat16> = 0x1p-12;

/// Whether a float has room for a term, and for a factor together with what is multiplied by it.
NI_INLINE bool fits(double term) { return term >= -0x1p100 && term <= 0x1p100; }
NI_INLINE bool fits_factor(double factor) {
    return factor == 0 || (fits(factor) && (factor >= 0x1p-100 || factor <= -0x1p-100));
}

/// A bound for results, or NaN, which no result satisfies.
template <class E>
NI_INLINE float least_of(bool fits, double terms) {
    return fits ? static_cast<float>(__builtin_fabs(terms) * kLeastResult<E>) : __builtin_nanf("");
}

/// The lanes of y whose bit is set, others from what double gives; a NaN without what it may have in its lower half.
NI_INLINE F32 mended(uint32_t good, F32 y, Wide exact) {
    const F32 v = f32_select(good, y, narrow(exact));
    return f32_select(f32_at_least(f32_abs(v), f32_zero()), v, f32_set(__builtin_nanf("")));
}

constexpr uint32_t kAllLanes = 0xFFFF;

/// What follows a normalization: times a weight, plus a bias, each by element.
template <bool kWeight, bool kBias>
struct Then {
    template <class V>
    NI_INLINE V of(V normalized, V weight, V bias) {
        if (kWeight && kBias) return madd(normalized, weight, bias);
        if (kWeight) return mul(normalized, weight);
        return kBias ? add(normalized, bias) : normalized;
    }
    /// The bound for results, of that for the normalized x.
    template <class E>
    NI_INLINE F32 least(F32 normalized, F32 weight, F32 bias) {
        const F32 of_bias = f32_mul(f32_abs(bias), f32_set(static_cast<float>(kLeastResult<E>)));
        return of(normalized, f32_abs(weight), of_bias);
    }
};

/// y = (x - center) * scale + offset, and what follows.
template <class E, bool = kIsSixteenBits<E>>
class Normalized {
public:
    using Constants = ni::ApplyConstants<Constant<E>>;
    NI_INLINE Constants prepared(const Constants& k) { return k; }

    explicit NI_METHOD Normalized(const Constants& k)
        : center_(splat(k.center)), scale_(splat(k.scale)), offset_(splat(k.offset)) {}

    NI_METHOD Vec<E> operator()(Vec<E> x) const { return madd(sub(x, center_), scale_, offset_); }
    template <class Following>
    NI_METHOD Vec<E> operator()(Following then, Vec<E> x, Vec<E> weight, Vec<E> bias) const {
        return then.of((*this)(x), weight, bias);
    }

private:
    Vec<E> center_, scale_, offset_;
};

/// The lanes of y whose bit is not set, again in double.
template <class Following>
__attribute__((noinline, cold)) F32 normalized_again(const ni::ApplyConstants<double>& k, uint32_t good, F32 y, F32 x,
                                                     F32 weight, F32 bias) {
    const Wide normalized = madd(sub(widen(x), splat(k.center)), splat(k.scale), splat(k.offset));
    return mended(good, y, Following::of(normalized, widen(weight), widen(bias)));
}

template <class E>
class Normalized<E, true> {
public:
    struct Constants {
        ni::ApplyConstants<double> exact;
        float center, scale, offset, least;
    };
    NI_INLINE Constants prepared(const ni::ApplyConstants<double>& k) {
        const auto center = static_cast<float>(k.center);
        const double offset = k.offset - (k.center - static_cast<double>(center)) * k.scale;
        return {k, center, static_cast<float>(k.scale), static_cast<float>(offset),
                least_of<E>(fits(k.center) && fits(offset) && fits_factor(k.scale), offset)};
    }

    explicit NI_METHOD Normalized(const Constants& k)
        : exact_(k.exact),
          center_(f32_set(k.center)),
          scale_(f32_set(k.scale)),
          offset_(f32_set(k.offset)),
          least_(f32_set(k.least)) {}

    NI_METHOD F32 operator()(F32 x) const {
        const F32 y = madd(sub(x, center_), scale_, offset_);
        // An infinite y is right: of constants that fit, x - center is finite, and the rest is rounded once.
        const uint32_t good = f32_at_least(f32_abs(y), least_);
        if (__builtin_expect(good == kAllLanes, 1)) return y;
        return normalized_again<Then<false, false>>(exact_, good, y, x, x, x);
    }
    template <class Following>
    NI_METHOD F32 operator()(Following then, F32 x, F32 weight, F32 bias) const {
        const F32 y = then.of(madd(sub(x, center_), scale_, offset_), weight, bias);
        const uint32_t good = f32_within(y, Following::template least<E>(least_, weight, bias));
        if (__builtin_expect(good == kAllLanes, 1)) return y;
        return normalized_again<Following>(exact_, good, y, x, weight, bias);
    }

private:
    const ni::ApplyConstants<double>& exact_;
    F32 center_, scale_, offset_, least_;
};

/// The gradient as it is, or times a weight by element. The scale comes first: the gradient times the weight may leave
/// the range of a float where its product with the scale does not.
struct Plain {
    template <class V>
    NI_INLINE V dx(V dy, V, V scale, V rest) {
        return madd(dy, scale, rest);
    }
};
struct Weighted {
    template <class V>
    NI_INLINE V dx(V dy, V weight, V scale, V rest) {
        return madd(mul(dy, scale), weight, rest);
    }
};

/// dx = dy * scale + ((x - center) * invstd * slope + offset), or dy * scale * weight.
template <class E, bool = kIsSixteenBits<E>>
class InputGradient {
public:
    explicit NI_METHOD InputGradient(const ni::BackwardConstants<Constant<E>>& k)
        : center_(splat(k.center)),
          invstd_(splat(k.invstd)),
          scale_(splat(k.scale)),
          slope_(splat(k.slope)),
          offset_(splat(k.offset)) {}

    template <class Gradient>
    NI_METHOD Vec<E> operator()(Gradient gradient, Vec<E> dy, Vec<E> x, Vec<E> weight) const {
        return gradient.dx(dy, weight, scale_, madd(mul(sub(x, center_), invstd_), slope_, offset_));
    }

private:
    Vec<E> center_, invstd_, scale_, slope_, offset_;
};

/// The lanes of dx whose bit is not set, again in double.
template <class Gradient>
__attribute__((noinline, cold)) F32 gradient_again(const ni::BackwardConstants<double>& k, uint32_t good, F32 dx,
                                                   F32 dy, F32 x, F32 weight) {
    const Wide normalized = mul(sub(widen(x), splat(k.center)), splat(k.invstd));
    const Wide rest = madd(normalized, splat(k.slope), splat(k.offset));
    return mended(good, dx, Gradient::dx(widen(dy), widen(weight), splat(k.scale), rest));
}

template <class E>
class InputGradient<E, true> {
public:
    explicit NI_METHOD InputGradient(const ni::BackwardConstants<double>& k) : exact_(k) {
        const auto center = static_cast<float>(k.center);
        const double offset = k.offset - (k.center - static_cast<double>(center)) * k.invstd * k.slope;
        const bool fit =
            fits(k.center) && fits(offset) && fits_factor(k.invstd) && fits_factor(k.scale) && fits_factor(k.slope);
        center_ = f32_set(center);
        invstd_ = f32_set(static_cast<float>(k.invstd));
        scale_ = f32_set(static_cast<float>(k.scale));
        slope_ = f32_set(static_cast<float>(k.slope));
        offset_ = f32_set(static_cast<float>(offset));
        least_of_slope_ = f32_set(least_of<E>(fit, k.slope));
        least_of_offset_ = f32_set(least_of<E>(fit, offset));
    }

    template <class Gradient>
    NI_METHOD F32 operator()(Gradient gradient, F32 dy, F32 x, F32 weight) const {
        const F32 normalized = mul(sub(x, center_), invstd_);
        const F32 dx = gradient.dx(dy, weight, scale_, madd(normalized, slope_, offset_));
        const uint32_t good = f32_within(dx, madd(f32_abs(normalized), least_of_slope_, least_of_offset_));
        if (__builtin_expect(good == kAllLanes, 1)) return dx;
        return gradient_again<Gradient>(exact_, good, dx, dy, x, weight);
    }

private:
    const ni::BackwardConstants<double>& exact_;
    F32 center_, invstd_, scale_, slope_, offset_, least_of_slope_, least_of_offset_;
};

}  // namespace
