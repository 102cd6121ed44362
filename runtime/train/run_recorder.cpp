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

std::uint64_t stepsPerEntry(std::uint64_t steps) {
  constexpr std::uint64_t entries = 100;
  return std::max<std::uint64_t>(1, steps / entries + (steps % entries > 0 ? 1 : 0));
}

RunRecorder::RunRecorder(RunRecord &record, const Instance &instance, std::uint64_t steps)
    : record_(record), instance_(instance), interval_(stepsPerEntry(steps)) {}

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
  if (report.epoch == 0 && report.step % interval_ == 0)
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
