// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace apr::train {
namespace {

using Rows = std::vector<std::size_t>;

Rows rowsTo(std::size_t count) {
  Rows rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

/// Row r has the key r modulo `count`, or what `codeOf` says.
template <class F> RowKeys keysOf(std::size_t rows, std::size_t count, F codeOf) {
  RowKeys keys;
  for (std::size_t row = 0; row < rows; ++row)
    keys.codes.push_back(static_cast<std::uint32_t>(codeOf(row)));
  for (std::size_t code = 0; code < count; ++code)
    keys.words.push_back("k" + std::to_string(code));
  return keys;
}

/// All rows are in one part, and each part is ascending.
void expectWhole(const Split &split, const Rows &rows) {
  Rows all;
  for (const Rows *part : {&split.training, &split.validation, &split.test}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    all.insert(all.end(), part->begin(), part->end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, rows);
}

TEST(Split, IsThatOfTheShareAlone) {
  const Rows rows = rowsTo(103);
  for (double share : {0.0, 0.1, 0.25, 0.9}) {
    const Split plain = splitRows(5, rows.size(), share);
    const Split split = splitRows(5, {}, {share, 0, 0, 0}, rows, {});
    EXPECT_EQ(split.training, plain.training);
    EXPECT_EQ(split.validation, plain.validation);
    // A test part takes rows of the training only.
    const Split three = splitRows(5, {}, {share, 0.1, 0, 0}, rows, {});
    EXPECT_EQ(three.validation, share < 0.9 ? plain.validation : three.validation);
    EXPECT_EQ(three.test.size(), 10u);
    expectWhole(three, rows);
  }
  EXPECT_NE(splitRows(6, {}, {0.25, 0, 0, 0}, rows, {}).validation,
            splitRows(5, {}, {0.25, 0, 0, 0}, rows, {}).validation);
}

TEST(Split, DividesTheRowsItIsGiven) {
  const Rows rows = {3, 4, 10, 11, 12, 40};
  const Split split = splitRows(1, {}, {0.5, 0, 0, 0}, rows, {});
  EXPECT_EQ(split.validation.size(), 3u);
  expectWhole(split, rows);
}

TEST(Split, KeepsTheShareOfEachClass) {
  const Rows rows = rowsTo(100);
  const RowKeys keys = keysOf(100, 3, [](std::size_t row) {
    return row < 80 ? 0 : row < 95 ? 1 : 2;
  });
  const Split split = splitRows(3, {SplitKind::Stratified, "k"}, {0.2, 0.2, 0, 0}, rows, keys);
  expectWhole(split, rows);
  for (const Rows *part : {&split.validation, &split.test}) {
    std::size_t counts[3] = {};
    for (std::size_t row : *part)
      ++counts[keys.codes[row]];
    EXPECT_EQ(counts[0], 16u);
    EXPECT_EQ(counts[1], 3u);
    EXPECT_EQ(counts[2], 1u);
  }
}

TEST(Split, KeepsGroupsTogether) {
  const Rows rows = rowsTo(200);
  const RowKeys keys = keysOf(200, 23, [](std::size_t row) { return (row * row + row / 3) % 23; });
  const auto groupsOf = [&](const Rows &part) {
    std::set<std::uint32_t> groups;
    for (std::size_t row : part)
      groups.insert(keys.codes[row]);
    return groups;
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = splitRows(seed, {SplitKind::Groups, "k"}, {0.2, 0.1, 0, 0}, rows, keys);
    expectWhole(split, rows);
    std::set<std::uint32_t> all;
    std::size_t count = 0;
    for (const Rows *part : {&split.training, &split.validation, &split.test}) {
      const auto groups = groupsOf(*part);
      count += groups.size();
      all.insert(groups.begin(), groups.end());
    }
    EXPECT_EQ(count, all.size());
    EXPECT_GE(split.validation.size(), 40u);
    EXPECT_GE(split.test.size(), 20u);
    EXPECT_GE(split.training.size(), 100u);
  }
}

TEST(Split, MakesEachRowValidateInOneFold) {
  const Rows rows = rowsTo(57);
  const RowKeys keys = keysOf(57, 11, [](std::size_t row) { return row % 11; });
  for (SplitKind kind : {SplitKind::Random, SplitKind::Stratified, SplitKind::Groups}) {
    Rows seen;
    Rows test;
    for (std::size_t fold = 1; fold <= 5; ++fold) {
      const Split split = splitRows(9, {kind, "k"}, {0, 0.1, 5, fold}, rows, keys);
      expectWhole(split, rows);
      seen.insert(seen.end(), split.validation.begin(), split.validation.end());
      if (fold == 1)
        test = split.test;
      EXPECT_EQ(split.test, test);
      EXPECT_FALSE(split.validation.empty());
    }
    seen.insert(seen.end(), test.begin(), test.end());
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, rows);
  }
}

TEST(Split, FollowsAColumnThatNamesTheParts) {
  RowKeys keys{{0, 1, 2, 0, 3}, {"train", "val", "test", "validation"}};
  const Split split = splitRows(1, {SplitKind::Named, "part"}, {}, rowsTo(5), keys);
  EXPECT_EQ(split.training, (Rows{0, 3}));
  EXPECT_EQ(split.validation, (Rows{1, 4}));
  EXPECT_EQ(split.test, (Rows{2}));
  keys.words[2] = "tset";
  try {
    splitRows(1, {SplitKind::Named, "part"}, {}, rowsTo(5), keys);
    ADD_FAILURE();
  } catch (const Error &error) {
    EXPECT_STREQ(error.what(), "error: \"tset\" in column part names no part of the split; there "
                               "are training, validation and test");
  }
}

TEST(Split, ReadsWhatItWrites) {
  for (const char *written : {"random", "stratified=class", "groups=a=b", "named=-1"})
    EXPECT_EQ(text(parseSplitRule(written, {})), written);
  EXPECT_EQ(text(parseSplitRule("by=patient", {})), "groups=patient");
  for (const char *wrong : {"", "stratified", "stratified=", "random=x", "strtified=x"})
    EXPECT_THROW(parseSplitRule(wrong, {}), Error) << wrong;
}

TEST(Split, DrawsClassesEquallyOften) {
  Split split;
  split.training = rowsTo(1000);
  split.training.erase(split.training.begin()); // row 0, the only one of class 9
  for (std::size_t row = 0; row < 1000; ++row)
    split.balanced.push_back(row == 0 ? 9 : row < 20 ? 7 : row < 300 ? 1 : 0);
  const Rows order = epochRows(3, 2, split);
  ASSERT_EQ(order.size(), 999u);
  std::size_t counts[10] = {};
  for (std::size_t row : order)
    ++counts[split.balanced[row]];
  EXPECT_EQ(counts[9], 0u);
  for (std::size_t code : {0, 1, 7})
    EXPECT_TRUE(counts[code] > 280 && counts[code] < 390) << counts[code];
  EXPECT_NE(epochRows(3, 3, split), order);
  EXPECT_NE(epochRows(4, 2, split), order);
  EXPECT_EQ(epochRows(3, 2, split), order);
  split.balanced.clear();
  EXPECT_EQ(epochRows(3, 2, split), shuffledRows(3, 2, split.training));
}

} // namespace
} // namespace apr::train
