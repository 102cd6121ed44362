// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/philox.h"

#include <gtest/gtest.h>

namespace apr::interp {
namespace {

/// The rows "philox4x32 10" of kat_vectors in Random123 1.14.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

/// The test vectors of the FNV reference code.
TEST(Philox, StreamHashIsFnv1a) {
  EXPECT_EQ(streamHash(""), 0x811c9dc5u);
  EXPECT_EQ(streamHash("a"), 0xe40c292cu);
  EXPECT_EQ(streamHash("foobar"), 0xbf9cf968u);
}

} // namespace
} // namespace apr::interp
