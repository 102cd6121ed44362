// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/missing.h"

#include <algorithm>
#include <array>

namespace apr::train {
namespace {

constexpr std::array<const char *, 5> names = {"error", "drop", "mean", "median", "constant"};

double meanOf(const std::vector<double> &known) {
  double sum = 0;
  for (double x : known)
    sum += x;
  return sum / static_cast<double>(known.size());
}

double medianOf(std::vector<double> known) {
  std::sort(known.begin(), known.end());
  const std::size_t middle = known.size() / 2;
  // Halves before the sum: two large values have a mean though their sum overflows.
  return known.size() % 2 == 1 ? known[middle] : known[middle - 1] * 0.5 + known[middle] * 0.5;
}

} // namespace

const char *name(MissingPolicy policy) { return names[static_cast<std::size_t>(policy)]; }

Missing parseMissing(std::string_view text) {
  for (MissingPolicy policy :
       {MissingPolicy::Error, MissingPolicy::DropRow, MissingPolicy::Mean, MissingPolicy::Median})
    if (text == name(policy))
      return {policy, {}, {}};
  return {MissingPolicy::Constant, std::string(text), {}};
}

const std::vector<std::string> &usualMissingWords() {
  static const std::vector<std::string> words = {"NA",  "N/A",  "na",   "n/a",  "NaN", "nan",
                                                 "NAN", "null", "NULL", "None", "?"};
  return words;
}

bool fillMissing(Missing &missing, const std::vector<std::size_t> &missingRows,
                 const std::vector<std::size_t> &trainingRows, std::vector<double> &values) {
  if (missing.fitted.empty()) {
    std::vector<double> known;
    for (std::size_t row : trainingRows)
      if (!std::binary_search(missingRows.begin(), missingRows.end(), row))
        known.push_back(values[row]);
    if (known.empty())
      return false;
    missing.fitted = {missing.policy == MissingPolicy::Mean ? meanOf(known) : medianOf(known)};
  }
  for (std::size_t row : missingRows)
    values[row] = missing.fitted.front();
  return true;
}

} // namespace apr::train
