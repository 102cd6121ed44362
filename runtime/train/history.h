// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/trainer.h"

#include <string>

namespace apr::train {

/// The history of a run as JSON lines: one object per epoch (or per printed step where there are no
/// epochs), written as soon as it is known, so that a reader sees whole lines only.
class History {
public:
  /// Starts a new file; throws `Error` of kind Data.
  explicit History(std::string path);
  ~History();
  History(const History &) = delete;
  History &operator=(const History &) = delete;

  void addStep(const StepReport &report, double seconds);
  void addEpoch(const EpochReport &report, double seconds);

private:
  void write(const std::string &line);

  std::string path_;
  int descriptor_;
};

/// The lines that `History` writes, without the line end.
std::string historyLine(const StepReport &report, double seconds);
std::string historyLine(const EpochReport &report, double seconds);

} // namespace apr::train
