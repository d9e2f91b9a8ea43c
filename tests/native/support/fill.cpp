#include "support/fill.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ni::test {
namespace {

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

}  // namespace

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

std::vector<float> normals(int64_t count, uint64_t seed, double offset, double scale) {
    const std::vector<double>& table = normal_table();
    std::vector<float> values(static_cast<size_t>(count));
    size_t at = mixed(seed) % table.size();
    for (float& value : values) {
        value = static_cast<float>((table[at] + offset) * scale);
        if (++at == table.size()) at = 0;
    }
    return values;
}

std::vector<float> filled(Fill fill, int64_t count, uint64_t seed, int64_t head) {
    if (fill == Fill::kConstant) return std::vector<float>(static_cast<size_t>(count), kConstantValue);
    const double scale = fill == Fill::kDenormal ? 1e-40
                         : fill == Fill::kSmall  ? 3e-21
                         : fill == Fill::kHuge   ? 1e30
                                                 : 1.0;
    std::vector<float> values = normals(count, seed, fill == Fill::kOffset ? 1e4 : 0.0, scale);
    if (values.empty()) return values;
    if (fill == Fill::kFarHead) {
        for (size_t i = 0; i < std::min(values.size(), static_cast<size_t>(head)); ++i) values[i] += 100.0F;
    }
    float& odd = values[mixed(seed + 1) % values.size()];
    if (fill == Fill::kNan) odd = std::numeric_limits<float>::quiet_NaN();
    if (fill == Fill::kInfinity) odd = std::numeric_limits<float>::infinity();
    return values;
}

}  // namespace ni::test
