// The bits are those of expected.txt: with every instruction set of this build, on this processor as on any other.
// Other tests compare instruction sets with each other; this one compares processors, which no program has two of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "bits/digests.h"
#include "support/tables.h"

namespace ni::test {
namespace {

/// Set to rewrite the file in the source tree.
constexpr const char* kRewriteVariable = "NORMINTEROP_REWRITE_BITS";
constexpr const char* kHeader =
    R"(# Checksums of what the layers compute (digests.cpp), the same for every instruction set, processor and number of threads.
# A change here means that results have changed in their last bits. Where that is on purpose, because the order of operations
# in a kernel is another one, rebuild the native tests, and then:
# NORMINTEROP_REWRITE_BITS=1 build/release/bin/kernel_tests --gtest_filter='*Bits.*'
# The scalar kernels write; all others, and those of other processors, must agree.
)";

std::vector<std::string> expected() {
    std::vector<std::string> lines;
    std::ifstream file(NI_EXPECTED_BITS);
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.front() != '#') lines.push_back(line);
    }
    return lines;
}

void rewrite(const std::vector<std::string>& lines) {
    std::ofstream file(NI_EXPECTED_BITS);
    file << kHeader;
    for (const std::string& line : lines) file << line << '\n';
    ASSERT_TRUE(file.flush()) << NI_EXPECTED_BITS << " could not be written";
}

class Bits : public testing::TestWithParam<const KernelTable*> {};

INSTANTIATE_TEST_SUITE_P(All, Bits, testing::ValuesIn(supported_tables()),
                         [](const auto& tested) { return std::string(tested.param->isa); });

TEST_P(Bits, AreThoseThatWereCommitted) {
    const std::vector<std::string> actual = digests(*GetParam());
    const char* wanted = getenv(kRewriteVariable);
    if (wanted != nullptr && std::string(wanted) == "1" && GetParam() == &kScalarKernels) rewrite(actual);
    const std::vector<std::string> committed = expected();
    ASSERT_EQ(actual.size(), committed.size()) << "The header of " << NI_EXPECTED_BITS << " says how to rewrite it.";
    size_t different = 0;
    for (size_t i = 0; i < actual.size(); ++i) different += actual[i] != committed[i] ? 1 : 0;
    EXPECT_EQ(different, 0U) << "of " << actual.size() << " lines. The header of " << NI_EXPECTED_BITS
                             << " says how to rewrite it where that is on purpose. The first of them:";
    for (size_t i = 0; i < actual.size(); ++i) {
        EXPECT_EQ(actual[i], committed[i]);
        if (HasFailure()) break;
    }
}

}  // namespace
}  // namespace ni::test
