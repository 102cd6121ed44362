// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"
#include "runtime/train/sampling.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// How the rows of a table are divided for training, validation and test.
enum class SplitKind {
  Random,
  Stratified, ///< each class of a column by itself, so that all parts have its share
  Groups,     ///< rows with the same value of a column are never on both sides
  Named       ///< a column says which part a row belongs to
};

struct SplitRule {
  SplitKind kind = SplitKind::Random;
  std::string column; ///< a name or position; empty for Random

  bool operator==(const SplitRule &) const = default;
};

/// Parses "random", "stratified=COLUMN", "groups=COLUMN" or "named=COLUMN"; errors are of kind
/// Usage at `place`.
SplitRule parseSplitRule(std::string_view text, const Place &place);
/// The inverse.
std::string text(const SplitRule &rule);

/// How much goes where.
struct SplitShares {
  double validation = 0;
  double test = 0;
  std::size_t folds = 0; ///< with at least 2: validation is one of so many folds
  std::size_t fold = 0;  ///< which one, from 1
};

/// The values of a column: a number for each row, and the words that the numbers stand for.
struct RowKeys {
  std::vector<std::uint32_t> codes;
  std::vector<std::string> words;
};

/// Divides `rows`, ascending numbers of rows of a data set, as a function of these arguments alone.
///
/// The order is `permutation(seed, 0, "split", n)` of the rows. Of n rows in that order the first
/// ⌊n · validation + ½⌋ are for validation and the last ⌊n · test + ½⌋ for test; with folds the
/// validation rows are those from ⌊m (fold − 1) / folds⌋ up to ⌊m · fold / folds⌋ of the m rows
/// that are not for test. Stratified does so with the rows of each class. Groups takes the groups,
/// numbered by first appearance, in the order of the permutation of their number: the next group is
/// for validation (from the front) or test (from the back) while fewer rows than wanted are; it
/// belongs to fold ⌊folds · (rows before it) / m⌋ + 1. Named ignores the shares.
///
/// `keys` are those of the rule's column for all rows of the data set. Errors are of kind Data,
/// such as a word of a Named column that names no part.
Split splitRows(std::uint64_t seed, const SplitRule &rule, const SplitShares &shares,
                const std::vector<std::size_t> &rows, const RowKeys &keys);

} // namespace apr::train
