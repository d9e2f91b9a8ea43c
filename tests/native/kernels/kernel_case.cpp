#include "kernels/kernel_case.h"

namespace ni::test {
namespace {

constexpr int64_t kLengths[] = {1,  2,  3,  7,  8,  9,  15, 16,  17,  31,  32,   33,   47,  48,
                                49, 63, 64, 65, 79, 80, 81, 127, 128, 129, 1023, 1024, 1025};
constexpr int64_t kLongLengths[] = {4095, 4096, 4097};
constexpr int64_t kChannels[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,  13,  14,  15,  16,  17,   31,
                                 32, 33, 47, 48, 49, 63, 64, 65, 79, 80, 81, 127, 128, 129, 511, 512, 1023, 1024};
constexpr int64_t kRows[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65};

const char* name_of(Form form) {
    switch (form) {
        case Form::kPlanes:
            return " planes of ";
        case Form::kRows:
            return " rows of ";
        case Form::kRun:
            return " run of ";
        case Form::kColumns:
            return " rows by column of ";
    }
    return "?";
}

bool is_run(Form form) { return form == Form::kRun; }

/// All ways of leaving out a parameter of a run.
void push(std::vector<KernelCase>& cases, KernelCase piece) {
    for (piece.absent = 0; piece.absent < (is_run(piece.form) || piece.form == Form::kColumns ? 3 : 1); ++piece.absent)
        cases.push_back(piece);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const KernelCase& piece) {
    out << piece.count << name_of(piece.form) << piece.length << " at stride " << piece.stride << ", "
        << name_of(piece.fill) << (piece.store == Store::kStreaming ? ", streaming" : ", cached")
        << (piece.flush == Flush::kEnd ? ", ends " : ", begins ") << piece.gap << " from the forbidden page";
    if (piece.in_place) out << ", in place";
    if (piece.in_second) out << ", in place of the second input";
    if (piece.absent != 0) out << (piece.absent == 1 ? ", no weight" : ", no bias");
    if (piece.all_alike) out << ", all alike";
    return out;
}

std::vector<KernelCase> shape_cases(Form form) {
    std::vector<KernelCase> cases;
    if (form == Form::kRows || form == Form::kColumns) {
        for (const int64_t count : kRows)
            for (const int64_t channels : kChannels) {
                // Wide rows with every number of rows would take most of the time and show nothing more.
                if (channels > 130 && count % 16 > 1) continue;
                cases.push_back({form, count, count % 2 == 0 ? channels : channels + 5, channels});
            }
        cases.push_back({form, 129, 65, 65});
        cases.push_back({form, 1000, 340, 300});
        // Of whole rows, columns take any number.
        if (form == Form::kColumns) cases.push_back({form, 17, 3000, 3000});
        return cases;
    }
    for (const int64_t count : {1, 2, 3, 9}) {
        if (is_run(form) && count > 1) break;
        for (const int64_t length : kLengths) push(cases, {form, count, count == 2 ? length : length + 37, length});
    }
    for (const int64_t length : kLongLengths)
        for (const int64_t count : {1, 3}) {
            if (!is_run(form) || count == 1) push(cases, {form, count, length + 1, length});
        }
    if (form == Form::kPlanes) cases.push_back({form, 600, 7, 6});
    return cases;
}

std::vector<KernelCase> fill_cases(Form form) {
    std::vector<KernelCase> cases;
    for (const Fill fill : kFills) {
        for (const bool all_alike : {false, true}) {
            if (all_alike && fill != Fill::kHuge && fill != Fill::kLargest) continue;
            const auto add = [&](int64_t count, int64_t length) {
                KernelCase piece{form, count, length + 3, length, fill};
                piece.all_alike = all_alike;
                push(cases, piece);
            };
            if (form == Form::kRows || form == Form::kColumns) {
                for (const int64_t count : {1, 2, 7, 8, 9, 16, 17, 65})
                    for (const int64_t channels : {1, 3, 16, 17, 64, 100, 150}) add(count, channels);
            } else {
                for (const int64_t count : {1, 2, 9})
                    for (const int64_t length : {1, 2, 15, 17, 49, 64, 100, 2000}) {
                        if (!is_run(form) || count == 1) add(count, length);
                    }
            }
        }
    }
    // So many elements that the far ones are a small part of all.
    if (form == Form::kPlanes || form == Form::kRows) {
        cases.push_back({form, form == Form::kRows ? 4096 : 300, 20, 17, Fill::kFarHead});
    }
    return cases;
}

std::vector<KernelCase> placement_cases(Form form) {
    std::vector<KernelCase> cases;
    const int64_t runs = is_run(form) ? 1 : form == Form::kPlanes ? 2 : 5;
    for (const Store store : {Store::kCached, Store::kStreaming}) {
        for (const Flush flush : {Flush::kEnd, Flush::kStart})
            for (const int64_t length : {1, 15, 16, 17, 63, 64, 65, 79, 80, 81, 143, 300})
                for (int64_t gap = 0; gap < 16; ++gap)
                    cases.push_back({form, runs, length + 1, length, Fill::kNormal, store, flush, gap});
        // Rows that lie alike in their cache lines.
        for (const int64_t length : {64, 65, 143, 300})
            for (int64_t gap = 0; gap < 16; ++gap)
                cases.push_back({form, runs, (length + 64) / 64 * 64, length, Fill::kNormal, store, Flush::kEnd, gap});
        for (const int64_t length : {1, 17, 64, 81, 512}) {
            const int64_t count = is_run(form) ? 1 : 3;
            push(cases, {form, count, length + 2, length, Fill::kNormal, store, Flush::kEnd, 0, true, false});
            push(cases, {form, count, length + 2, length, Fill::kNormal, store, Flush::kEnd, 0, false, true});
        }
        push(cases, {form, is_run(form) ? 1 : 0, 16, is_run(form) ? 0 : 16, Fill::kNormal, store});
    }
    // Hints that point behind the buffer, before it, and nowhere.
    if (form == Form::kPlanes) {
        for (const int64_t next : {int64_t{64}, int64_t{1} << 30, -(int64_t{1} << 30)})
            for (const int64_t length : {1, 17, 64, 143, 3000}) {
                KernelCase piece{form, 3, length + 2, length};
                piece.next = next;
                cases.push_back(piece);
            }
    }
    return cases;
}

}  // namespace ni::test
