// Kernels of the contiguous layout: a channel is a number of planes, each a run of consecutive elements.
#pragma once

#include "kernels/channel/results.inl"
#include "kernels/channel/runs.inl"
#include "kernels/kernel_types.h"
#include "kernels/screen.inl"

namespace {

/// Whether sums can leave the range of their type although they have a place in a double: those of floats, and which
/// kernels take them in float.
template <class E>
constexpr bool kSumsMayFail = sizeof(Data<E>) < sizeof(double);
template <class E>
constexpr bool kSumsOfRowsMayFail = sizeof(Constant<E>) < sizeof(double);

/// Elements of a block that are few: what float loses of their sums shows in dx, where little is left of them.
constexpr int64_t kFew = 256;

/// Calls body(T()) with the type that sums of elements and squares are taken in.
template <class E, class Body>
NI_INLINE void sum_elements_in(const ni::Planes& planes, Body body) {
    if (kIsSixteenBits<E> && planes.count * planes.length <= kFew) {
        body(Constant<E>());
    } else {
        body(Parameter<E>());
    }
}

/// The same of gradients: body(T()), and sums of products with them are in double unless everything is float. Of
/// bfloat16, products have few enough bits for floats.
template <class E, class Body>
NI_INLINE void sum_gradients_in(const ni::Planes& planes, Body body) {
    if constexpr (kSameType<E, ni::BFloat16>) {
        sum_elements_in<E>(planes, body);
    } else {
        body(Constant<E>());
    }
}

/// f(vector, lanes) for all elements, in memory order; lanes beyond a run are 0.
template <class E, class F>
NI_INLINE void each_vector(const Data<E>* x, const ni::Planes& planes, F f) {
    for (int64_t p = 0; p < planes.count; ++p) {
        const Data<E>* run = x + p * planes.stride;
        for (int64_t i = 0; i < planes.length; i += 16) {
            const int64_t rest = planes.length - i;
            const int lanes = rest >= 16 ? 16 : static_cast<int>(rest);
            f(load_lanes<E>(run + i, lanes), lanes);
        }
    }
}

/// Two passes in double: exact enough for any finite input. For blocks that the fast pass is not fit for.
template <class E>
void planes_moments_exact(const Data<E>* x, const ni::Planes& planes, ni::Moments* out) {
    const double count = static_cast<double>(planes.count * planes.length);
    F64 sum_low = f64_zero(), sum_high = f64_zero();
    each_vector<E>(
        x, planes, [&](Lanes<E> v, int) __attribute__((always_inline)) {
            sum_low = f64_add(sum_low, low(v));
            sum_high = f64_add(sum_high, high(v));
        });
    const double mean = f64_reduce_add(f64_add(sum_low, sum_high)) / count;
    const F64 center = f64_set(mean);
    sum_low = sum_high = f64_zero();
    F64 square_low = f64_zero(), square_high = f64_zero();
    each_vector<E>(
        x, planes, [&](Lanes<E> v, int lanes) __attribute__((always_inline)) {
            const F64 d_low = f64_keep_first(f64_sub(low(v), center), lower(lanes));
            const F64 d_high = f64_keep_first(f64_sub(high(v), center), upper(lanes));
            sum_low = f64_add(sum_low, d_low);
            sum_high = f64_add(sum_high, d_high);
            square_low = f64_add(square_low, f64_mul(d_low, d_low));
            square_high = f64_add(square_high, f64_mul(d_high, d_high));
        });
    const double residue = f64_reduce_add(f64_add(sum_low, sum_high));
    const double squares = f64_reduce_add(f64_add(square_low, square_high));
    // An infinite mean makes both sums NaN: the mean stays infinite, the variance is NaN.
    out->mean = residue - residue == 0.0 ? mean + residue / count : mean;
    out->m2 = ni_screen::never_negative(squares - residue * residue / count);
}

/// sum(d) and sum(d^2) over all elements, d = x - shift, in T.
template <class E, class T>
NI_INLINE void sum_deviations(T, const Data<E>* x, const ni::Planes& planes, Lanes<E> center, double* sum,
                              double* square) {
    Sums<T> sums, squares;
    start(sums);
    start(squares);
    const auto shift = as<T>(center);
    const auto take = [&](int a, auto d) __attribute__((always_inline)) {
        sums.part[a] = add(sums.part[a], d);
        squares.part[a] = madd(d, d, squares.part[a]);
    };
    reduce_planes<E>(
        planes, [&](auto density, int64_t i) __attribute__((always_inline)) { prefetch_group(density, x + i); },
        [&](int a, int64_t i) __attribute__((always_inline)) { take(a, sub(as<T>(Elements<E>::load(x + i)), shift)); },
        [&](int a, int64_t i, int lanes) __attribute__((always_inline)) {
            take(a, keep_first(sub(as<T>(Elements<E>::load_first(x + i, lanes)), shift), lanes));
        },
        [&]() __attribute__((always_inline)) {
            empty(sums);
            empty(squares);
        });
    *sum = total(sums);
    *square = total(squares);
}

/// sum + a * b. A sum in double of floats' products takes these as floats.
NI_INLINE void add_product(F32& sum, F32 a, F32 b) { sum = madd(a, b, sum); }
NI_INLINE void add_product(Wide& sum, Wide a, Wide b) { sum = madd(a, b, sum); }
NI_INLINE void add_product(Wide& sum, F32 a, F32 b) { sum = add(sum, widen(mul(a, b))); }

/// All lanes a value close to `mean`. Of 16-bit numbers it is one of them: then deviations have few bits, and hardly a
/// sum of 16 of them is rounded.
template <class E>
NI_INLINE Lanes<E> shift_near(double mean) {
    const Lanes<E> near = splat(static_cast<Parameter<E>>(mean));
    if constexpr (kIsSixteenBits<E>) {
        return from_bits(E(), to_bits(E(), near));
    } else {
        return near;
    }
}

/// One pass around a value close to the mean: with d = x - shift, sum(d) and sum(d^2) give mean and M2 with hardly any
/// cancellation (Chan, Golub and LeVeque 1983, "shifted data"). The shift is the mean of the first vector.
template <class E>
void planes_moments(const Data<E>* x, const ni::Planes& planes, ni::Moments* out) {
    const int first = planes.length < 16 ? static_cast<int>(planes.length) : 16;
    const Lanes<E> head = load_lanes<E>(x, first);
    const double sum_of_head = f64_reduce_add(f64_add(low(head), high(head)));
    // The same number, and no division to wait for.
    const Lanes<E> shift = shift_near<E>(first == 16 ? sum_of_head * 0.0625 : sum_of_head / first);
    double sum, square;
    sum_elements_in<E>(planes, [&](auto type) { sum_deviations<E>(type, x, planes, shift, &sum, &square); });
    const double count = static_cast<double>(planes.count * planes.length);
    const double m2 = square - sum * sum / count;
    if (!ni_screen::trusted(m2, square, count, Data<E>())) return planes_moments_exact<E>(x, planes, out);
    out->mean = first_lane(shift) + sum / count;
    out->m2 = m2;
}

/// sum(x^2) in T.
template <class E, class T>
NI_INLINE double sum_squares(T, const Data<E>* x, const ni::Planes& planes) {
    Sums<T> squares;
    start(squares);
    const auto take = [&](int a, Lanes<E> element) __attribute__((always_inline)) {
        const auto v = as<T>(element);
        squares.part[a] = madd(v, v, squares.part[a]);
    };
    reduce_planes<E>(
        planes, [&](auto density, int64_t i) __attribute__((always_inline)) { prefetch_group(density, x + i); },
        [&](int a, int64_t i) __attribute__((always_inline)) { take(a, Elements<E>::load(x + i)); },
        [&](int a, int64_t i, int lanes)
            __attribute__((always_inline)) { take(a, Elements<E>::load_first(x + i, lanes)); },
        [&]() __attribute__((always_inline)) { empty(squares); });
    return total(squares);
}

/// sum(x^2), and again in double where squares may have overflowed or vanished as floats.
template <class E>
void planes_squares(const Data<E>* x, const ni::Planes& planes, ni::Moments* out) {
    double square = 0;
    sum_elements_in<E>(planes, [&](auto type) { square = sum_squares<E>(type, x, planes); });
    const double count = static_cast<double>(planes.count * planes.length);
    if (kSumsMayFail<E> && !ni_screen::trusted(square, square, count, Data<E>())) {
        F64 sum = f64_zero();
        each_vector<E>(
            x, planes, [&](Lanes<E> v, int) __attribute__((always_inline)) {
                sum = f64_add(sum, f64_add(f64_mul(low(v), low(v)), f64_mul(high(v), high(v))));
            });
        square = f64_reduce_add(sum);
    }
    *out = {0.0, square};
}

template <class E>
void planes_apply(const Data<E>* x, const ni::Planes& planes, const ni::ApplyConstants<Constant<E>>& constants,
                  ni::Store store_kind, Data<E>* y) {
    const auto prepared = Normalized<E>::prepared(constants);
    const Normalized<E> normalized(prepared);
    write_planes<E>(
        planes, store_kind, y, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            return normalized(load_lanes<E>(x + i, lanes));
        });
}

NI_INLINE bool is_finite(double v) { return v - v == 0.0; }

/// Replaces gradient sums that are not finite by those in double, element by element: products and sums may have left
/// the range of a float. Those of an infinity or a NaN come out as they are. gradient(i) is that of element i.
template <class E, class Gradient>
NI_INLINE void mend_gradient_sums(const Data<E>* x, const ni::Planes& planes, Constant<E> center, Gradient gradient,
                                  ni::GradientSums& sums) {
    if constexpr (!kSumsMayFail<E>) return;
    if (is_finite(sums.dy) && is_finite(sums.dy_xmu)) return;
    double sum = 0, products = 0;
    for (int64_t p = 0; p < planes.count; ++p) {
        for (int64_t i = p * planes.stride; i < p * planes.stride + planes.length; ++i) {
            const double g = gradient(i);
            sum += g;
            products += g * (value_at<E>(x + i) - static_cast<double>(center));
        }
    }
    if (!is_finite(sums.dy)) sums.dy = sum;
    if (!is_finite(sums.dy_xmu)) sums.dy_xmu = products;
}

/// The two gradient sums, in T and the Constant. vector(offset, lanes) is the gradient of some elements, in lanes
/// beyond them 0.
template <class E, class T, class Ahead, class Vector>
NI_INLINE void sum_gradients(T, const Data<E>* x, const ni::Planes& planes, Lanes<E> center, Ahead ahead, Vector vector,
                             ni::GradientSums* out) {
    Sums<T> sums;
    Sums<Constant<E>> products;
    start(sums);
    start(products);
    const auto mean = as<T>(center);
    const auto take = [&](int a, auto g, auto d) __attribute__((always_inline)) {
        sums.part[a] = add(sums.part[a], g);
        add_product(products.part[a], g, d);
    };
    reduce_planes<E>(
        planes,
        [&](auto density, int64_t i) __attribute__((always_inline)) {
            ahead(density, i);
            prefetch_group(density, x + i);
        },
        [&](int a, int64_t i)
            __attribute__((always_inline)) { take(a, vector(i, 16), sub(as<T>(Elements<E>::load(x + i)), mean)); },
        [&](int a, int64_t i, int lanes) __attribute__((always_inline)) {
            take(a, vector(i, lanes), keep_first(sub(as<T>(Elements<E>::load_first(x + i, lanes)), mean), lanes));
        },
        [&]() __attribute__((always_inline)) {
            empty(sums);
            empty(products);
        });
    *out = {total(sums), total(products)};
}

/// The gradient sums around any center: sum(T(), center close to it) takes them into `out`.
template <class E, class Sum>
NI_INLINE void sum_around(double center, const ni::Planes& planes, Sum sum, ni::GradientSums* out) {
    const Lanes<E> near = shift_near<E>(center);
    sum_gradients_in<E>(
        planes, [&](auto type) __attribute__((always_inline)) { sum(type, near); });
    // A sum of dy that has left the range of a float takes the other one with it: both are to be mended.
    if constexpr (kIsSixteenBits<E>) out->dy_xmu -= (center - first_lane(near)) * out->dy;
}

template <class E>
void planes_backward_reduce(const Data<E>* dy, const Data<E>* x, const ni::Planes& planes, Constant<E> center,
                            ni::GradientSums* out) {
    sum_around<E>(
        static_cast<double>(center), planes,
        [&](auto type, Lanes<E> near) __attribute__((always_inline)) {
            sum_gradients<E>(
                type, x, planes,
                near, [&](auto density, int64_t i) __attribute__((always_inline)) { prefetch_group(density, dy + i); },
                [&](int64_t i, int lanes)
                    __attribute__((always_inline)) { return as<decltype(type)>(load_lanes<E>(dy + i, lanes)); },
                out);
        },
        out);
    mend_gradient_sums<E>(
        x, planes, center, [&](int64_t i) { return value_at<E>(dy + i); }, *out);
}

template <class E>
void planes_backward_apply(const Data<E>* dy, const Data<E>* x, const ni::Planes& planes,
                           const ni::BackwardConstants<Constant<E>>& constants, ni::Store store_kind, Data<E>* dx) {
    const InputGradient<E> gradient(constants);
    write_planes<E>(
        planes, store_kind, dx, [&](int64_t i, int lanes) __attribute__((always_inline)) {
            const Lanes<E> input = load_lanes<E>(x + i, lanes);
            return gradient(Plain(), load_lanes<E>(dy + i, lanes), input, input);
        });
}

}  // namespace
