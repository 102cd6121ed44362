// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/metrics.h"

#include "runtime/train/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

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
    // A whole number is a count, whether the object says so or not.
    const bool isCount =
        result.role == APRT_SCALAR && (result.dtype == APRT_I32 || result.dtype == APRT_I64);
    const std::int32_t role = isCount ? APRT_SUM : result.role;
    // How many elements a count has is known with the first call.
    sums_.push_back({{result.name, {}, std::vector<double>(role == APRT_SUM ? 0 : 1), 0}, i, role});
  }
}

void MetricSums::add(const EntryCall &call, std::size_t rows) {
  for (Sum &sum : sums_)
    add(sum, call.result(sum.result), rows);
}

void MetricSums::add(Sum &sum, const ResultView &result, std::size_t rows) {
  const auto element = [&](std::size_t i) {
    return elementAt(result.values, result.tensor->dtype, i);
  };
  switch (sum.role) {
  case APRT_ROWS:
    for (std::size_t row = 0; row < std::min(rows, result.elements); ++row)
      sum.totals[0] += element(row);
    sum.weight += static_cast<double>(std::min(rows, result.elements));
    break;
  case APRT_SUM:
    sum.shape.assign(result.shape.begin(), result.shape.end());
    sum.totals.resize(std::max(sum.totals.size(), result.elements));
    for (std::size_t i = 0; i < result.elements; ++i)
      sum.totals[i] += element(i);
    break;
  case APRT_RATIO:
    sum.totals[0] += element(0);
    sum.weight += element(1);
    break;
  default: {
    const auto weight = static_cast<double>(std::max<std::size_t>(rows, 1));
    sum.totals[0] += weight * element(0);
    sum.weight += weight;
  }
  }
}

namespace {

/// "name[1,0]" for the element of a tensor of this shape.
std::string elementName(const std::string &name, const std::vector<std::int64_t> &shape,
                        std::size_t element) {
  std::string place;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const auto size = static_cast<std::size_t>(shape[axis]);
    place = fmt::format("{}{}{}", element % size, place.empty() ? "" : ",", place);
    element /= size;
  }
  return fmt::format("{}[{}]", name, place);
}

} // namespace

Metrics MetricSums::result() const {
  Metrics metrics;
  for (const Sum &sum : sums_) {
    if (sum.role == APRT_SUM && !sum.shape.empty())
      for (std::size_t i = 0; i < sum.totals.size(); ++i)
        metrics.push_back({elementName(sum.name, sum.shape, i), sum.totals[i], false, true});
    else if (sum.role == APRT_SUM)
      metrics.push_back({sum.name, sum.totals.empty() ? 0 : sum.totals[0]});
    else if (sum.role == APRT_RATIO && sum.weight == 0)
      metrics.push_back({sum.name, std::numeric_limits<double>::quiet_NaN(), true, false});
    else
      metrics.push_back({sum.name, sum.totals[0] / sum.weight});
  }
  return metrics;
}

std::vector<MetricTotals> MetricSums::totals() const { return {sums_.begin(), sums_.end()}; }

void MetricSums::restore(const std::vector<MetricTotals> &totals) {
  bool fits = totals.size() == sums_.size();
  for (std::size_t i = 0; fits && i < totals.size(); ++i)
    fits = totals[i].name == sums_[i].name &&
           (sums_[i].role == APRT_SUM || totals[i].totals.size() == 1);
  if (!fits)
    throw Error(ErrorKind::Data, "the sums of figures are not those of the model's train block");
  for (std::size_t i = 0; i < totals.size(); ++i)
    static_cast<MetricTotals &>(sums_[i]) = totals[i];
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
