// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/train_observer.h"

#include "tools/aprun/interrupt.h"

namespace apr::aprun {

TrainObserver::TrainObserver(train::Progress &progress, train::History &history,
                             train::RunRecorder &recorder, RunCheckpoints &checkpoints,
                             std::uint64_t every, StopConditions stop)
    : progress_(progress), history_(history), recorder_(recorder), checkpoints_(checkpoints),
      every_(every), stop_(stop), startSeconds_(progress.seconds()) {}

void TrainObserver::resume(const train::RunRecord &record) {
  place_ = {record.epochs, record.steps, record.training, record.validation};
}

void TrainObserver::onStep(const train::StepReport &report) {
  progress_.onStep(report);
  recorder_.onStep(report);
  place_.steps = report.step;
  if (place_.epochs == 0)
    place_.training = report.metrics;
  const bool isPrinted = every_ > 0 && report.step % every_ == 0;
  if (isPrinted || (report.epoch == 0 && report.step == stop_.lastStep))
    history_.addStep(report, progress_.seconds());
}

void TrainObserver::beforeLastEvaluation() { isSavedBeforeReport_ = checkpoints_.save(place_); }

void TrainObserver::onEpoch(const train::EpochReport &report) {
  progress_.onEpoch(report);
  recorder_.onEpoch(report);
  history_.addEpoch(report, progress_.seconds());
  place_.epochs = report.epoch;
  place_.training = report.training;
  place_.validation = report.validation;
  isSavedBeforeReport_ = isSavedBeforeReport_ || !report.isWhole;
  if (report.isBest && report.isWhole)
    checkpoints_.noteBest();
}

void TrainObserver::onRest() {
  if (!isSavedBeforeReport_)
    checkpoints_.atRest(place_);
}

bool TrainObserver::shouldStop() {
  const bool isTimeOver = stop_.seconds > 0 && progress_.seconds() - startSeconds_ >= stop_.seconds;
  const bool isStep = stop_.step > 0 && place_.steps >= stop_.step;
  if (InterruptGuard::isRequested() || isStep)
    stopReason_ = "interrupted";
  else if (isTimeOver)
    stopReason_ = "time limit";
  return !stopReason_.empty();
}

} // namespace apr::aprun
