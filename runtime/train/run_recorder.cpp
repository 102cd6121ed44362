// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/run_recorder.h"

#include "runtime/train/sha256.h"
#include "runtime/train/weights.h"

#include <algorithm>

namespace apr::train {
namespace {

void hashRows(Sha256 &hash, const std::vector<std::size_t> &rows) {
  hash.updateNumber(rows.size());
  for (std::size_t row : rows)
    hash.updateNumber(row);
}

} // namespace

std::uint64_t stepsPerEntry(std::uint64_t stepsDone) {
  constexpr std::uint64_t entries = 200;
  std::uint64_t interval = 1;
  while (stepsDone / interval > entries)
    interval *= 2;
  return interval;
}

void RunRecorder::recordSteps(const std::string &folder) {
  steps_ = std::make_unique<StepRecorder>(folder, instance_.model());
}

void RunRecorder::resumeSteps(const std::string &folder, const RecordedSteps &soFar) {
  steps_ = std::make_unique<StepRecorder>(folder, instance_.model(), soFar);
}

std::optional<RecordedSteps> RunRecorder::stepsSoFar() const {
  return steps_ ? std::optional(steps_->soFar()) : std::nullopt;
}

void RunRecorder::add(RecordedEpoch entry) {
  entry.stateHash = stateHash(instance_);
  record_.history.push_back(std::move(entry));
}

void RunRecorder::onStart() { add({}); }

void RunRecorder::onStep(const StepReport &report) {
  if (steps_)
    steps_->add(stepHashes(instance_, *report.call));
  if (report.epoch > 0)
    return;
  const std::uint64_t interval = stepsPerEntry(report.step);
  if (interval > stepsPerEntry(report.step - 1))
    std::erase_if(record_.history,
                  [&](const RecordedEpoch &entry) { return entry.step % interval != 0; });
  if (report.step % interval == 0)
    add({0, report.step, report.metrics, {}, {}});
}

void RunRecorder::onEpoch(const EpochReport &report) {
  add({report.epoch, report.step, report.training, report.validation, {}});
}

void RunRecorder::finish() {
  if (steps_)
    record_.stepRecord = steps_->finish();
  record_.stateHash = stateHash(instance_);
  record_.weightHash = weightHash(instance_);
  for (const aprt_tensor &tensor : instance_.model().tensors())
    record_.tensorHashes[tensor.name] = tensorHash(instance_, tensor);
}

std::string splitHash(const Split &split) {
  Sha256 hash;
  hashRows(hash, split.training);
  hashRows(hash, split.validation);
  hashRows(hash, split.test);
  return hash.finish();
}

std::string inputHash(const InputArray &input) {
  Sha256 hash;
  hash.update(input.values);
  return hash.finish();
}

} // namespace apr::train
