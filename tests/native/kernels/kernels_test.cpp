// Every kernel of kKernelNames on every instruction set of this machine: against the oracle, on the borders of its
// memory, and against the scalar kernel to the bit. A kernel without a suite fails.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <tuple>

#include "dispatch/dispatch.h"
#include "kernels/kernel_suite.h"
#include "support/bits.h"
#include "support/tables.h"

namespace ni::test {
namespace {

const KernelSuite* suite_of(const char* kernel) {
    for (const KernelSuite* suite : {&kPlanesMoments, &kRowsMoments, &kPlanesApply, &kRowsApply, &kPlanesBackwardReduce,
                                     &kRowsBackwardReduce, &kPlanesBackwardApply, &kRowsBackwardApply}) {
        if (strcmp(suite->kernel, kernel) == 0) return suite;
    }
    return nullptr;
}

using KernelOnIsa = std::tuple<const char*, const KernelTable*>;

class Kernels : public testing::TestWithParam<KernelOnIsa> {
protected:
    void SetUp() override {
        suite_ = suite_of(std::get<0>(GetParam()));
        ASSERT_NE(suite_, nullptr) << std::get<0>(GetParam()) << " is registered but has no test";
    }
    const KernelTable& kernels() const { return *std::get<1>(GetParam()); }

    /// Runs each case on this instruction set, and on the scalar kernels, whose result must be the same.
    void run(const std::vector<KernelCase>& cases) {
        for (const KernelCase& piece : cases) {
            SCOPED_TRACE(testing::Message() << piece);
            const Outcome outcome = suite_->run(kernels(), piece);
            suite_->check(piece, outcome);
            if (&kernels() != &kScalarKernels) {
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
                         testing::Combine(testing::ValuesIn(kKernelNames), testing::ValuesIn(supported_tables())),
                         [](const auto& tested) {
                             return std::string(std::get<0>(tested.param)) + "_" + std::get<1>(tested.param)->isa;
                         });

TEST_P(Kernels, AgreeWithTheOracleAroundEveryBoundary) { run(shape_cases(suite_->rows)); }

TEST_P(Kernels, AgreeWithTheOracleOnEveryKindOfInput) { run(fill_cases(suite_->rows)); }

TEST_P(Kernels, StayInTheirPieceAtEveryPlacement) {
    std::vector<KernelCase> cases = placement_cases(suite_->rows);
    // Reductions have no output among the data, and take at least one run.
    if (!suite_->writes) std::erase_if(cases, [](const KernelCase& piece) { return piece.count == 0; });
    run(cases);
}

TEST(KernelRegistry, EveryCandidateHasEveryKernel) {
    for (const auto& candidate : dispatch::candidates()) {
#define NI_EXPECT(name, parameters) EXPECT_NE(candidate.kernels->name, nullptr) << candidate.kernels->isa;
        NI_CHANNEL_KERNELS(NI_EXPECT)
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
