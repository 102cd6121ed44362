// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/line_chart.h"

#include "runtime/train/html_text.h"
#include "runtime/train/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace apr::train {
namespace {

constexpr double width = 640;
constexpr double height = 280;
constexpr double left = 64;
constexpr double right = 12;
constexpr double top = 10;
constexpr double bottom = 40;
/// More points than pixels show nothing more.
constexpr std::size_t mostPoints = 1000;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool isEmpty() const { return low > high; }
};

/// Values along an axis, from data to the length of the axis.
class Scale {
public:
  Scale(Range range, bool isLogarithmic, double from, double to)
      : isLogarithmic_(isLogarithmic), low_(at(range.low)), high_(at(range.high)), from_(from),
        to_(to) {
    if (low_ == high_) {
      const double margin = low_ == 0 ? 1 : std::abs(low_) * 0.1;
      low_ -= margin;
      high_ += margin;
    }
  }

  double place(double value) const {
    return from_ + (at(value) - low_) / (high_ - low_) * (to_ - from_);
  }

  std::vector<double> ticks() const {
    if (!isLogarithmic_)
      return axisTicks(low_, high_);
    std::vector<double> powers;
    const double step = std::max(1.0, std::ceil((high_ - low_) / 6));
    for (double power = std::ceil(low_); power <= high_; power += step)
      powers.push_back(std::pow(10, power));
    return powers;
  }

private:
  double at(double value) const { return isLogarithmic_ ? std::log10(value) : value; }

  bool isLogarithmic_;
  double low_;
  double high_;
  double from_;
  double to_;
};

ChartLine thinned(const ChartLine &line) {
  if (line.points.size() <= mostPoints)
    return line;
  ChartLine kept{line.name, line.color, line.isDashed, {}};
  const std::size_t stride = (line.points.size() + mostPoints - 1) / mostPoints;
  for (std::size_t i = 0; i < line.points.size(); i += stride)
    kept.points.push_back(line.points[i]);
  if ((line.points.size() - 1) % stride != 0)
    kept.points.push_back(line.points.back());
  return kept;
}

std::string gridAndTicks(const Scale &x, const Scale &y, const std::string &xLabel) {
  std::string svg;
  for (double tick : y.ticks()) {
    const double at = y.place(tick);
    svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
                       "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n",
                       left, width - right, at, at, left - 6, at + 4, tick);
  }
  for (double tick : x.ticks())
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.6g}</text>\n",
                       x.place(tick), height - bottom + 16, tick);
  return svg + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                           (left + width - right) / 2, height - 6, htmlText(xLabel));
}

/// A path for each run of finite values; a lone value is a dot.
std::string lineSvg(const ChartLine &line, const Scale &x, const Scale &y) {
  std::string path;
  std::string dots;
  bool isDrawing = false;
  for (std::size_t i = 0; i < line.points.size(); ++i) {
    const auto &[at, value] = line.points[i];
    if (!std::isfinite(value)) {
      isDrawing = false;
      continue;
    }
    const bool goesOn = i + 1 < line.points.size() && std::isfinite(line.points[i + 1].second);
    if (!isDrawing && !goesOn)
      dots += fmt::format("<circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>", line.color,
                          x.place(at), y.place(value));
    path += fmt::format("{}{:.1f},{:.1f}", isDrawing ? "L" : "M", x.place(at), y.place(value));
    isDrawing = true;
  }
  return fmt::format("<path class=\"line c{}{}\" d=\"{}\"/>{}\n", line.color,
                     line.isDashed ? " dashed" : "", path, dots);
}

/// What the script shows under the pointer: places, and values as text.
std::string pointerData(const std::vector<ChartLine> &lines, const Scale &x) {
  Json data = Json::array();
  for (const ChartLine &line : lines) {
    Json points = Json::array();
    for (const auto &[at, value] : line.points)
      points.push_back({std::round(x.place(at) * 10) / 10, fmt::format("{:.6g}", at),
                        fmt::format("{:.6g}", value)});
    data.push_back({{"name", line.name}, {"color", line.color}, {"points", points}});
  }
  return data.dump();
}

std::string legend(const std::vector<ChartLine> &lines) {
  std::string html = "<figcaption>";
  for (const ChartLine &line : lines)
    html += fmt::format("<span class=\"key c{}{}\">{}</span> ", line.color,
                        line.isDashed ? " dashed" : "", htmlText(line.name));
  return html + "</figcaption>\n";
}

} // namespace

std::vector<double> axisTicks(double low, double high) {
  const double span = high - low;
  if (!(span > 0) || !std::isfinite(span))
    return {low};
  const double power = std::pow(10, std::floor(std::log10(span / 5)));
  double step = 10 * power;
  for (double factor : {1.0, 2.0, 5.0})
    if (span / (factor * power) <= 6) {
      step = factor * power;
      break;
    }
  std::vector<double> ticks;
  const double first = std::ceil(low / step);
  for (int i = 0; i <= 12 && (first + i) * step <= high + step * 1e-9; ++i)
    ticks.push_back((first + i) * step);
  return ticks;
}

std::string chartHtml(const LineChart &chart) {
  Range xs;
  Range ys;
  std::vector<ChartLine> lines;
  for (const ChartLine &line : chart.lines) {
    lines.push_back(thinned(line));
    for (const auto &[x, y] : lines.back().points)
      if (std::isfinite(y)) {
        xs.include(x);
        ys.include(y);
      }
  }
  if (ys.isEmpty())
    return {};
  const bool isLogarithmic = ys.low > 0 && ys.high / ys.low > 100;
  const Scale x(xs, false, left, width - right);
  const Scale y(ys, isLogarithmic, height - bottom, top);
  std::string html =
      fmt::format("<figure class=\"chart\"><h3>{}</h3>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" "
                  "aria-label=\"{}\" data-points=\"{}\">\n",
                  htmlText(chart.title + (isLogarithmic ? " (logarithmic)" : "")), width, height,
                  htmlText(chart.title), htmlText(pointerData(lines, x)));
  html += gridAndTicks(x, y, chart.xLabel);
  for (const ChartLine &line : lines)
    html += lineSvg(line, x, y);
  html += fmt::format("<line class=\"cursor\" x1=\"0\" x2=\"0\" y1=\"{}\" y2=\"{}\"/>\n</svg>\n",
                      top, height - bottom);
  return html + legend(lines) + "</figure>\n";
}

} // namespace apr::train
