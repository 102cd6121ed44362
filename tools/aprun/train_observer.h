// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/history.h"
#include "runtime/train/progress.h"
#include "runtime/train/run_recorder.h"
#include "tools/aprun/run_checkpoints.h"

#include <cstdint>
#include <optional>
#include <string>

namespace apr::aprun {

/// When a training ends before its plan says so.
struct StopConditions {
  std::uint64_t step = 0;     ///< after this one, as if the user had interrupted it; 0: never
  double seconds = 0;         ///< after so many of this process; 0: never
  std::uint64_t lastStep = 0; ///< of the plan, where it counts steps
};

/// Prints, records and saves what the trainer reports, and stops it on Ctrl-C or when it is time.
class TrainObserver : public train::Observer {
public:
  TrainObserver(train::Progress &progress, train::History &history, train::RunRecorder &recorder,
                RunCheckpoints &checkpoints, std::uint64_t every, StopConditions stop);

  /// The training goes on from here.
  void resume(const train::RunRecord &record);

  void onStep(const train::StepReport &report) override;
  void beforeLastEvaluation() override;
  void onEpoch(const train::EpochReport &report) override;
  void onRest() override;
  bool shouldStop() override;

  const RunPlace &place() const { return place_; }
  /// Whether the checkpoint before the last epoch's report is the one to go on from: a limit on the
  /// steps ended that epoch, or its figures are those of an end.
  bool isSavedBeforeReport() const { return isSavedBeforeReport_; }
  /// "interrupted" or "time limit"; empty where nothing stopped the training.
  const std::string &stopReason() const { return stopReason_; }

private:
  train::Progress &progress_;
  train::History &history_;
  train::RunRecorder &recorder_;
  RunCheckpoints &checkpoints_;
  std::uint64_t every_;
  StopConditions stop_;
  double startSeconds_;
  RunPlace place_;
  bool isSavedBeforeReport_ = false;
  std::string stopReason_;
};

} // namespace apr::aprun
