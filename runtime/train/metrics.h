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
};
using Metrics = std::vector<Metric>;

/// The metric of this name or null.
const Metric *find(const Metrics &metrics, std::string_view name);

/// Adds up what a train block's calls report, in f64 and in the order of the calls.
///
/// Row results (APRT_ROWS) are added row by row and divided by their number at the end, so the
/// figure does not depend on how the rows were batched. Floating scalars are averaged with the rows
/// of their call as weights, integer scalars are counts and add up.
class MetricSums {
public:
  explicit MetricSums(const aprt_entry &entry);

  /// Adds the results of the last call, of which the first `rows` rows count.
  void add(const EntryCall &call, std::size_t rows);
  Metrics result() const;

private:
  struct Sum {
    std::string name;
    std::size_t result = 0;
    double total = 0;
    double weight = 0;
    enum class Kind { Rows, WeightedMean, Count } kind = Kind::WeightedMean;
  };
  std::vector<Sum> sums_;
};

/// The figures of one call alone.
Metrics metricsOf(const EntryCall &call, std::size_t rows);

/// "0.12345": as many digits as a reader wants in a log; counts as integers.
std::string figure(double value);

} // namespace apr::train
