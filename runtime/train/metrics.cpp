// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace apr::train {

const Metric *find(const Metrics &metrics, std::string_view name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [name](const Metric &metric) { return metric.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

MetricSums::MetricSums(const aprt_entry &entry) {
  for (std::uint32_t i = 0; i < entry.result_count; ++i) {
    const aprt_tensor &result = entry.results[i];
    if (result.role == APRT_TENSOR)
      continue;
    const auto kind = result.role == APRT_ROWS ? Sum::Kind::Rows
                      : result.dtype == APRT_I32 || result.dtype == APRT_I64
                          ? Sum::Kind::Count
                          : Sum::Kind::WeightedMean;
    sums_.push_back({result.name, i, 0, 0, kind});
  }
}

void MetricSums::add(const EntryCall &call, std::size_t rows) {
  for (Sum &sum : sums_) {
    const ResultView result = call.result(sum.result);
    switch (sum.kind) {
    case Sum::Kind::Rows:
      for (std::size_t row = 0; row < std::min(rows, result.elements); ++row)
        sum.total += elementAt(result.values, result.tensor->dtype, row);
      sum.weight += static_cast<double>(std::min(rows, result.elements));
      break;
    case Sum::Kind::WeightedMean: {
      const auto weight = static_cast<double>(std::max<std::size_t>(rows, 1));
      sum.total += weight * elementAt(result.values, result.tensor->dtype, 0);
      sum.weight += weight;
      break;
    }
    case Sum::Kind::Count:
      sum.total += elementAt(result.values, result.tensor->dtype, 0);
      break;
    }
  }
}

Metrics MetricSums::result() const {
  Metrics metrics;
  for (const Sum &sum : sums_)
    metrics.push_back(
        {sum.name, sum.kind == Sum::Kind::Count ? sum.total : sum.total / sum.weight});
  return metrics;
}

Metrics metricsOf(const EntryCall &call, std::size_t rows) {
  MetricSums sums(call.entry());
  sums.add(call, rows);
  return sums.result();
}

std::string figure(double value) {
  if (std::trunc(value) == value && std::abs(value) < 1e9)
    return fmt::format("{:.0f}", value);
  const double size = std::abs(value);
  if (size >= 1e-3 && size < 1e6)
    return fmt::format("{:.{}f}", value, size < 10 ? 4 : size < 1000 ? 3 : 1);
  return fmt::format("{:.4g}", value);
}

} // namespace apr::train
