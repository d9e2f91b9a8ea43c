// Sums over rows whose constants differ from row to row: the gradients of LayerNorm's and RMSNorm's parameters.
#pragma once

#include "kernels/channel/rows.inl"

namespace {

template <class V>
NI_INLINE bool all_finite(const V& v) {
    const F64 a = low(v), b = high(v);
    return (f64_equal(f64_sub(a, a), f64_zero()) & f64_equal(f64_sub(b, b), f64_zero())) == 255U;
}

/// Adds the sums of a block of 16 columns. Those that are not finite are taken again in double, element by element: in
/// float they may have left its range. Those of an infinity or a NaN come out as they are, and others are not touched.
template <class E>
void add_columns_mended(const Data<E>* dy, const Data<E>* x, const ni::Rows& rows, int64_t begin, int64_t end,
                        const ni::ApplyArrays<Constant<E>>& by_row, int lanes, Lanes<E> sums, Lanes<E> products,
                        double* sum_dy, double* sum_dy_xhat) {
    Parameter<E> sum[16], product[16];
    store(sum, sums);
    store(product, products);
    for (int c = 0; c < lanes; ++c) {
        auto of_dy = static_cast<double>(sum[c]), of_product = static_cast<double>(product[c]);
        if (!is_finite(of_dy) || !is_finite(of_product)) {
            double exact_dy = 0, exact_product = 0;
            for (int64_t r = begin; r < end; ++r) {
                const int64_t at = r * rows.stride + c;
                const double g = value_at<E>(dy + at);
                const double d = value_at<E>(x + at) - static_cast<double>(by_row.center[r]);
                exact_dy += g;
                exact_product += g * (d * static_cast<double>(by_row.scale[r]) + static_cast<double>(by_row.offset[r]));
            }
            if (!is_finite(of_dy)) of_dy = exact_dy;
            if (!is_finite(of_product)) of_product = exact_product;
        }
        sum_dy[c] += of_dy;
        sum_dy_xhat[c] += of_product;
    }
}

/// The constants of a row in all lanes; where floats must do for doubles, what is left of the mean goes to the offset.
template <class C>
NI_INLINE void split_constants(C center, C scale, C offset, decltype(splat(C()))& centers, decltype(splat(C()))& scales,
                               decltype(splat(C()))& offsets) {
    centers = splat(center);
    scales = splat(scale);
    offsets = splat(offset);
}
NI_INLINE void split_constants(double center, double scale, double offset, F32& centers, F32& scales, F32& offsets) {
    const auto near = static_cast<float>(center);
    split_constants(near, static_cast<float>(scale),
                    static_cast<float>(offset - (center - static_cast<double>(near)) * scale), centers, scales,
                    offsets);
}

/// Adds the sums of one strip of columns over the rows of a block, [begin, end).
template <class E, class Strip>
NI_INLINE void sum_columns(Strip, const Data<E>* dy, const Data<E>* x, const ni::Rows& rows, int64_t begin, int64_t end,
                           const ni::ApplyArrays<Constant<E>>& by_row, int lanes, double* sum_dy, double* sum_dy_xhat) {
    constexpr int kVectors = Strip::kVectors;
    Lanes<E> sums[kStrip], products[kStrip];
    for (int v = 0; v < kVectors; ++v) {
        set_zero(sums[v]);
        set_zero(products[v]);
    }
    for (int64_t r = begin; r < end; ++r) {
        Lanes<E> center, scale, offset;
        split_constants(by_row.center[r], by_row.scale[r], by_row.offset[r], center, scale, offset);
        const int64_t at = r * rows.stride;
        for (int v = 0; v < kVectors; ++v) {
            const Lanes<E> g = elements_of_strip<E, kVectors>(dy + at, v, lanes);
            const Lanes<E> d = sub(elements_of_strip<E, kVectors>(x + at, v, lanes), center);
            sums[v] = add(sums[v], g);
            products[v] = madd(g, madd(d, scale, offset), products[v]);
        }
    }
    for (int v = 0; v < kVectors; ++v) {
        if (!kSumsMayFail<E> || (all_finite(sums[v]) && all_finite(products[v]))) {
            add_to(sum_dy + 16 * v, sums[v]);
            add_to(sum_dy_xhat + 16 * v, products[v]);
        } else {
            add_columns_mended<E>(dy + 16 * v, x + 16 * v, rows, begin, end, by_row, lanes, sums[v], products[v],
                                  sum_dy + 16 * v, sum_dy_xhat + 16 * v);
        }
    }
}

template <class E>
void columns_backward_reduce(const Data<E>* dy, const Data<E>* x, const ni::Rows& rows,
                             const ni::ApplyArrays<Constant<E>>& by_row, double* sum_dy, double* sum_dy_xhat) {
    for (int64_t begin = 0; begin < rows.count; begin += ni::kRowBlock) {
        const int64_t end = begin + ni::kRowBlock < rows.count ? begin + ni::kRowBlock : rows.count;
        for_each_strip(
            rows.channels, [&](auto strip, int64_t c, int lanes) __attribute__((always_inline)) {
                sum_columns<E>(strip, dy + c, x + c, rows, begin, end, by_row, lanes, sum_dy + c, sum_dy_xhat + c);
            });
    }
}

}  // namespace
