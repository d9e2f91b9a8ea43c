// Every kernel of kKernelNames on every instruction set of this machine: against the oracle, on the borders of its
// memory, and against the scalar kernel to the bit. A kernel without a suite fails.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <tuple>

#include "dispatch/dispatch.h"
#include "kernels/kernel_suite.h"
#include "support/bits.h"
#include "support/share.h"
#include "support/tables.h"

namespace ni::test {
namespace {

const KernelSuite* suite_of(const char* kernel, size_t type) {
    static const SuiteList all = [] {
        SuiteList list;
        for (const SuiteList& part : {moments_suites(), apply_suites(), backward_reduce_suites(),
                                      backward_apply_suites(), columns_suites(), activate_suites(), gated_suites()}) {
            list.insert(list.end(), part.begin(), part.end());
        }
        return list;
    }();
    for (const KernelSuites& suites : all) {
        if (strcmp(suites[type].kernel, kernel) == 0) return &suites[type];
    }
    return nullptr;
}

/// A kernel, a data type by its index in kTypeNames, an instruction set.
using KernelOnIsa = std::tuple<const char*, size_t, const KernelTable*>;

class Kernels : public testing::TestWithParam<KernelOnIsa> {
protected:
    void SetUp() override {
        suite_ = suite_of(std::get<0>(GetParam()), std::get<1>(GetParam()));
        ASSERT_NE(suite_, nullptr) << std::get<0>(GetParam()) << " is registered but has no test";
    }
    const KernelTable& kernels() const { return *std::get<2>(GetParam()); }

    /// Runs each case on this instruction set. The scalar kernels meet the oracle; equal bits are right bits.
    void run(const std::vector<KernelCase>& cases) {
        size_t index = 0;
        for (const KernelCase& piece : cases) {
            SCOPED_TRACE(testing::Message() << piece);
            const bool meets_oracle = is_taken(index++, std::get<1>(GetParam()));
            const Outcome outcome = suite_->run(kernels(), piece);
            if (&kernels() == &kScalarKernels) {
                if (meets_oracle) suite_->check(piece, outcome);
            } else {
                const Outcome scalar = suite_->run(kScalarKernels, piece);
                EXPECT_TRUE(same_bits(outcome.data, scalar.data));
                EXPECT_TRUE(same_bits(outcome.first, scalar.first));
                EXPECT_TRUE(same_bits(outcome.second, scalar.second));
            }
            if (HasFailure()) return;
        }
    }

    const KernelSuite* suite_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(All, Kernels,
                         testing::Combine(testing::ValuesIn(kKernelNames), testing::Range<size_t>(0, kTypeNames.size()),
                                          testing::ValuesIn(supported_tables())),
                         [](const auto& tested) {
                             return std::string(std::get<0>(tested.param)) + "_" +
                                    kTypeNames[std::get<1>(tested.param)] + "_" + std::get<2>(tested.param)->isa;
                         });

TEST_P(Kernels, AgreeWithTheOracleAroundEveryBoundary) { run(shape_cases(suite_->form)); }

TEST_P(Kernels, AgreeWithTheOracleOnEveryKindOfInput) { run(fill_cases(suite_->form)); }

TEST_P(Kernels, StayInTheirPieceAtEveryPlacement) {
    std::vector<KernelCase> cases = placement_cases(suite_->form);
    // Reductions have no output among the data, and take at least one run.
    if (!suite_->writes) std::erase_if(cases, [](const KernelCase& piece) { return piece.elements() == 0; });
    run(cases);
}

TEST(KernelRegistry, EveryCandidateHasEveryKernel) {
    for (const auto& candidate : dispatch::candidates()) {
        const KernelTable& table = *candidate.kernels;
        SCOPED_TRACE(table.isa);
#define NI_EXPECT(name, parameters)                                  \
    EXPECT_TRUE(table.float32->name&& table.float64->name) << #name; \
    EXPECT_TRUE(table.float16->name&& table.bfloat16->name) << #name;
        NI_KERNELS(NI_EXPECT)
#undef NI_EXPECT
    }
}

/// One test for each table that this build has, so that a skip says which of them this machine could not run.
class InstructionSet : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(All, InstructionSet, testing::Range(0, dispatch::candidates().count), [](const auto& tested) {
    return std::string(dispatch::candidates().first[tested.param].kernels->isa);
});

TEST_P(InstructionSet, IsTestedOnThisMachine) {
    const dispatch::Candidate& candidate = dispatch::candidates().first[GetParam()];
    if (!candidate.supported)
        GTEST_SKIP() << "this CPU lacks " << candidate.kernels->isa << ": its kernels did not run";
}

}  // namespace
}  // namespace ni::test
