#include "kernels/kernel_case.h"

#include <limits>

#include "support/bits.h"

namespace ni::test {
namespace {

constexpr int64_t kPlaneLengths[] = {1,  2,  3,  7,  8,  9,  15,  16,  17,  31,   32,   33,   47,   48,   49,
                                     63, 64, 65, 79, 80, 81, 127, 128, 129, 1023, 1024, 1025, 4095, 4096, 4097};
constexpr int64_t kChannels[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,  13,  14,  15,  16,  17,   31,
                                 32, 33, 47, 48, 49, 63, 64, 65, 79, 80, 81, 127, 128, 129, 511, 512, 1023, 1024};
constexpr int64_t kRows[] = {1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 128, 129};

}  // namespace

std::ostream& operator<<(std::ostream& out, const KernelCase& piece) {
    out << piece.count << (piece.rows ? " rows of " : " planes of ") << piece.length << " at stride " << piece.stride
        << ", " << name_of(piece.fill) << (piece.store == Store::kStreaming ? ", streaming" : ", cached")
        << (piece.flush == Flush::kEnd ? ", ends " : ", begins ") << piece.gap << " from the forbidden page";
    if (piece.in_place) out << ", in place";
    if (piece.in_second) out << ", in place of the second input";
    return out;
}

std::vector<float> inputs(const KernelCase& piece, int index) {
    // A product of two huge or two tiny numbers leaves float's range by right, which is not what is tested.
    const bool scaled = piece.fill == Fill::kDenormal || piece.fill == Fill::kSmall || piece.fill == Fill::kHuge;
    const bool plain = index > 0 && scaled;
    const uint64_t seed = piece.seed() + 1000003U * static_cast<uint64_t>(index);
    const int64_t head = piece.rows ? 8 * piece.length : 16;
    return filled(plain ? Fill::kNormal : piece.fill, piece.elements(), seed, head);
}

Guarded<float> strided(const KernelCase& piece, const std::vector<float>& values, Flush flush, int64_t gap) {
    std::vector<float> all(static_cast<size_t>(piece.extent()), std::numeric_limits<float>::quiet_NaN());
    for (int64_t i = 0; i < piece.count; ++i) {
        std::copy_n(values.begin() + i * piece.length, piece.length, all.begin() + i * piece.stride);
    }
    return Guarded<float>(all, flush, gap);
}

std::vector<float> gathered(const KernelCase& piece, const float* data) {
    std::vector<float> values;
    for (int64_t i = 0; i < piece.count; ++i) {
        values.insert(values.end(), data + i * piece.stride, data + i * piece.stride + piece.length);
    }
    return values;
}

bool gaps_untouched(const KernelCase& piece, const float* data, const std::vector<float>& before) {
    for (int64_t i = 0; i < piece.extent(); ++i) {
        if (i % piece.stride >= piece.length && bits_of(data[i]) != bits_of(before[static_cast<size_t>(i)])) {
            return false;
        }
    }
    return true;
}

std::vector<KernelCase> shape_cases(bool rows) {
    std::vector<KernelCase> cases;
    if (rows) {
        for (const int64_t count : kRows)
            for (const int64_t channels : kChannels)
                for (const int64_t stride : {channels, channels + 5}) cases.push_back({true, count, stride, channels});
        cases.push_back({true, 1000, 640, 512});
        return cases;
    }
    for (const int64_t count : {1, 2, 3, 9})
        for (const int64_t length : kPlaneLengths)
            for (const int64_t stride : {length, length + 37}) cases.push_back({false, count, stride, length});
    cases.push_back({false, 600, 7, 6});
    return cases;
}

std::vector<KernelCase> fill_cases(bool rows) {
    std::vector<KernelCase> cases;
    for (const Fill fill : kFills) {
        if (rows) {
            for (const int64_t count : {1, 2, 7, 8, 9, 64, 65, 129})
                for (const int64_t channels : {1, 3, 16, 17, 64, 100})
                    cases.push_back({true, count, channels + 3, channels, fill});
        } else {
            for (const int64_t count : {1, 2, 9})
                for (const int64_t length : {1, 2, 15, 17, 49, 64, 100, 4096})
                    cases.push_back({false, count, length + 3, length, fill});
        }
    }
    // So many elements that the far ones are a small part of all.
    cases.push_back({rows, rows ? 4096 : 300, 20, 17, Fill::kFarHead});
    return cases;
}

std::vector<KernelCase> placement_cases(bool rows) {
    std::vector<KernelCase> cases;
    for (const Store store : {Store::kCached, Store::kStreaming}) {
        for (const Flush flush : {Flush::kEnd, Flush::kStart})
            for (const int64_t length : {1, 15, 16, 17, 63, 64, 65, 79, 80, 81, 143, 512})
                for (int64_t gap = 0; gap < 16; ++gap)
                    cases.push_back({rows, rows ? 5 : 2, length + 1, length, Fill::kNormal, store, flush, gap});
        for (const int64_t length : {1, 17, 64, 81, 512}) {
            cases.push_back({rows, 3, length + 2, length, Fill::kNormal, store, Flush::kEnd, 0, true, false});
            cases.push_back({rows, 3, length + 2, length, Fill::kNormal, store, Flush::kEnd, 0, false, true});
        }
        cases.push_back({rows, 0, 16, 16, Fill::kNormal, store});
    }
    // Hints that point behind the buffer, before it, and nowhere.
    if (!rows) {
        for (const int64_t next : {int64_t{64}, int64_t{1} << 30, -(int64_t{1} << 30)})
            for (const int64_t length : {1, 17, 64, 143, 3000}) {
                KernelCase piece{false, 3, length + 2, length};
                piece.next = next;
                cases.push_back(piece);
            }
    }
    return cases;
}

}  // namespace ni::test
