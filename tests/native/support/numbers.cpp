#include "support/numbers.h"

#include <algorithm>

namespace ni::test {

namespace {

/// In the arithmetic of T, which has the value and all of its parts exactly.
template <class T>
uint16_t rounded_in(const Format& format, T value) {
    const int sign = std::signbit(value) ? 0x8000 : 0;
    const T magnitude = std::abs(value);
    if (std::isnan(value)) return static_cast<uint16_t>(sign | format.infinity | 1 << (format.fraction - 1));
    if (magnitude == 0) return static_cast<uint16_t>(sign);
    if (std::isinf(value)) return static_cast<uint16_t>(sign | format.infinity);
    const int exponent = std::max(std::ilogb(magnitude), format.least_exponent);
    // In units of the last place. A normal number's leading one counts as an exponent, and so does a carry.
    const T units = std::nearbyint(std::ldexp(magnitude, format.fraction - exponent));
    const auto steps = static_cast<int64_t>(exponent - format.least_exponent) * (int64_t{1} << format.fraction);
    return static_cast<uint16_t>(sign | std::min<int64_t>(steps + static_cast<int64_t>(units), format.infinity));
}

}  // namespace

uint16_t rounded(const Format& format, long double value) {
    // Double is much faster, and enough for numbers that are not so small that scaling them would round.
    const auto narrow = static_cast<double>(value);
    const bool exact = static_cast<long double>(narrow) == value && std::abs(narrow) > 1e-200;
    return exact ? rounded_in(format, narrow) : rounded_in(format, value);
}

double value_of(const Format& format, uint16_t bits) {
    const int magnitude = bits & 0x7FFF, exponent = magnitude >> format.fraction;
    const int fraction = magnitude & ((1 << format.fraction) - 1);
    double value = 0;
    if (magnitude > format.infinity) {
        value = std::numeric_limits<double>::quiet_NaN();
    } else if (magnitude == format.infinity) {
        value = std::numeric_limits<double>::infinity();
    } else if (exponent == 0) {
        value = std::ldexp(fraction, format.least_exponent - format.fraction);
    } else {
        value = std::ldexp(fraction + (1 << format.fraction), exponent - 1 + format.least_exponent - format.fraction);
    }
    return (bits & 0x8000) != 0 ? -value : value;
}

const std::vector<double>& values_of(const Format& format) {
    const auto all = [](const Format& of) {
        std::vector<double> values;
        for (int bits = 0; bits < 65536; ++bits) values.push_back(value_of(of, static_cast<uint16_t>(bits)));
        return values;
    };
    static const std::vector<double> halves = all(kHalf), bfloats = all(kBFloat16);
    return format.fraction == kHalf.fraction ? halves : bfloats;
}

}  // namespace ni::test
