// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/atomic_file.h"
#include "runtime/train/trainer.h"

#include <cstdint>
#include <string>
#include <utility>

namespace apr::train {

/// The history of a run as JSON lines: one object per epoch (or per printed step where there are no
/// epochs), written as soon as it is known, so that a reader sees whole lines only. Lines that
/// cannot be written wait for the next one.
class History {
public:
  /// Starts a new file, or goes on after its first `keep` bytes; throws `Error` of kind Data.
  explicit History(std::string path, std::uint64_t keep = 0) : file_(std::move(path), keep) {}

  void addStep(const StepReport &report, double seconds);
  void addEpoch(const EpochReport &report, double seconds);

  /// Bytes so far.
  std::uint64_t size() const { return file_.size(); }
  /// Forces the file to the disk; false with errno where that fails.
  bool trySync() { return file_.trySync(); }
  /// The same; throws `Error` of kind Data.
  void finish() { file_.flush(); }

private:
  void write(const std::string &line);

  GrowingFile file_;
};

/// The lines that `History` writes, without the line end.
std::string historyLine(const StepReport &report, double seconds);
std::string historyLine(const EpochReport &report, double seconds);

} // namespace apr::train
