// Buffers that overlap: refused unless an output is exactly an input that it may be.
#include <gtest/gtest.h>

#include <algorithm>

#include "api/functions.h"

namespace ni::test {
namespace {

class Aliasing : public EveryFunction {
protected:
    /// Calls visit(output, other) for every output and every other argument.
    template <class Visit>
    void for_each_pair(Visit visit) const {
        for (const Argument& output : function().arguments) {
            if (!output.output) continue;
            for (const Argument& other : function().arguments) {
                if (other.name == output.name) continue;
                SCOPED_TRACE(output.name + " and " + other.name);
                visit(output, other);
            }
        }
    }
    /// The last place in a buffer that suits every element, and the first one behind it.
    static size_t last_in(size_t bytes) { return (bytes - 1) / 8 * 8; }
    static size_t behind(size_t bytes) { return (bytes + 7) / 8 * 8; }
    static bool may_be(const Argument& output, const Argument& other) {
        return std::count(output.may_be.begin(), output.may_be.end(), other.name) != 0;
    }
    /// Which of the two is named first is the library's business.
    static void expect_overlap(const PreparedCall& prepared, const Argument& a, const Argument& b) {
        expect_refused(prepared, NI_STATUS_ALIASED_BUFFERS, "overlaps");
        const std::string message = ni_last_error_message();
        EXPECT_TRUE(message == a.name + " overlaps " + b.name || message == b.name + " overlaps " + a.name) << message;
    }
};

INSTANTIATE_TEST_SUITE_P(Every, Aliasing, testing::ValuesIn(functions()), function_name);

TEST_P(Aliasing, TheSameAddressIsRefusedUnlessTheOutputMayBeThatInput) {
    for_each_type([&] {
        for_each_pair([&](const Argument& output, const Argument& other) {
            PreparedCall prepared(function(), data_type());
            prepared.alias(output.name, other.name, 0);
            if (may_be(output, other)) {
                EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
            } else {
                expect_overlap(prepared, output, other);
            }
        });
    });
}

TEST_P(Aliasing, PartialOverlapIsRefused) {
    for_each_type([&] {
        for_each_pair([&](const Argument& output, const Argument& other) {
            PreparedCall after(function(), data_type()), before(function(), data_type());
            const size_t last = last_in(after.bytes_of(other));
            for (const size_t offset : {size_t{8}, last}) {
                after.alias(output.name, other.name, offset);
                expect_overlap(after, output, other);
            }
            before.alias(other.name, output.name, last_in(before.bytes_of(output)));
            expect_overlap(before, output, other);
        });
    });
}

TEST_P(Aliasing, NeighboursAreAccepted) {
    for_each_type([&] {
        for_each_pair([&](const Argument& output, const Argument& other) {
            PreparedCall after(function(), data_type()), before(function(), data_type());
            after.alias(output.name, other.name, behind(after.bytes_of(other)));
            EXPECT_EQ(after.run(), NI_STATUS_OK) << ni_last_error_message();
            before.alias(other.name, output.name, behind(before.bytes_of(output)));
            EXPECT_EQ(before.run(), NI_STATUS_OK) << ni_last_error_message();
        });
    });
}

TEST_P(Aliasing, InputsMayBeOneBuffer) {
    for_each_type([&] {
        for (const Argument& a : function().arguments) {
            for (const Argument& b : function().arguments) {
                if (a.output || b.output || a.kind != b.kind || a.name == b.name) continue;
                SCOPED_TRACE(a.name + " and " + b.name);
                PreparedCall prepared(function(), data_type());
                prepared.alias(a.name, b.name, 0);
                EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
            }
        }
    });
}

TEST_P(Aliasing, BuffersWithoutElementsOverlapNothing) {
    for_each_type([&] {
        for (const Argument& data : function().arguments) {
            for (const Argument& other : function().arguments) {
                if (data.kind != Kind::kData || other.kind == Kind::kData) continue;
                SCOPED_TRACE(data.name + " and " + other.name);
                PreparedCall prepared(function(), data_type(), 0);
                prepared.alias(data.name, other.name, 8);
                EXPECT_EQ(prepared.run(), NI_STATUS_OK) << ni_last_error_message();
            }
        }
    });
}

}  // namespace
}  // namespace ni::test
