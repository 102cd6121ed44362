// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/progress.h"

#include "runtime/train/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace apr::train {
namespace {

std::string figures(const Metrics &metrics, const char *prefix) {
  std::string result;
  for (const Metric &metric : metrics)
    if (!metric.isElement)
      result += fmt::format("  {}{} {}", prefix, metric.name, figure(metric.value));
  return result;
}

std::size_t digits(std::uint64_t number) { return std::to_string(number).size(); }

} // namespace

std::string clockText(double seconds) {
  const auto whole = static_cast<long long>(std::min(std::max(seconds, 0.0), 1e9) + 0.5);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

Progress::Progress(std::FILE *out, Device device, ProgressStyle style)
    : out_(out), device_(device), style_(std::move(style)), start_(Clock::now()),
      nextTimedLine_(style_.secondsBefore + 1), lastBar_(style_.secondsBefore - 1) {}

Progress::~Progress() { clearBar(); }

double Progress::seconds() const {
  return style_.secondsBefore + std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::line(const std::string &text) {
  clearBar();
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

double Progress::doneShare(const StepReport &report) const {
  if (style_.epochs == 0)
    return style_.steps == 0 ? 0
                             : static_cast<double>(report.step) / static_cast<double>(style_.steps);
  const double within = report.rowsTotal == 0 ? 0
                                              : static_cast<double>(report.rowsDone) /
                                                    static_cast<double>(report.rowsTotal);
  return (static_cast<double>(report.epoch - 1) + within) / static_cast<double>(style_.epochs);
}

/// What was done before the first report took no time of this process.
void Progress::countRows(const StepReport &report) {
  if (counted_.step > 0)
    rows_ += static_cast<double>(report.rowsDone) -
             static_cast<double>(report.epoch == counted_.epoch ? counted_.rowsDone : 0);
  counted_ = report;
}

std::string Progress::rateText() const {
  const double time = seconds() - style_.secondsBefore;
  if (rows_ <= 0 || time <= 0)
    return {};
  const double rate = rows_ / time;
  return rate < 10'000 ? fmt::format("  {:.0f} rows/s", rate)
                       : fmt::format("  {:.0f}k rows/s", rate / 1000);
}

void Progress::drawBar(const StepReport &report) {
  constexpr double redrawEvery = 0.1;
  const double now = seconds();
  if (now - lastBar_ < redrawEvery)
    return;
  lastBar_ = now;
  constexpr std::size_t width = 24;
  const double share = std::min(1.0, doneShare(report));
  const auto filled = static_cast<std::size_t>(share * width);
  const std::string place = style_.epochs > 0
                                ? fmt::format("epoch {}/{}", report.epoch, style_.epochs)
                                : fmt::format("step {}/{}", report.step, style_.steps);
  const double done = share - style_.shareBefore;
  const std::string left =
      done > 0 ? clockText((now - style_.secondsBefore) / done * (1 - share)) : "-:--";
  fmt::print(out_, "\r\x1b[K{} [{:=<{}}{:<{}}]{}{}  {} left", place, "", filled, "", width - filled,
             figures(report.metrics, ""), rateText(), left);
  std::fflush(out_);
  hasBar_ = true;
}

void Progress::clearBar() {
  if (hasBar_)
    fmt::print(out_, "\r\x1b[K");
  hasBar_ = false;
}

void Progress::tableRow(const char *unit, std::uint64_t number, const Metrics &metrics) {
  const auto widthOf = [](const LogColumn &column) {
    return std::max<std::size_t>(10, column.title.size());
  };
  if (!hasTableHead_) {
    std::string head = unit;
    std::string rule = "──────";
    for (const LogColumn &column : style_.table) {
      head += fmt::format(" │ {}", column.title);
      rule += "┼";
      for (std::size_t i = 0; i < widthOf(column) + 2; ++i)
        rule += "─";
    }
    line(head);
    line(rule);
    hasTableHead_ = true;
  }
  std::string row = fmt::format("{:>5}", number);
  for (const LogColumn &column : style_.table) {
    const Metric *metric = find(metrics, column.metric);
    row += metric ? fmt::format(" │ {:.6f}", metric->value) : fmt::format(" │ {:>8}", "-");
  }
  line(row);
}

void Progress::onStep(const StepReport &report) {
  const double now = seconds();
  const bool isCounted = style_.every > 0 && report.step % style_.every == 0;
  // Without a declared interval a long epoch still shows life, ever more rarely.
  const bool isTimed = device_ != Device::Terminal && style_.table.empty() && style_.every == 0 &&
                       now >= nextTimedLine_;
  if (isTimed) {
    timedLineInterval_ = std::min(60.0, timedLineInterval_ * 2);
    nextTimedLine_ = now + timedLineInterval_;
  }
  countRows(report);
  if (device_ == Device::Json) {
    if (isCounted || isTimed)
      line(historyLine(report, now));
  } else if (isCounted && !style_.table.empty()) {
    tableRow("Step ", report.step, report.metrics);
  } else if (isCounted || isTimed) {
    const std::string place =
        style_.steps > 0
            ? fmt::format("step {:>{}}/{}", report.step, digits(style_.steps), style_.steps)
            : fmt::format("epoch {} step {}", report.epoch, report.step);
    line(place + figures(report.metrics, ""));
  }
  if (device_ == Device::Terminal)
    drawBar(report);
}

bool Progress::isShown(std::uint64_t epoch) const {
  if (!style_.onlyEpochs.empty())
    return std::find(style_.onlyEpochs.begin(), style_.onlyEpochs.end(), epoch) !=
           style_.onlyEpochs.end();
  // A long training gets about a hundred lines.
  constexpr std::uint64_t mostLines = 100;
  const std::uint64_t stride = (style_.epochs + mostLines - 1) / mostLines;
  return stride <= 1 || epoch == 1 || epoch == style_.epochs || epoch % stride == 0;
}

void Progress::onEpoch(const EpochReport &report) {
  if (device_ == Device::Json)
    return line(historyLine(report, seconds()));
  if (!isShown(report.epoch))
    return;
  if (style_.every > 0 && style_.epochs == 0)
    return;
  if (!style_.table.empty()) {
    tableRow("Epoch", report.epoch, report.training);
    return;
  }
  const std::uint64_t total = std::max(style_.epochs, report.epoch);
  std::string text = fmt::format("epoch {:>{}}", report.epoch, digits(total));
  if (style_.epochs > 0)
    text += fmt::format("/{}", style_.epochs);
  line(text + figures(report.training, "") + figures(report.validation, "validation "));
  nextTimedLine_ = seconds() + timedLineInterval_;
}

} // namespace apr::train
