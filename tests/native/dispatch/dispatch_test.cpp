// The choice of a kernel table by name.
#include "dispatch/dispatch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/tables.h"

namespace ni::dispatch {
namespace {

TEST(Dispatch, ScalarIsAlwaysThereAndComesFirst) {
    ASSERT_GE(candidates().count, 1);
    EXPECT_STREQ(candidates().begin()->kernels->isa, "scalar");
    EXPECT_TRUE(candidates().begin()->supported);
}

TEST(Dispatch, CandidatesAreThoseOfTheProcessorsArchitecture) {
    std::vector<std::string> names;
    for (const Candidate& candidate : candidates()) names.emplace_back(candidate.kernels->isa);
#if defined(__x86_64__)
    const std::vector<std::string> expected = {"scalar", "avx2", "avx512"}, foreign = {"neon"};
#elif defined(__aarch64__)
    const std::vector<std::string> expected = {"scalar", "neon"}, foreign = {"avx2", "avx512"};
    // A part of the architecture, which nothing has to be asked for.
    EXPECT_TRUE(candidates().begin()[1].supported);
#else
    const std::vector<std::string> expected = {"scalar"}, foreign = {"avx2", "avx512", "neon"};
#endif
    EXPECT_EQ(names, expected);
    for (const std::string& name : foreign) {
        const Choice choice = choose(name.c_str());
        EXPECT_EQ(choice.kernels, nullptr) << name;
        EXPECT_NE(std::string(choice.error).find("this build does not know"), std::string::npos) << choice.error;
    }
}

TEST(Dispatch, EachNameChoosesItsTableOrSaysWhyNot) {
    for (const Candidate& candidate : candidates()) {
        const Choice choice = choose(candidate.kernels->isa);
        if (candidate.supported) {
            EXPECT_EQ(choice.kernels, candidate.kernels);
            EXPECT_EQ(choice.error, nullptr);
        } else {
            EXPECT_EQ(choice.kernels, nullptr);
            EXPECT_NE(std::string(choice.error).find("does not support"), std::string::npos) << choice.error;
        }
    }
}

TEST(Dispatch, NoNameChoosesTheBestSupportedTable) {
    EXPECT_EQ(choose(nullptr).kernels, test::supported_tables().back());
    EXPECT_EQ(choose("").kernels, test::supported_tables().back());
}

TEST(Dispatch, AnUnknownNameIsQuotedAndTheKnownOnesListed) {
    for (const std::string name : {"sse9", "AVX2", "avx2 ", " ", "scalar,avx2"}) {
        const Choice choice = choose(name.c_str());
        EXPECT_EQ(choice.kernels, nullptr) << name;
        ASSERT_NE(choice.error, nullptr) << name;
        const std::string error = choice.error;
        EXPECT_NE(error.find("NORMINTEROP_ISA is \"" + name + "\""), std::string::npos) << error;
        EXPECT_NE(error.find("does not know"), std::string::npos) << error;
        for (const KernelTable* table : test::supported_tables()) {
            EXPECT_NE(error.find(table->isa), std::string::npos) << error;
        }
    }
}

TEST(Dispatch, AVeryLongNameIsCut) {
    const Choice choice = choose(std::string(100000, 'x').c_str());
    EXPECT_EQ(choice.kernels, nullptr);
    EXPECT_LT(std::string(choice.error).size(), 256U);
    EXPECT_NE(std::string(choice.error).find("expected one of"), std::string::npos);
}

}  // namespace
}  // namespace ni::dispatch
