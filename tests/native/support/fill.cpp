#include "support/fill.h"

#include <cmath>
#include <numbers>

namespace ni::test {

/// Normal values by the method of Box and Muller, drawn once: most of a test's time would go into them otherwise.
/// The number is prime, so that a tensor's channels do not repeat each other.
const std::vector<double>& normal_table() {
    static const std::vector<double> table = [] {
        constexpr size_t kSize = 131071;
        std::vector<double> values(kSize);
        for (size_t i = 0; i < kSize; ++i) {
            const double u = (static_cast<double>(mixed(2 * i) >> 11) + 0.5) * 0x1p-53;
            const double v = static_cast<double>(mixed(2 * i + 1) >> 11) * 0x1p-53;
            values[i] = std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
        }
        return values;
    }();
    return table;
}

const char* name_of(Fill fill) {
    switch (fill) {
        case Fill::kNormal:
            return "normal";
        case Fill::kOffset:
            return "offset 1e4";
        case Fill::kDenormal:
            return "denormal";
        case Fill::kSmall:
            return "small";
        case Fill::kHuge:
            return "huge";
        case Fill::kLargest:
            return "largest";
        case Fill::kConstant:
            return "constant";
        case Fill::kNan:
            return "one NaN";
        case Fill::kInfinity:
            return "one infinity";
        case Fill::kFarHead:
            return "far head";
    }
    return "?";
}

namespace {

double scale_of(Fill fill, double denormal, double small, double huge, double largest) {
    switch (fill) {
        case Fill::kDenormal:
            return denormal;
        case Fill::kSmall:
            return small;
        case Fill::kHuge:
            return huge;
        case Fill::kLargest:
            return largest;
        default:
            return 1;
    }
}

}  // namespace

// The table's largest values are below 5.
double scale_of(Float32, Fill fill) { return scale_of(fill, 1e-40, 3e-21, 1e30, 6e37); }
double scale_of(Float64, Fill fill) { return scale_of(fill, 1e-310, 3e-160, 1e140, 1e150); }
double scale_of(Float16, Fill fill) { return scale_of(fill, 1e-6, 1e-4, 1e3, 1e4); }
double scale_of(BFloat16, Fill fill) { return scale_of(fill, 1e-40, 3e-21, 1e30, 6e37); }

std::vector<double> normal_values(int64_t count, uint64_t seed, double offset, double scale) {
    const std::vector<double>& table = normal_table();
    std::vector<double> values(static_cast<size_t>(count));
    size_t at = start_of(seed);
    for (double& value : values) {
        value = (table[at] + offset) * scale;
        if (++at == table.size()) at = 0;
    }
    return values;
}

}  // namespace ni::test
