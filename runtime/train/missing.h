// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

enum class MissingPolicy {
  Error,   ///< a missing value is an error
  DropRow, ///< its whole row is left out
  Mean,    ///< the mean of the training rows that have a value
  Median,  ///< their median, of an even number the mean of the two in the middle
  Constant ///< a value that the settings give
};

/// What a column does about values that are missing.
struct Missing {
  MissingPolicy policy = MissingPolicy::Error;
  std::string constant;       ///< Constant: the value as a table would have it
  std::vector<double> fitted; ///< Mean, Median: the value, once it is known

  /// True where the value is found from the training rows.
  bool isFitted() const { return policy == MissingPolicy::Mean || policy == MissingPolicy::Median; }
  bool operator==(const Missing &) const = default;
};

/// "error", "drop", "mean", "median" or "constant".
const char *name(MissingPolicy policy);

/// Parses "error", "drop", "mean", "median", or else a constant.
Missing parseMissing(std::string_view text);

/// The words that stand for no value where a column has a policy, beside empty fields.
const std::vector<std::string> &usualMissingWords();

/// Finds the value of a column from the training rows (ascending) that do not lack it (`missing` is
/// ascending too) and puts it where one is missing. Sums run in the order of rows. A value that is
/// known already stays. False where no training row has a value.
bool fillMissing(Missing &missing, const std::vector<std::size_t> &missingRows,
                 const std::vector<std::size_t> &trainingRows, std::vector<double> &values);

} // namespace apr::train
