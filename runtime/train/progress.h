// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/run_settings.h"
#include "runtime/train/trainer.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace apr::train {

/// How training shows on a screen or in a log.
struct ProgressStyle {
  std::uint64_t epochs = 0;              ///< of the whole training, 0 where steps decide
  std::uint64_t steps = 0;               ///< of the whole training, 0 where epochs decide
  std::uint64_t every = 0;               ///< a line every so many steps
  std::vector<std::uint64_t> onlyEpochs; ///< empty: all, at most about a hundred
  std::vector<LogColumn> table;          ///< empty: a line of all figures
  double secondsBefore = 0;              ///< of a training that goes on
  double shareBefore = 0;                ///< of the whole training that was done before
};

/// Prints progress: on a terminal a bar with the time left that is redrawn in place, elsewhere
/// plain lines at sensible intervals, the first within a second of work.
class Progress {
public:
  /// Json: the lines of history.jsonl for each epoch and each step that would be printed.
  enum class Device { Terminal, Log, Json };

  Progress(std::FILE *out, Device device, ProgressStyle style);
  /// Removes the bar.
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  void onStep(const StepReport &report);
  void onEpoch(const EpochReport &report);

  /// Seconds since the start, with those before it.
  double seconds() const;

private:
  using Clock = std::chrono::steady_clock;

  void line(const std::string &text);
  void drawBar(const StepReport &report);
  void clearBar();
  bool isShown(std::uint64_t epoch) const;
  double doneShare(const StepReport &report) const;
  void countRows(const StepReport &report);
  std::string rateText() const;
  void tableRow(const char *unit, std::uint64_t number, const Metrics &metrics);

  std::FILE *out_;
  Device device_;
  ProgressStyle style_;
  Clock::time_point start_;
  double nextTimedLine_;
  double lastBar_;
  double timedLineInterval_ = 1;
  bool hasBar_ = false;
  StepPosition counted_; ///< up to here rows were counted
  double rows_ = 0;      ///< since the start of this process
  bool hasTableHead_ = false;
};

/// "1:02:03", "2:03" or "0:03".
std::string clockText(double seconds);

} // namespace apr::train
