// Inputs of the tests: the same numbers on every run and every machine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "support/numbers.h"

namespace ni::test {

enum class Fill {
    kNormal,    ///< standard normal
    kOffset,    ///< standard normal + 1e4
    kDenormal,  ///< below the type's normal range
    kSmall,     ///< squares are denormal in the type that sums are taken in
    kHuge,      ///< squares overflow in float
    kLargest,   ///< sums of a few overflow as well; in double, nothing does
    kConstant,  ///< one value that is no short binary fraction
    kNan,       ///< standard normal, but one element
    kInfinity,  ///< standard normal, but one element
    kFarHead,   ///< standard normal, but the first elements, from which a shifted sum takes its shift, are around 100
};

constexpr Fill kFills[] = {Fill::kNormal,  Fill::kOffset,   Fill::kDenormal, Fill::kSmall,    Fill::kHuge,
                           Fill::kLargest, Fill::kConstant, Fill::kNan,      Fill::kInfinity, Fill::kFarHead};
const char* name_of(Fill fill);

/// The value of every element of kConstant.
constexpr double kConstantValue = -3.3;

/// Pseudorandom 64 bits from a counter (splitmix64, Steele, Lea and Flood 2014).
constexpr uint64_t mixed(uint64_t counter) {
    uint64_t z = counter * 0x9E3779B97F4A7C15ULL + 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

/// What standard normal values are multiplied by, type by type.
double scale_of(Float32, Fill fill);
double scale_of(Float64, Fill fill);
double scale_of(Float16, Fill fill);
double scale_of(BFloat16, Fill fill);

/// `count` standard normal values plus `offset`, times `scale`. Different seeds give different values.
std::vector<double> normal_values(int64_t count, uint64_t seed, double offset = 0.0, double scale = 1.0);
/// The standard normal values that all inputs come from, and where a sequence of them starts.
const std::vector<double>& normal_table();
inline size_t start_of(uint64_t seed) { return mixed(seed) % normal_table().size(); }

/// The table with the scale and the offset of a fill, in numbers of E, made part by part as they are wanted.
template <class E>
class Table {
public:
    explicit Table(Fill fill)
        : scale_(scale_of(E(), fill)),
          offset_(fill == Fill::kOffset ? 1e4 : 0),
          numbers_(normal_table().size()),
          made_(normal_table().size() / kPart + 1) {}

    /// Appends `count` numbers from `start` on, and from the beginning again after the last one.
    void append(size_t start, size_t count, std::vector<typename E::Data>& to) {
        for (size_t at = start; count > 0; at = at == numbers_.size() ? 0 : at) {
            const size_t part = at / kPart, end = std::min((part + 1) * kPart, numbers_.size());
            if (!made_[part]) make(part * kPart, end);
            made_[part] = true;
            const size_t more = std::min(count, end - at);
            to.insert(to.end(), numbers_.data() + at, numbers_.data() + at + more);
            count -= more;
            at += more;
        }
    }

private:
    static constexpr size_t kPart = 1024;

    void make(size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            numbers_[i] = Type<E>::of(static_cast<long double>((normal_table()[i] + offset_) * scale_));
        }
    }

    double scale_, offset_;
    std::vector<typename E::Data> numbers_;
    std::vector<bool> made_;
};

/// `count` numbers. `head` is the number of first elements of kFarHead. The odd one of kNan and kInfinity moves with
/// the seed.
template <class E>
std::vector<typename E::Data> filled_as(Fill fill, int64_t count, uint64_t seed, int64_t head = 16) {
    using Limits = std::numeric_limits<long double>;
    const auto size = static_cast<size_t>(count);
    if (fill == Fill::kConstant) return std::vector<typename E::Data>(size, Type<E>::of(kConstantValue));
    static std::map<Fill, Table<E>> tables;
    std::vector<typename E::Data> data;
    data.reserve(size);
    tables.try_emplace(fill, fill).first->second.append(start_of(seed), size, data);
    if (data.empty()) return data;
    if (fill == Fill::kFarHead) {
        for (size_t i = 0; i < std::min(size, static_cast<size_t>(head)); ++i) {
            data[i] = Type<E>::of(static_cast<long double>(Type<E>::value(data[i])) + 100);
        }
    }
    auto& odd = data[mixed(seed + 1) % size];
    if (fill == Fill::kNan) odd = Type<E>::of(Limits::quiet_NaN());
    if (fill == Fill::kInfinity) odd = Type<E>::of(Limits::infinity());
    return data;
}

inline std::vector<float> filled(Fill fill, int64_t count, uint64_t seed, int64_t head = 16) {
    return filled_as<Float32>(fill, count, seed, head);
}
inline std::vector<float> normals(int64_t count, uint64_t seed, double offset = 0.0, double scale = 1.0) {
    return numbers<Float32>(normal_values(count, seed, offset, scale));
}

}  // namespace ni::test
