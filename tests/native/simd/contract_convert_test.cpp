// Conversions of the vector contract: between double, float, half and bfloat16. The numbers of 16 bits are few enough
// to try them all; floats are tried around every border of the smaller formats.
#include <functional>

#include "simd/contract_cases.h"
#include "support/numbers.h"

namespace ni::test {
namespace {

class ContractConvert : public Contract {
protected:
    using FromBits = void (*)(const uint16_t*, float*);
    using ToBits = void (*)(const float*, uint16_t*);

    /// All 65536 numbers to float, exactly, and back to the same bits.
    static void expect_all_numbers(const Format& format, FromBits from, ToBits to) {
        for (int first = 0; first < 65536; first += kF32Lanes) {
            uint16_t bits[kF32Lanes], back[kF32Lanes];
            float wide[kF32Lanes];
            for (int i = 0; i < kF32Lanes; ++i) bits[i] = static_cast<uint16_t>(first + i);
            from(bits, wide);
            to(wide, back);
            for (int i = 0; i < kF32Lanes; ++i) {
                const auto expected = static_cast<float>(value_of(format, bits[i]));
                ASSERT_TRUE(same_bits(wide[i], expected)) << "bits " << bits[i] << " gave " << wide[i];
                if (std::isnan(expected)) {
                    ASSERT_GT(back[i] & 0x7FFF, format.infinity) << "a NaN became a number";
                } else {
                    ASSERT_EQ(back[i], bits[i]) << wide[i];
                }
            }
        }
    }

    static void expect_rounded(const Format& format, ToBits to, const std::vector<float>& values) {
        std::vector<float> whole = values;
        whole.resize((values.size() + kF32Lanes - 1) / kF32Lanes * kF32Lanes);
        for (size_t at = 0; at < whole.size(); at += kF32Lanes) {
            uint16_t got[kF32Lanes];
            to(whole.data() + at, got);
            for (size_t i = 0; i < kF32Lanes; ++i) {
                const float value = whole[at + i];
                if (std::isnan(value)) {
                    ASSERT_GT(got[i] & 0x7FFF, format.infinity) << "a NaN became a number";
                } else {
                    ASSERT_EQ(got[i], rounded(format, static_cast<long double>(value)))
                        << std::hexfloat << value << std::hex << ", got " << got[i];
                }
            }
        }
    }

    /// Around every number of the format, and halfway between neighbours: the ties, and the floats beside each.
    static std::vector<float> borders(const Format& format) {
        std::vector<float> values;
        for (int bits = 0; bits < format.infinity; ++bits) {
            const double here = value_of(format, static_cast<uint16_t>(bits));
            // Above the largest number, the next one would be twice as far as the next finite one.
            const double next = bits + 1 < format.infinity
                                    ? value_of(format, static_cast<uint16_t>(bits + 1))
                                    : 2 * here - value_of(format, static_cast<uint16_t>(bits - 1));
            for (const double border : {here, here / 2 + next / 2}) {
                const auto tie = static_cast<float>(border);
                for (const float value : {tie, std::nextafter(tie, 0.0F), std::nextafter(tie, INFINITY)}) {
                    values.push_back(value);
                    values.push_back(-value);
                }
            }
        }
        return values;
    }

    static std::vector<float> patterns() {
        std::vector<float> values = special_values<float>();
        for (uint32_t exponent = 0; exponent < 256; ++exponent) {
            for (uint64_t i = 0; i < 600; ++i) {
                const auto rest = static_cast<uint32_t>(mixed(exponent * 600 + i)) & 0x807FFFFFU;
                values.push_back(std::bit_cast<float>(rest | exponent << 23));
            }
        }
        for (uint64_t i = 0; i < 100000; ++i) values.push_back(any_float(i));
        return values;
    }

    /// Every kind of NaN: quiet and signaling, with payloads whose upper or lower bits alone are set.
    static std::vector<float> nans() {
        std::vector<float> values;
        for (int bit = 0; bit < 23; ++bit) {
            for (const uint32_t sign : {0U, 0x80000000U}) {
                values.push_back(std::bit_cast<float>(sign | 0x7F800000U | 1U << bit));
                values.push_back(std::bit_cast<float>(sign | 0x7FFFFFFFU >> bit | 0x7F800001U));
            }
        }
        return values;
    }
};

INSTANTIATE_TEST_SUITE_P(Simd, ContractConvert, testing::ValuesIn(supported_ops()), isa_name);

TEST_P(ContractConvert, EveryHalf) { expect_all_numbers(kHalf, ops().f32_from_half, ops().half_from_f32); }

TEST_P(ContractConvert, EveryBFloat16) {
    expect_all_numbers(kBFloat16, ops().f32_from_bfloat16, ops().bfloat16_from_f32);
}

TEST_P(ContractConvert, HalfIsTheNearestOnAllBorders) {
    expect_rounded(kHalf, ops().half_from_f32, borders(kHalf));
    expect_rounded(kHalf, ops().half_from_f32, patterns());
    expect_rounded(kHalf, ops().half_from_f32, nans());
}

TEST_P(ContractConvert, BFloat16IsTheNearestOnAllBorders) {
    expect_rounded(kBFloat16, ops().bfloat16_from_f32, borders(kBFloat16));
    expect_rounded(kBFloat16, ops().bfloat16_from_f32, patterns());
    expect_rounded(kBFloat16, ops().bfloat16_from_f32, nans());
}

TEST_P(ContractConvert, BFloat16FromItsUpperHalf) {
    expect_rounded(kBFloat16, ops().bfloat16_from_upper, borders(kBFloat16));
    uint16_t bits[kF32Lanes];
    for (uint32_t payload = 1; payload < 0x80; ++payload) {
        for (const uint32_t sign : {0U, 0x8000U}) {
            const std::vector<float> nan(kF32Lanes, std::bit_cast<float>((sign | 0x7F80U | payload) << 16));
            ops().bfloat16_from_upper(nan.data(), bits);
            for (const uint16_t lane : bits) EXPECT_GT(lane & 0x7FFF, 0x7F80) << "NaN with payload " << payload;
        }
    }
}

TEST_P(ContractConvert, BordersOfOverflowAndUnderflow) {
    const auto half = [&](float value) {
        uint16_t bits[kF32Lanes];
        const std::vector<float> all(kF32Lanes, value);
        ops().half_from_f32(all.data(), bits);
        return bits[kF32Lanes - 1];
    };
    EXPECT_EQ(half(65504.0F), 0x7BFF);
    EXPECT_EQ(half(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
    EXPECT_EQ(half(65520.0F), 0x7C00);
    EXPECT_EQ(half(-1e38F), 0xFC00);
    EXPECT_EQ(half(0x1p-25F), 0);
    EXPECT_EQ(half(std::nextafter(0x1p-25F, 1.0F)), 1);
    EXPECT_EQ(half(-0x1.8p-24F), 0x8002);
    EXPECT_EQ(half(-1e-40F), 0x8000);
    const auto bfloat16 = [&](float value) {
        uint16_t bits[kF32Lanes];
        const std::vector<float> all(kF32Lanes, value);
        ops().bfloat16_from_f32(all.data(), bits);
        return bits[0];
    };
    EXPECT_EQ(bfloat16(std::numeric_limits<float>::max()), 0x7F80);
    EXPECT_EQ(bfloat16(std::bit_cast<float>(0x7F7F7FFFU)), 0x7F7F);
    EXPECT_EQ(bfloat16(std::bit_cast<float>(0x7F7F8000U)), 0x7F80);
    EXPECT_EQ(bfloat16(std::bit_cast<float>(0x00008000U)), 0);
    EXPECT_EQ(bfloat16(std::bit_cast<float>(0x80018000U)), 0x8002);
}

TEST_P(ContractConvert, JoinRoundsEachDoubleToTheNearestFloat) {
    std::vector<double> values = special_values<double>();
    for (const float value : patterns()) {
        const auto tie = static_cast<double>(value);
        if (!std::isfinite(tie)) continue;
        // Halfway to the next float, and the doubles beside that.
        const double half = std::ldexp(1.0, std::max(std::ilogb(value == 0.0F ? 1e-45F : value), -126) - 24);
        for (const double near : {tie + half, std::nextafter(tie + half, 1e300), std::nextafter(tie + half, -1e300)}) {
            values.push_back(near);
        }
    }
    for (uint64_t i = 0; i < 20000 || values.size() % kF32Lanes != 0; ++i) values.push_back(any_double(i));
    for (size_t at = 0; at < values.size(); at += kF32Lanes) {
        float got[kF32Lanes];
        ops().f32_join(values.data() + at, values.data() + at + kF64Lanes, got);
        for (size_t i = 0; i < kF32Lanes; ++i) {
            ASSERT_TRUE(same_bits(got[i], static_cast<float>(values[at + i]))) << std::hexfloat << values[at + i];
        }
    }
}

TEST(Numbers, TheOracleOfSixteenBitsKnowsSomeByHeart) {
    EXPECT_EQ(value_of(kHalf, 0x3C00), 1.0);
    EXPECT_EQ(value_of(kHalf, 0xC500), -5.0);
    EXPECT_EQ(value_of(kHalf, 0x0001), 0x1p-24);
    EXPECT_EQ(value_of(kHalf, 0x7BFF), 65504.0);
    EXPECT_EQ(value_of(kBFloat16, 0x3F80), 1.0);
    EXPECT_EQ(value_of(kBFloat16, 0x4049), 3.140625);
    EXPECT_EQ(value_of(kBFloat16, 0x0001), 0x1p-133);
    EXPECT_EQ(rounded(kHalf, 1.0L + 0x1p-11L), 0x3C00);
    EXPECT_EQ(rounded(kHalf, 1.0L + 0x3p-11L), 0x3C02);
    EXPECT_EQ(rounded(kHalf, 1.0L + 0x1p-11L + 0x1p-60L), 0x3C01);
    EXPECT_EQ(rounded(kBFloat16, -3.140625L), 0xC049);
    EXPECT_EQ(rounded(kBFloat16, 0x1.FFp127L), 0x7F80);
    for (int bits = 0; bits < 65536; ++bits) {
        for (const Format& format : {kHalf, kBFloat16}) {
            const double value = value_of(format, static_cast<uint16_t>(bits));
            if (!std::isnan(value)) {
                ASSERT_EQ(rounded(format, static_cast<long double>(value)), bits);
            }
        }
    }
}

}  // namespace
}  // namespace ni::test
