// PlaneBlocks and RowGrid: every element exactly once, in pieces that the kernels can take.
#include "parallel/cut.h"

#include <gtest/gtest.h>

#include <vector>

namespace ni::parallel {
namespace {

struct Shape {
    int64_t batch, channels, spatial;
    int64_t elements() const { return batch * channels * spatial; }
};

std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (const int64_t batch : {1, 2, 3, 7, 64, 257})
        for (const int64_t channels : {1, 2, 3})
            for (const int64_t spatial : {1, 2, 15, 16, 17, 49, 64, 1023, 1024, 1025, 2048, 2049}) {
                all.push_back({batch, channels, spatial});
            }
    for (const int64_t spatial : {4095, 4096, 4097, 4111, 4112, 8191, 8192, 8193, 8225, 12289, 50176, 65537}) {
        all.push_back({1, 1, spatial});
        all.push_back({3, 2, spatial});
    }
    return all;
}

TEST(PlaneBlocks, CoverEveryElementOfAChannelExactlyOnce) {
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(testing::Message() << shape.batch << ", " << shape.channels << ", " << shape.spatial);
        std::vector<int> visits(static_cast<size_t>(shape.elements()));
        const PlaneBlocks blocks(shape.batch, shape.channels, shape.spatial);
        for (int64_t b = 0; b < blocks.count(); ++b) {
            const auto block = blocks.at(b, true);
            EXPECT_EQ(block.elements(), static_cast<double>(block.planes.count * block.planes.length));
            for (int64_t p = 0; p < block.planes.count; ++p)
                for (int64_t i = 0; i < block.planes.length; ++i)
                    ++visits.at(block.offset + p * block.planes.stride + i);
        }
        // Offsets are relative to the channel's first element: these are channel 0's.
        for (int64_t i = 0; i < shape.elements(); ++i) {
            ASSERT_EQ(visits[i], i / shape.spatial % shape.channels == 0 ? 1 : 0) << "element " << i;
        }
    }
}

TEST(PlaneBlocks, AreSmallAndNeverEmpty) {
    for (const Shape& shape : shapes()) {
        const PlaneBlocks blocks(shape.batch, shape.channels, shape.spatial);
        ASSERT_GE(blocks.count(), 1);
        for (int64_t b = 0; b < blocks.count(); ++b) {
            const auto block = blocks.at(b, true);
            EXPECT_GE(block.planes.count, 1);
            EXPECT_GE(block.planes.length, 1);
            EXPECT_LE(block.elements(), static_cast<double>(kBlockElements));
        }
    }
}

TEST(PlaneBlocks, PartsOfAPlaneBeginAtWholeVectors) {
    for (const int64_t spatial : {4097, 8193, 50176, 65537}) {
        const PlaneBlocks blocks(1, 1, spatial);
        for (int64_t b = 0; b < blocks.count(); ++b) EXPECT_EQ(blocks.at(b, true).offset % 16, 0) << spatial;
    }
}

TEST(PlaneBlocks, HintsLeadToWhatIsReadNext) {
    int64_t hints = 0;
    for (const Shape& shape : {Shape{64, 4, 3136}, Shape{64, 700, 49}, Shape{3, 2, 200000}, Shape{2, 3, 50}}) {
        const PlaneBlocks blocks(shape.batch, shape.channels, shape.spatial);
        for (int64_t b = 0; b < blocks.count(); ++b) {
            const auto block = blocks.at(b, true);
            const bool last = b + 1 == blocks.count();
            const int64_t following = last ? shape.spatial : blocks.at(b + 1, true).offset;
            EXPECT_TRUE(block.planes.next == 0 || block.offset + block.planes.next == following) << "block " << b;
            EXPECT_TRUE(!last || blocks.at(b, false).planes.next == 0);
            hints += block.planes.next != 0 ? 1 : 0;
        }
    }
    EXPECT_GT(hints, 0);
}

TEST(PlaneBlocks, WholeIsAllPlanesOfAChannel) {
    const PlaneBlocks blocks(5, 3, 7000);
    EXPECT_EQ(blocks.whole().count, 5);
    EXPECT_EQ(blocks.whole().stride, 3 * 7000);
    EXPECT_EQ(blocks.whole().length, 7000);
}

constexpr int64_t kGridRows[] = {1, 2, 63, 64, 65, 128, 129, 8191, 8192, 8193, 8256, 16385, 40000};
constexpr int64_t kGridChannels[] = {1, 15, 16, 17, 511, 512, 513, 1024, 1025};

/// Calls visit(rows, channels, grid) for shapes of every kind, cut for few and for many threads.
template <class Visit>
void for_each_grid(Visit visit) {
    for (const int64_t rows : kGridRows) {
        for (const int64_t channels : kGridChannels) {
            for (const int32_t threads : {1, 2, 3, 64}) {
                SCOPED_TRACE(testing::Message() << rows << " rows of " << channels << ", " << threads << " threads");
                visit(rows, channels, RowGrid(rows, channels, threads));
            }
        }
    }
}

TEST(RowGrid, CoversEveryElementExactlyOnce) {
    for_each_grid([](int64_t rows, int64_t channels, const RowGrid& grid) {
        if (rows * channels > 3'000'000) return;
        std::vector<char> visits(static_cast<size_t>(rows * channels));
        for (int64_t i = 0; i < grid.pieces(); ++i) {
            const auto piece = grid.at(i);
            ASSERT_EQ(piece.offset % channels, piece.channel);
            for (int64_t r = 0; r < piece.rows.count; ++r)
                for (int64_t c = 0; c < piece.rows.channels; ++c) ++visits.at(piece.offset + r * piece.rows.stride + c);
        }
        ASSERT_EQ(std::count(visits.begin(), visits.end(), 1), rows * channels);
    });
}

TEST(RowGrid, PiecesFitTheKernelsAndTheRoomForTheirSums) {
    for_each_grid([](int64_t, int64_t channels, const RowGrid& grid) {
        EXPECT_GE(grid.padded_channels(), channels);
        for (int64_t i = 0; i < grid.pieces(); ++i) {
            const auto piece = grid.at(i);
            EXPECT_GE(piece.rows.count, 1);
            EXPECT_EQ(piece.rows.count, grid.rows_of_chunk(piece.chunk));
            EXPECT_EQ(piece.rows.stride, channels);
            EXPECT_GE(piece.rows.channels, 1);
            EXPECT_LE(piece.rows.channels, kRowTile);
            EXPECT_LT(piece.chunk, grid.chunks());
            // A kernel writes whole vectors of sums: they must neither reach the next tile's nor the next chunk's.
            EXPECT_EQ(piece.channel % 16, 0);
            EXPECT_LE(piece.channel + round_up(piece.rows.channels, 16), grid.padded_channels());
        }
    });
}

TEST(RowGrid, ChunksDoNotDependOnTheThreads) {
    // Their sums are folded in turn; tiles may differ, because channels never meet.
    for_each_grid([](int64_t rows, int64_t channels, const RowGrid& grid) {
        const RowGrid alone(rows, channels, 1);
        ASSERT_EQ(grid.chunks(), alone.chunks());
        for (int64_t chunk = 0; chunk < grid.chunks(); ++chunk) {
            ASSERT_EQ(grid.rows_of_chunk(chunk), alone.rows_of_chunk(chunk));
        }
    });
}

TEST(RowGrid, PartialSumsAreSmallBesideTheData) {
    for (const int64_t rows : {int64_t{1}, int64_t{64}, int64_t{65}, int64_t{8192}, int64_t{8193}, int64_t{1} << 40}) {
        for (const int64_t channels : kGridChannels) {
            const RowGrid grid(rows, channels, 1);
            EXPECT_LE(grid.chunks(), RowGrid::kMostChunks);
            // Of one chunk of fewer than RowGrid::kLeastChunkRows rows, the sums are as large as they are.
            const int64_t sums = grid.chunks() * channels * 16, data = rows * channels * 4;
            EXPECT_LE(sums, data / 16 + channels * 16) << rows << " rows of " << channels;
        }
    }
}

}  // namespace
}  // namespace ni::parallel
