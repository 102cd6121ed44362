// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace apr::train {

/// One line of a chart; x ascends. Values that are not finite leave gaps.
struct ChartLine {
  std::string name;
  std::size_t color = 0; ///< of the page's palette: CSS classes c0 … c7
  bool isDashed = false;
  std::vector<std::pair<double, double>> points;
};

struct LineChart {
  std::string title;
  std::string xLabel; ///< "epoch"
  std::vector<ChartLine> lines;
};

/// About five round numbers that cover a range: multiples of 1, 2 or 5 times a power of ten.
std::vector<double> axisTicks(double low, double high);

/// The chart as a <figure> with an inline SVG, its legend, and its numbers for the script that
/// shows them under the pointer. Positive values that span more than two powers of ten get a
/// logarithmic axis. Empty where no line has a finite value.
std::string chartHtml(const LineChart &chart);

} // namespace apr::train
