// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/checkpoint_folder.h"
#include "runtime/train/history.h"
#include "runtime/train/loop_settings.h"
#include "runtime/train/progress.h"
#include "runtime/train/record.h"
#include "runtime/train/run_recorder.h"
#include "runtime/train/trainer.h"

#include <chrono>
#include <optional>
#include <string>

namespace apr::aprun {

/// What a run remembers beside the trainer's own state, to go on as if nothing had happened.
struct RunPlace {
  std::uint64_t epochs = 0; ///< reported ones
  std::uint64_t steps = 0;
  train::Metrics training; ///< of the last epoch, or of the last step before there is one
  train::Metrics validation;
};

/// Writes the checkpoints of a run when they are due. A checkpoint that cannot be written is a
/// warning: training goes on, and the next occasion tries again.
class RunCheckpoints {
public:
  struct Parts {
    train::CheckpointFolder &folder;
    train::Trainer &trainer;
    train::RunRecord &record;
    train::RunRecorder &recorder;
    train::History &history;
    const train::Progress &progress;
    const train::RunSettings &settings;
    std::string dataHash;
  };
  explicit RunCheckpoints(Parts parts) : parts_(std::move(parts)) {}

  /// Keeps in mind that the epoch that `atRest` is called for next is the best one so far.
  void noteBest() { isBestNew_ = true; }
  /// Called whenever state and cursor belong together.
  void atRest(const RunPlace &place);
  /// Writes one now, unless this very place is saved already; false where that fails.
  bool save(const RunPlace &place);

  /// The checkpoint that the run goes on from is one of its own.
  void startAt(const train::Cursor &cursor) { saved_ = cursor; }
  const std::optional<train::Cursor> &saved() const { return saved_; }

private:
  using Clock = std::chrono::steady_clock;
  /// A checkpoint but for its state.
  struct Snapshot {
    train::Checkpoint checkpoint;
    RunPlace place;
    std::size_t entries = 0; ///< of the record's history
    std::optional<train::RecordedSteps> steps;
    double seconds = 0;
  };

  bool isDue(const train::Cursor &cursor) const;
  Snapshot takeSnapshot(const RunPlace &place) const;
  void write(Snapshot snapshot, const std::byte *state);
  bool tryWrite(const RunPlace &place);

  Parts parts_;
  bool isBestNew_ = false;
  std::optional<Snapshot> best_; ///< not yet written
  std::optional<train::Cursor> saved_;
  bool hasFailed_ = false;
  Clock::time_point last_ = Clock::now();
  double cost_ = 0; ///< seconds that the last one took
};

/// The settings that decide no bit but steer a run, for a run that goes on: how far, what is
/// printed, how often it is saved.
std::string planText(const train::RunSettings &settings);
/// Sets them; text that is none is an `Error` of kind Data.
void applyPlan(train::RunSettings &settings, const std::string &text, const std::string &file);

} // namespace apr::aprun
