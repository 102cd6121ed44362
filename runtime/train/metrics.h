// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/instance.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// A reported figure.
struct Metric {
  std::string name;
  double value = 0;
  /// Of a ratio: nothing was counted, so it has no value (NaN) without anything being wrong.
  bool isUndefined = false;
  bool isElement = false; ///< of a tensor, such as a confusion matrix: "confusion[0,1]"
};
using Metrics = std::vector<Metric>;

/// The metric of this name or null.
const Metric *find(const Metrics &metrics, std::string_view name);

/// What `MetricSums` has added up under one name.
struct MetricTotals {
  std::string name;
  std::vector<std::int64_t> shape; ///< of an element count; else empty
  std::vector<double> totals;      ///< one, or one per element of a count
  double weight = 0;

  bool operator==(const MetricTotals &) const = default;
};

/// Adds up what a train block's calls report, in f64 and in the order of the calls.
///
/// Row results (APRT_ROWS) are added row by row and divided by their number at the end, so the
/// figure does not depend on how the rows were batched. Scalars are averaged with the rows of their
/// call as weights, counts (APRT_SUM) add up element by element, and of a pair (APRT_RATIO) both
/// halves do before they are divided.
class MetricSums {
public:
  explicit MetricSums(const aprt_entry &entry);

  /// Adds the results of the last call, of which the first `rows` rows count.
  void add(const EntryCall &call, std::size_t rows);
  Metrics result() const;

  /// What was added up so far, and how to go on from it; totals of other names or other numbers of
  /// elements than the entry's are an `Error` of kind Data.
  std::vector<MetricTotals> totals() const;
  void restore(const std::vector<MetricTotals> &totals);

private:
  struct Sum : MetricTotals {
    std::size_t result = 0;
    std::int32_t role = APRT_SCALAR;
  };
  static void add(Sum &sum, const ResultView &result, std::size_t rows);
  std::vector<Sum> sums_;
};

/// The figures of one call alone.
Metrics metricsOf(const EntryCall &call, std::size_t rows);

/// "0.12345": as many digits as a reader wants in a log; counts as integers.
std::string figure(double value);

} // namespace apr::train
