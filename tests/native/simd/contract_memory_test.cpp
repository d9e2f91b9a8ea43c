// Loads and stores of the vector contract: of whole vectors anywhere, of first lanes, and past the cache.
#include <numeric>

#include "simd/contract_cases.h"
#include "support/guarded.h"

namespace ni::test {
namespace {

/// The operations of one kind of element.
template <class T>
struct Memory {
    int64_t lanes;
    void (*load_store)(const T* p, T* out);
    void (*load_first)(const T* p, int n, T* out);
    void (*store_first)(T* p, const T* v, int n);
    void (*stream)(T* p, const T* v);
};

class ContractMemory : public Contract {
protected:
    /// Calls visit(operations) for floats, doubles and numbers of 16 bits.
    template <class Visit>
    void for_each_kind(Visit visit) const {
        const ContractOps& o = ops();
        visit(Memory<float>{kF32Lanes, o.f32_load_store, o.f32_load_first, o.f32_store_first, o.f32_stream});
        visit(Memory<double>{kF64Lanes, o.f64_load_store, o.f64_load_first, o.f64_store_first, o.f64_stream});
        visit(Memory<uint16_t>{kF32Lanes, o.u16_load_store, o.u16_load_first, o.u16_store_first, o.u16_stream});
    }
    /// 1, 2, 3 and so on.
    template <class T>
    static std::vector<T> counted(const Memory<T>& memory) {
        std::vector<T> values(static_cast<size_t>(memory.lanes));
        std::iota(values.begin(), values.end(), T(1));
        return values;
    }
};

INSTANTIATE_TEST_SUITE_P(Simd, ContractMemory, testing::ValuesIn(supported_ops()), isa_name);

TEST_P(ContractMemory, LoadAndStoreTakeAnyAlignment) {
    for_each_kind([]<class T>(const Memory<T>& memory) {
        for (int64_t gap = 0; gap <= memory.lanes; ++gap) {
            SCOPED_TRACE(testing::Message() << sizeof(T) << " bytes, gap " << gap);
            Guarded<T> in(counted(memory), Flush::kStart, gap), out(memory.lanes, Flush::kEnd, gap);
            memory.load_store(in.data(), out.data());
            EXPECT_EQ(out.copy(), counted(memory));
            EXPECT_TRUE(out.surroundings_untouched());
        }
    });
}

TEST_P(ContractMemory, LoadFirstReadsNothingBeyondAndZeroesTheRest) {
    for_each_kind([]<class T>(const Memory<T>& memory) {
        for (const Flush flush : {Flush::kEnd, Flush::kStart}) {
            for (int n = 0; n <= memory.lanes; ++n) {
                std::vector<T> expected = counted(memory);
                const Guarded<T> in(std::vector<T>(expected.begin(), expected.begin() + n), flush);
                std::fill(expected.begin() + n, expected.end(), T(0));
                std::vector<T> out(expected.size(), T(7));
                memory.load_first(in.data(), n, out.data());
                EXPECT_EQ(out, expected) << sizeof(T) << " bytes, first " << n;
            }
        }
    });
}

TEST_P(ContractMemory, StoreFirstWritesNothingBeyond) {
    for_each_kind([]<class T>(const Memory<T>& memory) {
        const std::vector<T> values = counted(memory);
        for (int64_t gap = 0; gap <= memory.lanes; ++gap) {
            for (int n = 0; n <= memory.lanes; ++n) {
                SCOPED_TRACE(testing::Message() << sizeof(T) << " bytes, first " << n << ", gap " << gap);
                Guarded<T> out(n, Flush::kEnd, gap);
                memory.store_first(out.data(), values.data(), n);
                EXPECT_EQ(out.copy(), std::vector<T>(values.begin(), values.begin() + n));
                EXPECT_TRUE(out.surroundings_untouched());
            }
        }
    });
}

TEST_P(ContractMemory, StreamWritesAVectorAtAnAlignedAddress) {
    for_each_kind([]<class T>(const Memory<T>& memory) {
        const std::vector<T> values = counted(memory);
        for (const Flush flush : {Flush::kEnd, Flush::kStart}) {
            for (const int64_t gap : {int64_t{0}, memory.lanes}) {
                Guarded<T> out(memory.lanes, flush, gap);
                memory.stream(out.data(), values.data());
                EXPECT_EQ(out.copy(), values);
                EXPECT_TRUE(out.surroundings_untouched());
            }
        }
    });
}

/// What is in the lanes that are not kept: anything that would show in a product with 0.
template <class T>
void expect_kept(int lanes, void (*keep_first)(const T*, int, T*)) {
    for (int n = 0; n <= lanes; ++n) {
        std::vector<T> in(static_cast<size_t>(lanes)), out(in.size());
        std::iota(in.begin(), in.end(), T(-3));
        std::vector<T> expected = in;
        for (int i = n; i < lanes; ++i) {
            in[static_cast<size_t>(i)] = i % 2 == 0 ? std::numeric_limits<T>::quiet_NaN() : -INFINITY;
            expected[static_cast<size_t>(i)] = T(0);
        }
        keep_first(in.data(), n, out.data());
        EXPECT_TRUE(same_bits(out, expected)) << "first " << n;
    }
}

TEST_P(ContractMemory, KeepFirstZeroesTheRestWhateverItIs) {
    expect_kept<float>(kF32Lanes, ops().f32_keep_first);
    expect_kept<double>(kF64Lanes, ops().f64_keep_first);
}

}  // namespace
}  // namespace ni::test
