// SiLU, z * sigmoid(z), and its derivative, in operations of the vector contract alone, so that the bits are the same
// on every instruction set.
//
// Both are made of exp(-z) = p * 2^n, with p near 1. Where z is negative and that is large, both are taken as multiples
// of 2^-n, which comes in at the very end: nothing overflows, and what is denormal is rounded once.
//
// Errors, found by trying every seventh float and millions of doubles of all sizes: SiLU is off by less than 2 units in
// the last place, its derivative by less than 5 units in the last place of sigmoid(z) + |z * sigmoid(z) * sigmoid(-z)|,
// terms that cancel near z = -1.28.
#pragma once

#include "kernels/kernel_types.h"
#include "simd/elements.h"

namespace {
namespace ni_silu {

/// What exp takes, type by type. Below `least`, z * exp(z) is nearer to 0 than to any other number. ln(2) comes in two
/// parts, of which the first has so few digits that its product with n is exact. 1 / k! for k from kTerms down to 2 are
/// the coefficients of the series, whose rest is below a quarter of a unit in the last place.
template <class T>
struct Exp;
template <>
struct Exp<float> {
    static constexpr float kLeast = -110.0F, kLog2E = 0x1.715476p0F, kLn2 = 0x1.62e4p-1F, kLn2Rest = 0x1.7f7d1cp-20F;
    static constexpr float kRounder = ni::kF32Integer;
    static constexpr int kTerms = 7;
};
template <>
struct Exp<double> {
    static constexpr double kLeast = -760.0, kLog2E = 0x1.71547652b82fep0, kLn2 = 0x1.62e42fefap-1;
    static constexpr double kLn2Rest = 0x1.cf79abc9e3b3ap-40, kRounder = ni::kF64Integer;
    static constexpr int kTerms = 13;
};

/// The inverses of factorials, rounded to T; they are far from the borders of its range.
template <class T>
struct Series {
    constexpr Series() {
        double factorial = 1;
        for (int k = 1; k <= Exp<T>::kTerms; ++k) {
            factorial *= k;
            inverse[k] = static_cast<T>(1 / factorial);
        }
    }
    T inverse[Exp<T>::kTerms + 1] = {};
};
template <class T>
constexpr Series<T> kSeries;

/// What both functions take of z. exp(-z) is p * 2^n, so that sigmoid(z) = 1 / (1 + exp(-z)) is 1 / d for z >= 0, and
/// 2^-n / d below. A z that gives 0 either way stands for all beyond it, but minus infinity comes out as NaN, as it
/// does of the formula.
template <class V>
struct Parts {
    V z, p, d;
    V first, second, small;  ///< powers of two, so small that they may be denormal only as a product: small, 2^-|n|
};

template <class T, class V>
NI_INLINE Parts<V> parts_of(V z) {
    using K = Exp<T>;
    const V zero = splat(T(0)), one = splat(T(1)), least = splat(K::kLeast), rounder = splat(K::kRounder);
    const V bounded = if_at_least(z, least, z, madd(z, zero, least));
    const V x = if_at_least(bounded, splat(-K::kLeast), least, sub(zero, bounded));
    // The sum has no place for a fraction, and so rounds it.
    const V n = sub(madd(x, splat(K::kLog2E), rounder), rounder);
    const V r = madd(n, splat(-K::kLn2Rest), madd(n, splat(-K::kLn2), x));
    V sum = splat(kSeries<T>.inverse[K::kTerms]);
    for (int k = K::kTerms - 1; k >= 1; --k) sum = madd(sum, r, splat(kSeries<T>.inverse[k]));
    const V p = madd(sum, r, one), exponent = if_at_least(z, zero, n, sub(zero, n));
    const V half = sub(madd(exponent, splat(T(0.5)), rounder), rounder);
    const V first = power_of_two(half), second = power_of_two(sub(exponent, half)), small = mul(first, second);
    // 1 + p * small, or p + small, with p in two parts: of 1 + small it is known what it lacks.
    const V whole = add(one, small), lacks = sub(small, sub(whole, one));
    const V d = add(whole, madd(sum, if_at_least(z, zero, mul(r, small), r), lacks));
    return {bounded, p, d, first, second, small};
}

/// `value`, which lacks a factor of 2^-n where z is negative.
template <class T, class V>
NI_INLINE V scaled(V z, V value, const Parts<V>& t) {
    return if_at_least(z, splat(T(0)), value, mul(mul(value, t.first), t.second));
}

// Calls: there are many loops with an activation in them, and this is some fifty operations.

template <class T, class V>
__attribute__((noinline)) V silu(V z) {
    const Parts<V> t = parts_of<T>(z);
    return scaled<T>(z, div(t.z, t.d), t);
}

/// sigmoid(z) * (1 + z * sigmoid(-z)).
template <class T, class V>
__attribute__((noinline)) V silu_derivative(V z) {
    const Parts<V> t = parts_of<T>(z);
    const V one = splat(T(1)), inverse = div(one, t.d), other = mul(t.p, inverse);
    const V of_negative = if_at_least(z, splat(T(0)), mul(other, t.small), other);
    return scaled<T>(z, mul(inverse, madd(t.z, of_negative, one)), t);
}

}  // namespace ni_silu
}  // namespace
