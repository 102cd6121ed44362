// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sparkline.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace apr::train {

std::string sparkline(const std::vector<double> &values, std::size_t width) {
  const std::size_t count = std::min(width, values.size());
  std::vector<double> means;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * values.size() / count;
    const std::size_t end = (i + 1) * values.size() / count;
    double sum = 0;
    for (std::size_t k = begin; k < end; ++k)
      sum += values[k] / static_cast<double>(end - begin);
    means.push_back(sum);
  }
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (double mean : means)
    if (std::isfinite(mean)) {
      low = std::min(low, mean);
      high = std::max(high, mean);
    }
  constexpr const char *blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string line;
  for (double mean : means) {
    if (!std::isfinite(mean)) {
      line += ' ';
      continue;
    }
    // Halves, so that the span of any two doubles is finite.
    const double share = high > low ? (mean / 2 - low / 2) / (high / 2 - low / 2) : 0;
    line += blocks[std::min<std::size_t>(7, static_cast<std::size_t>(share * 8))];
  }
  return line;
}

} // namespace apr::train
