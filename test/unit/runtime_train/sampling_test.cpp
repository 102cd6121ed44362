// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/philox.h"
#include "runtime/train/sampling.h"
#include "runtime/train/sha256.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace apr::train {
namespace {

// Known answers of the Random123 library.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, ~std::uint64_t{0}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822u),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Sha256, GivesTheKnownAnswers) {
  Sha256 empty;
  EXPECT_EQ(empty.finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 abc;
  abc.update("abc", 3);
  EXPECT_EQ(abc.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  const std::string text(1000, 'a');
  for (int i = 0; i < 1000; ++i)
    pieces.update(text.data(), text.size());
  EXPECT_EQ(pieces.finish(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sampling, PermutesEachIndexOnce) {
  for (std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
    auto order = permutation(3, 1, "shuffle", count);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_EQ(order[i], i);
  }
}

TEST(Sampling, DependsOnSeedEpochAndStreamAlone) {
  const auto base = permutation(3, 1, "shuffle", 100);
  EXPECT_EQ(base, permutation(3, 1, "shuffle", 100));
  EXPECT_NE(base, permutation(4, 1, "shuffle", 100));
  EXPECT_NE(base, permutation(3, 2, "shuffle", 100));
  EXPECT_NE(base, permutation(3, 1, "split", 100));
}

// The algorithm is a promise: these orders may never change.
TEST(Sampling, KeepsItsOrders) {
  EXPECT_EQ(permutation(0, 1, "shuffle", 8), (std::vector<std::size_t>{7, 6, 1, 4, 5, 2, 3, 0}));
  EXPECT_EQ(permutation(42, 0, "split", 6), (std::vector<std::size_t>{4, 1, 2, 5, 0, 3}));
}

TEST(Sampling, SplitsTheNearestShare) {
  const Split split = splitRows(5, 10, 0.25);
  EXPECT_EQ(split.validation.size(), 3u);
  EXPECT_EQ(split.training.size(), 7u);
  EXPECT_TRUE(std::is_sorted(split.training.begin(), split.training.end()));
  EXPECT_TRUE(splitRows(5, 10, 0).validation.empty());
  EXPECT_TRUE(splitRows(5, 0, 0.5).training.empty());
}

} // namespace
} // namespace apr::train
