// f32_fma rounds once. Triples that a multiplication and an addition, or a sum in double, would round otherwise.
#include <cmath>

#include "simd/contract_cases.h"

namespace ni::test {
namespace {

class ContractFma : public Contract {
protected:
    /// Takes a triple; compares whenever a vector is full.
    void add(float a, float b, float c) {
        a_[filled_] = a;
        b_[filled_] = b;
        c_[filled_] = c;
        if (++filled_ == kF32Lanes) compare();
    }
    /// The triple with every combination of signs.
    void add_with_signs(float a, float b, float c) {
        for (const float sign : {1.0F, -1.0F}) {
            add(sign * a, b, c);
            add(sign * a, b, -c);
        }
    }
    void TearDown() override { compare(); }

private:
    void compare() {
        const size_t count = HasFailure() ? 0 : filled_;  // one vector of failures says enough
        filled_ = 0;
        float result[kF32Lanes];
        ops().f32_fma(a_, b_, c_, result);
        for (size_t i = 0; i < count; ++i) {
            const float expected = std::fma(a_[i], b_[i], c_[i]);
            EXPECT_TRUE(same_bits(result[i], expected)) << std::hexfloat << a_[i] << " * " << b_[i] << " + " << c_[i]
                                                        << " gave " << result[i] << ", expected " << expected;
        }
    }

    float a_[kF32Lanes] = {}, b_[kF32Lanes] = {}, c_[kF32Lanes] = {};
    size_t filled_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Simd, ContractFma, testing::ValuesIn(supported_ops()), isa_name);

/// A normal float with this many random bits of fraction and the given exponent.
float with_exponent(uint64_t counter, int exponent) {
    const auto fraction = static_cast<float>(mixed(counter) >> 41);  // 23 bits
    return std::ldexp(1.0F + fraction * 0x1p-23F, exponent);
}

TEST_P(ContractFma, SpecialValues) {
    const std::vector<float> values = special_values<float>();
    for (const float a : values)
        for (const float b : values)
            for (const float c : values) add(a, b, c);
}

TEST_P(ContractFma, AnyBitPatterns) {
    for (uint64_t i = 0; i < 1000000; ++i) add(any_float(3 * i), any_float(3 * i + 1), any_float(3 * i + 2));
}

TEST_P(ContractFma, AddendsOfEveryRelativeSize) {
    for (uint64_t i = 0; i < 500000; ++i) {
        const int exponent = static_cast<int>(mixed(4 * i) % 160) - 80;
        add_with_signs(with_exponent(4 * i + 1, 0), with_exponent(4 * i + 2, 0), with_exponent(4 * i + 3, exponent));
    }
}

TEST_P(ContractFma, ProductsAHairFromHalfAUnitOfTheAddend) {
    // (1 + k e)(1 - k e) = 1 - k^2 e^2: the sum is a tie but for a bit that a double cannot hold beside the addend.
    for (const int exponent : {-120, -60, -1, 0, 1, 60, 100, 127}) {
        for (uint64_t i = 0; i < 4000; ++i) {
            const float c = with_exponent(i, exponent);
            const float half = std::ldexp(1.0F, exponent - 24), third = std::ldexp(1.0F, exponent - 25);
            const float k = static_cast<float>(i % 64) * 0x1p-23F;
            add_with_signs((1 + k) * half, 1 - k, c);
            add_with_signs((1 + k) * half, 1 + k, c);
            add_with_signs((1 - k) * third, 1 + k, std::ldexp(1.0F, exponent));  // below a power of two units halve
        }
    }
}

TEST_P(ContractFma, TiesAmongDenormals) {
    for (uint64_t i = 0; i < 4000; ++i) {
        const float c = std::bit_cast<float>(static_cast<uint32_t>(mixed(i) >> 40));  // denormal or barely normal
        const float k = static_cast<float>(i % 64) * 0x1p-23F;
        for (const int shift : {-149, -150, -151, -152}) {
            const float a = std::ldexp(1 + k, -60), up = std::ldexp(1 + k, shift + 60);
            add_with_signs(a, std::ldexp(1 - k, shift + 60), c);
            add_with_signs(a, up, c);
            add_with_signs(a, up, 0.0F);
        }
    }
}

TEST_P(ContractFma, TheBorderOfOverflow) {
    const float max = std::numeric_limits<float>::max();
    for (int k = 0; k < 64; ++k) {
        const float e = static_cast<float>(k) * 0x1p-23F;
        for (const float c : {max, std::nextafter(max, 0.0F), max / 2}) {
            add_with_signs((1 + e) * 0x1p51F, (1 - e) * 0x1p52F, c);
            add_with_signs((1 + e) * 0x1p51F, (1 + e) * 0x1p52F, c);
            add_with_signs((1 + e) * 0x1p64F, (1 - e) * 0x1p64F, c);
            add_with_signs((1 + e) * 0x1p63F, (2 - e) * 0x1p64F, -c);
        }
    }
}

TEST_P(ContractFma, CancellationLeavesTheProductsRoundingError) {
    for (uint64_t i = 0; i < 100000; ++i) {
        const int exponent = static_cast<int>(mixed(3 * i) % 140) - 70;
        const float a = with_exponent(3 * i + 1, exponent), b = with_exponent(3 * i + 2, -exponent / 2);
        const float product = a * b;
        add(a, b, -product);
        add(a, b, -std::nextafter(product, 0.0F));
        add(a, -b, std::nextafter(product, INFINITY));
    }
}

}  // namespace
}  // namespace ni::test
