// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/dataset.h"
#include "runtime/train/record.h"
#include "runtime/train/sampling.h"
#include "runtime/train/step_record.h"
#include "runtime/train/trainer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace apr::train {

/// Keeps what a record says of the course of a training: an entry before the first step, one after
/// each epoch (or every so many steps where there are no epochs), and hashes per step if asked for.
class RunRecorder {
public:
  RunRecorder(RunRecord &record, const Instance &instance) : record_(record), instance_(instance) {}

  /// Hashes every step into a file in this folder.
  void recordSteps(const std::string &folder);
  /// Goes on with such a file after these steps.
  void resumeSteps(const std::string &folder, const RecordedSteps &soFar);
  std::optional<RecordedSteps> stepsSoFar() const;
  /// Forces that file to the disk; false with errno where that fails.
  bool trySync() { return !steps_ || steps_->trySync(); }

  void onStart();
  void onStep(const StepReport &report);
  void onEpoch(const EpochReport &report);
  /// Records the final state.
  void finish();

private:
  void add(RecordedEpoch entry);

  RunRecord &record_;
  const Instance &instance_;
  std::unique_ptr<StepRecorder> steps_;
};

/// A training without epochs has an entry after every so many steps once these are done: the least
/// power of two that makes at most 200 entries. So the entries do not depend on how many steps were
/// planned, and one that goes on beyond its plan has those of a longer one.
std::uint64_t stepsPerEntry(std::uint64_t stepsDone);

/// SHA-256 of the numbers of the training rows, of the validation rows and of the test rows, each
/// list as its length and its numbers from 0, as 64-bit little-endian numbers.
std::string splitHash(const Split &split);
/// SHA-256 of the rows of an input as the model gets them.
std::string inputHash(const InputArray &input);

/// This machine, as a record keeps it; threads, compiler and target are the caller's.
RunInformation describeMachine();

} // namespace apr::train
