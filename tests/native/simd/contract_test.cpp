// The arithmetic of the vector contract but fma, on every instruction set, against plain arithmetic.
#include <functional>

#include "simd/contract_cases.h"

namespace ni::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Simd, Contract, testing::ValuesIn(supported_ops()), isa_name);

/// Pairs of special values with each other, then of arbitrary bit patterns, in blocks of one vector.
template <class T>
void for_each_pair_of_vectors(size_t lanes, T (*any)(uint64_t), const std::function<void(const T*, const T*)>& check) {
    std::vector<T> a, b;
    for (const T x : special_values<T>()) {
        for (const T y : special_values<T>()) {
            a.push_back(x);
            b.push_back(y);
        }
    }
    for (uint64_t i = 0; i < 100000 || a.size() % lanes != 0; ++i) {
        a.push_back(any(2 * i));
        b.push_back(any(2 * i + 1));
    }
    for (size_t i = 0; i < a.size() && !testing::Test::HasFailure(); i += lanes) check(a.data() + i, b.data() + i);
}

TEST_P(Contract, ZeroAndSetFillEveryLane) {
    std::vector<float> f(kF32Lanes, 7.0F);
    ops().f32_zero(f.data());
    EXPECT_TRUE(same_bits(f, std::vector<float>(kF32Lanes, 0.0F)));
    ops().f32_set(-0.0F, f.data());
    EXPECT_TRUE(same_bits(f, std::vector<float>(kF32Lanes, -0.0F)));
    std::vector<double> d(kF64Lanes, 7.0);
    ops().f64_zero(d.data());
    EXPECT_TRUE(same_bits(d, std::vector<double>(kF64Lanes, 0.0)));
    ops().f64_set(0.1, d.data());
    EXPECT_TRUE(same_bits(d, std::vector<double>(kF64Lanes, 0.1)));
}

TEST_P(Contract, FloatArithmeticIsIeeeLaneByLane) {
    for_each_pair_of_vectors<float>(kF32Lanes, &any_float, [&](const float* a, const float* b) {
        float sum[kF32Lanes], difference[kF32Lanes], product[kF32Lanes], quotient[kF32Lanes];
        ops().f32_add(a, b, sum);
        ops().f32_sub(a, b, difference);
        ops().f32_mul(a, b, product);
        ops().f32_div(a, b, quotient);
        for (int i = 0; i < kF32Lanes; ++i) {
            EXPECT_TRUE(same_bits(sum[i], a[i] + b[i])) << a[i] << " + " << b[i] << " gave " << sum[i];
            EXPECT_TRUE(same_bits(difference[i], a[i] - b[i])) << a[i] << " - " << b[i] << " gave " << difference[i];
            EXPECT_TRUE(same_bits(product[i], a[i] * b[i])) << a[i] << " * " << b[i] << " gave " << product[i];
            EXPECT_TRUE(same_bits(quotient[i], a[i] / b[i])) << a[i] << " / " << b[i] << " gave " << quotient[i];
        }
    });
}

TEST_P(Contract, LowAndHighWidenExactly) {
    for_each_pair_of_vectors<float>(kF32Lanes, &any_float, [&](const float* v, const float*) {
        double low[kF64Lanes], high[kF64Lanes];
        ops().f32_low(v, low);
        ops().f32_high(v, high);
        for (int i = 0; i < kF64Lanes; ++i) {
            EXPECT_TRUE(same_bits(low[i], static_cast<double>(v[i]))) << v[i];
            EXPECT_TRUE(same_bits(high[i], static_cast<double>(v[i + kF64Lanes]))) << v[i + kF64Lanes];
        }
    });
}

TEST_P(Contract, DoubleArithmeticIsIeeeLaneByLane) {
    for_each_pair_of_vectors<double>(kF64Lanes, &any_double, [&](const double* a, const double* b) {
        double sum[kF64Lanes], difference[kF64Lanes], product[kF64Lanes], quotient[kF64Lanes];
        ops().f64_add(a, b, sum);
        ops().f64_sub(a, b, difference);
        ops().f64_mul(a, b, product);
        ops().f64_div(a, b, quotient);
        for (int i = 0; i < kF64Lanes; ++i) {
            EXPECT_TRUE(same_bits(sum[i], a[i] + b[i])) << a[i] << " + " << b[i] << " gave " << sum[i];
            EXPECT_TRUE(same_bits(difference[i], a[i] - b[i])) << a[i] << " - " << b[i] << " gave " << difference[i];
            EXPECT_TRUE(same_bits(product[i], a[i] * b[i])) << a[i] << " * " << b[i] << " gave " << product[i];
            EXPECT_TRUE(same_bits(quotient[i], a[i] / b[i])) << a[i] << " / " << b[i] << " gave " << quotient[i];
        }
    });
}

TEST_P(Contract, ReduceAddIsTheDocumentedTree) {
    for (uint64_t seed = 0; seed < 20000; ++seed) {
        double v[kF64Lanes];
        // Magnitudes far apart: every other order of addition rounds differently for most of these.
        for (uint64_t i = 0; i < kF64Lanes; ++i) {
            const uint64_t bits = mixed(kF64Lanes * seed + i);
            v[i] = std::ldexp(static_cast<double>(static_cast<int64_t>(bits)), static_cast<int>(bits % 61));
        }
        double four[4], two[2];
        for (int i = 0; i < 4; ++i) four[i] = v[i] + v[i + 4];
        for (int i = 0; i < 2; ++i) two[i] = four[i] + four[i + 2];
        ASSERT_TRUE(same_bits(ops().f64_reduce_add(v), two[0] + two[1])) << "seed " << seed;
    }
}

TEST_P(Contract, ComparisonsSetOneBitALaneAndAreFalseForNan) {
    for_each_pair_of_vectors<double>(kF64Lanes, &any_double, [&](const double* a, const double* b) {
        uint32_t at_least = 0, equal = 0;
        for (int i = 0; i < kF64Lanes; ++i) {
            at_least |= (a[i] >= b[i] ? 1U : 0U) << i;
            equal |= (a[i] == b[i] ? 1U : 0U) << i;
        }
        EXPECT_EQ(ops().f64_at_least(a, b), at_least);
        EXPECT_EQ(ops().f64_equal(a, b), equal);
        EXPECT_EQ(ops().f64_equal(a, a) & equal, equal);
    });
}

TEST_P(Contract, SelectTakesTheLanesWhoseBitIsSet) {
    const double a[kF64Lanes] = {1, -0.0, 3, NAN, 5, INFINITY, 7, 8};
    const double b[kF64Lanes] = {-1, 0.0, NAN, -4, 5e-324, -6, -INFINITY, -8};
    for (uint32_t bits = 0; bits < 256; ++bits) {
        double out[kF64Lanes];
        ops().f64_select(bits, a, b, out);
        for (int i = 0; i < kF64Lanes; ++i) {
            EXPECT_TRUE(same_bits(out[i], (bits >> i & 1U) != 0 ? a[i] : b[i])) << "bits " << bits << ", lane " << i;
        }
    }
}

TEST_P(Contract, ComparisonsOfFloatsDoLikewise) {
    for_each_pair_of_vectors<float>(kF32Lanes, &any_float, [&](const float* a, const float* b) {
        uint32_t at_least = 0;
        for (int i = 0; i < kF32Lanes; ++i) at_least |= (a[i] >= b[i] ? 1U : 0U) << i;
        EXPECT_EQ(ops().f32_at_least(a, b), at_least);
    });
}

TEST_P(Contract, WithinIsFromTheBoundToTheLastFiniteNumber) {
    for_each_pair_of_vectors<float>(kF32Lanes, &any_float, [&](const float* v, const float* least) {
        float sizes[kF32Lanes];
        uint32_t within = 0, of_sizes = 0;
        ops().f32_abs(v, sizes);
        for (int i = 0; i < kF32Lanes; ++i) {
            EXPECT_TRUE(same_bits(sizes[i], std::fabs(v[i]))) << v[i];
            within |= (sizes[i] >= least[i] && std::isfinite(v[i]) ? 1U : 0U) << i;
            of_sizes |= (std::isfinite(v[i]) ? 1U : 0U) << i;
        }
        EXPECT_EQ(ops().f32_within(v, least), within);
        EXPECT_EQ(ops().f32_within(v, sizes), of_sizes);
    });
}

TEST_P(Contract, SelectOfFloatsTakesTheLanesWhoseBitIsSet) {
    const float a[kF32Lanes] = {1, -0.0F, 3, NAN, 5, INFINITY, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const float b[kF32Lanes] = {-1, 0.0F, NAN, -4, 1e-45F, -6, -INFINITY, -8, -9, -10, -11, -12, -13, -14, -15, -16};
    for (uint32_t bits = 0; bits < 65536; bits += bits < 300 ? 1 : 97) {
        float out[kF32Lanes];
        ops().f32_select(bits, a, b, out);
        for (int i = 0; i < kF32Lanes; ++i) {
            ASSERT_TRUE(same_bits(out[i], (bits >> i & 1U) != 0 ? a[i] : b[i])) << "bits " << bits << ", lane " << i;
        }
    }
}

TEST_P(Contract, IfAtLeastChoosesLaneByLane) {
    for_each_pair_of_vectors<float>(kF32Lanes, &any_float, [&](const float* a, const float* b) {
        float out[kF32Lanes], of_others[kF32Lanes];
        ops().f32_if_at_least(a, b, a, b, out);
        ops().f32_if_at_least(b, a, a, b, of_others);
        for (int i = 0; i < kF32Lanes; ++i) {
            EXPECT_TRUE(same_bits(out[i], a[i] >= b[i] ? a[i] : b[i])) << a[i] << ", " << b[i];
            EXPECT_TRUE(same_bits(of_others[i], b[i] >= a[i] ? a[i] : b[i])) << a[i] << ", " << b[i];
        }
    });
    for_each_pair_of_vectors<double>(kF64Lanes, &any_double, [&](const double* a, const double* b) {
        double out[kF64Lanes], of_others[kF64Lanes];
        ops().f64_if_at_least(a, b, a, b, out);
        ops().f64_if_at_least(b, a, a, b, of_others);
        for (int i = 0; i < kF64Lanes; ++i) {
            EXPECT_TRUE(same_bits(out[i], a[i] >= b[i] ? a[i] : b[i])) << a[i] << ", " << b[i];
            EXPECT_TRUE(same_bits(of_others[i], b[i] >= a[i] ? a[i] : b[i])) << a[i] << ", " << b[i];
        }
    });
}

TEST_P(Contract, PowersOfTwoAreExact) {
    for (int first = -126; first + kF32Lanes - 1 <= 127; ++first) {
        float n[kF32Lanes], out[kF32Lanes];
        for (int i = 0; i < kF32Lanes; ++i) n[i] = static_cast<float>(first + i);
        ops().f32_power_of_two(n, out);
        for (int i = 0; i < kF32Lanes; ++i) EXPECT_TRUE(same_bits(out[i], std::ldexp(1.0F, first + i))) << n[i];
    }
    for (int first = -1022; first + kF64Lanes - 1 <= 1023; ++first) {
        double n[kF64Lanes], out[kF64Lanes];
        for (int i = 0; i < kF64Lanes; ++i) n[i] = static_cast<double>(first + i);
        ops().f64_power_of_two(n, out);
        for (int i = 0; i < kF64Lanes; ++i) EXPECT_TRUE(same_bits(out[i], std::ldexp(1.0, first + i))) << n[i];
    }
}

}  // namespace
}  // namespace ni::test
