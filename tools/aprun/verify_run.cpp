// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/verify_run.h"

#include "runtime/train/run_recorder.h"
#include "runtime/train/step_record.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/weights.h"
#include "tools/aprun/interrupt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using train::RecordedEpoch;
using train::RunRecord;

std::string shortHash(const std::string &hash) { return hash.substr(0, 16) + "…"; }

/// The inputs to load: what the model needs, and what else was recorded for its other entries.
std::vector<train::InputNeed> recordedNeeds(const RunRecord &record, const train::Trainer &trainer,
                                            std::vector<std::string> &findings) {
  std::vector<train::InputNeed> needs;
  const auto wanted = trainer.inputNeeds();
  for (const train::RecordedInput &input : record.inputs) {
    const auto found = std::find_if(wanted.begin(), wanted.end(),
                                    [&](const auto &need) { return need.name == input.need.name; });
    if (found == wanted.end()) {
      needs.push_back(input.need);
      continue;
    }
    if (found->dtype != input.need.dtype || found->rowElements != input.need.rowElements ||
        found->indexLimit != input.need.indexLimit)
      findings.push_back(
          fmt::format("inputs: type, size or limit of {} is not the model's", input.need.name));
    needs.push_back(*found);
  }
  for (const train::InputNeed &need : wanted)
    if (std::none_of(record.inputs.begin(), record.inputs.end(),
                     [&](const auto &input) { return input.need.name == need.name; }))
      findings.push_back(fmt::format("inputs: the record lacks the input {}", need.name));
  return needs;
}

/// Columns are found by name where there are names: number and name must belong together.
void checkColumns(const RunRecord &record, const LoadedData &loaded,
                  std::vector<std::string> &findings) {
  const train::ColumnSet table{"", loaded.columnCount, loaded.columnNames};
  for (std::size_t i = 0; i < std::min(record.inputs.size(), loaded.inputs.size()); ++i) {
    const auto &recorded = record.inputs[i].columns.columns;
    const auto &found = loaded.inputs[i].columns.columns;
    for (std::size_t k = 0; k < std::min(recorded.size(), found.size()); ++k) {
      if (recorded[k].column != found[k].column)
        findings.push_back(fmt::format("inputs[{}].columns[{}].column is {}, the column {} is {}",
                                       i, k, recorded[k].column + 1, recorded[k].label,
                                       found[k].column + 1));
      else if (train::columnLabel(table, found[k].column) != recorded[k].label)
        findings.push_back(fmt::format("inputs[{}].columns[{}].label is {}, the column's is {}", i,
                                       k, recorded[k].label,
                                       train::columnLabel(table, found[k].column)));
    }
  }
}

void checkPreparedData(const RunRecord &record, const LoadedData &loaded,
                       std::vector<std::string> &findings) {
  if (loaded.droppedRows != record.droppedRows)
    findings.push_back(fmt::format("data.dropped_rows is {}, for missing values {} are left out",
                                   record.droppedRows, loaded.droppedRows));
  if (loaded.split.training.size() != record.trainingRows)
    findings.push_back(fmt::format("data.training_rows is {}, the split gives {}",
                                   record.trainingRows, loaded.split.training.size()));
  if (loaded.split.validation.size() != record.validationRows)
    findings.push_back(fmt::format("data.validation_rows is {}, the split gives {}",
                                   record.validationRows, loaded.split.validation.size()));
  if (loaded.split.test.size() != record.testRows)
    findings.push_back(fmt::format("data.test_rows is {}, the split gives {}", record.testRows,
                                   loaded.split.test.size()));
  if (train::splitHash(loaded.split) != record.splitHash)
    findings.push_back("data.split_hash is not that of the split by seed and share");
  if (loaded.columnCount != record.columnCount)
    findings.push_back(fmt::format("data.column_count is {}, the table has {}", record.columnCount,
                                   loaded.columnCount));
  if (loaded.columnNames != record.columnNames)
    findings.push_back("data.columns are not those of the table");
  checkColumns(record, loaded, findings);
  for (std::size_t i = 0; i < record.inputs.size(); ++i) {
    const train::InputArray *array = loaded.data.find(record.inputs[i].need.name);
    if (array && train::inputHash(*array) != record.inputs[i].sha256)
      findings.push_back(fmt::format("inputs[{}]: {} as prepared from the table is not the "
                                     "recorded one: its columns, transforms or hash were altered",
                                     i, record.inputs[i].need.name));
  }
}

/// Epochs have equally many steps, all but a last one that was not finished.
void checkSteps(const RunRecord &record, std::uint64_t perEpoch,
                std::vector<std::string> &findings) {
  if (perEpoch == 0)
    return;
  for (std::size_t i = 1; i < record.history.size(); ++i) {
    const RecordedEpoch &entry = record.history[i];
    const bool isWhole = entry.step % perEpoch == 0 && entry.step / perEpoch == entry.epoch;
    const bool isEnd = i + 1 == record.history.size() && entry.step == record.steps;
    if (!isWhole && !isEnd)
      findings.push_back(fmt::format("epochs[{}].step is {}, but rows and train.batch make {} "
                                     "steps an epoch",
                                     i, entry.step, perEpoch));
  }
}

/// Compares what the trainer does with the record, and stops it at the first difference.
class Comparison : public train::Observer {
public:
  Comparison(const RunRecord &record, train::Trainer &trainer,
             std::optional<train::StepRecord> steps, train::Observer *beside)
      : record_(record), trainer_(trainer), instance_(trainer.instance()), steps_(std::move(steps)),
        beside_(beside) {}

  void start() { compareEntry({}, {}, {0, 0, {}, {}, train::stateHash(instance_)}); }

  void beforeStep(const train::StepPosition &position, std::span<const std::size_t> rows) override {
    if (beside_)
      beside_->beforeStep(position, rows);
  }

  void onStep(const train::StepReport &report) override {
    if (beside_)
      beside_->onStep(report);
    lastStep_ = report.metrics;
    if (differs()) // after an epoch: the trainer asks whether to stop after steps only
      return;
    if (steps_ && report.step <= steps_->steps()) {
      const auto columns =
          steps_->differences(report.step, train::stepHashes(instance_, *report.call));
      if (!columns.empty())
        return differ(fmt::format("step {}{} differs in {}", report.step,
                                  report.epoch > 0 ? fmt::format(" (epoch {})", report.epoch) : "",
                                  train::listed(columns)));
      report_.steps = report.step;
    }
    const bool hasEntry = next_ < record_.history.size() && report.epoch == 0 &&
                          record_.history[next_].step == report.step;
    if (hasEntry)
      compareEntry(report.metrics, {}, {0, report.step, {}, {}, train::stateHash(instance_)});
  }

  void onEpoch(const train::EpochReport &report) override {
    // A limit on the steps, or an interruption, may end a run within an epoch. The record has it as
    // a whole one, or not at all.
    const bool isKnown = next_ < record_.history.size();
    const bool isWhole = isKnown ? report.step == record_.history[next_].step
                                 : !record_.isCutShort() || report.step != record_.steps;
    if (differs() || !isWhole)
      return;
    last_ = report;
    // What ends here because no more steps are wanted is not the end of the recorded training.
    const bool isRecorded =
        !isKnown || !record_.history[next_].validation.empty() || report.step == record_.steps;
    compareEntry(report.training, isRecorded ? report.validation : train::Metrics(),
                 {report.epoch, report.step, {}, {}, train::stateHash(instance_)});
    // Of a training that was cut short, the best epoch is that of those which were reported.
    const bool isLastKnown = isKnown && next_ == record_.history.size();
    const bool isMeasuredAlike =
        isKnown && record_.history[next_ - 1].validation.empty() == report.validation.empty();
    if (!differs() && record_.settings.stopsEarly && record_.isCutShort() && isLastKnown &&
        isMeasuredAlike)
      compareBestSoFar(trainer_.cursor().best);
    if (!differs())
      report_.epochs = report.epoch;
  }

  bool shouldStop() override {
    report_.isInterrupted = InterruptGuard::isRequested();
    return differs() || report_.isInterrupted || (beside_ && beside_->shouldStop());
  }

  void compareBest(const train::BestSoFar &best) {
    // The epoch that a training was cut short in was not reported; what training again makes of it
    // says nothing.
    if (differs() || !record_.settings.stopsEarly || record_.isCutShort())
      return;
    compareBestSoFar(best);
  }

  void compareBestSoFar(const train::BestSoFar &best) {
    const train::BestSoFar &recorded = record_.best;
    // No epoch is the best one where its figure never was a number.
    if (best.epoch == 0 && recorded.epoch == 0)
      return;
    if (best.epoch != recorded.epoch || best.step != recorded.step ||
        best.metric != recorded.metric ||
        train::figureBits(best.value) != train::figureBits(recorded.value))
      differ(fmt::format("the best epoch is {} ({} {}), result.best has {} ({} {})", best.epoch,
                         best.metric, best.value, recorded.epoch, recorded.metric, recorded.value));
  }

  void compareEnd() {
    if (differs())
      return;
    if (next_ != record_.history.size())
      return differ(fmt::format("the record has {} entries of epochs, training again gives {}",
                                record_.history.size(), next_));
    for (const aprt_tensor &tensor : instance_.model().tensors()) {
      const auto recorded = record_.tensorHashes.find(tensor.name);
      if (recorded == record_.tensorHashes.end() ||
          recorded->second != train::tensorHash(instance_, tensor))
        differ(fmt::format("at the end, tensor {} differs from result.tensors", tensor.name));
    }
    if (record_.tensorHashes.size() != instance_.model().tensors().size())
      differ("result.tensors has a tensor that the model lacks");
    if (train::stateHash(instance_) != record_.stateHash)
      differ("at the end, the state differs from result.state_hash");
    if (train::weightHash(instance_) != record_.weightHash)
      differ("at the end, the weights differ from result.weight_hash");
    compareResult("training", last_.epoch > 0 ? last_.training : lastStep_, record_.training);
    compareResult("validation", last_.validation, record_.validation);
    if (!differs())
      report_.steps = record_.steps;
  }

  void differ(std::string line) { report_.differences.push_back(std::move(line)); }
  bool differs() const { return !report_.differences.empty(); }
  RerunReport take() { return std::move(report_); }

private:
  static std::string described(const RecordedEpoch &entry) {
    if (entry.step == 0)
      return "the state before the first step";
    return entry.epoch > 0 ? fmt::format("epoch {} (after step {})", entry.epoch, entry.step)
                           : fmt::format("step {}", entry.step);
  }

  void compareEntry(const train::Metrics &training, const train::Metrics &validation,
                    const RecordedEpoch &found) {
    if (next_ >= record_.history.size())
      return differ(fmt::format("{} is not in the record", described(found)));
    const RecordedEpoch &recorded = record_.history[next_];
    if (recorded.epoch != found.epoch || recorded.step != found.step)
      return differ(fmt::format("epochs[{}] is that of {}, training again gives {}", next_,
                                described(recorded), described(found)));
    if (recorded.stateHash != found.stateHash)
      differ(fmt::format("{}: the state has the hash {}, recorded is {}", described(found),
                         shortHash(found.stateHash), shortHash(recorded.stateHash)));
    compareFigures("training", training, recorded.training, described(found));
    compareFigures("validation", validation, recorded.validation, described(found));
    ++next_;
    if (!differs())
      report_.steps = found.step;
  }

  /// All figures, elements of tensors too, both ways.
  void compareResult(const char *which, const train::Metrics &found,
                     const train::Metrics &recorded) {
    for (const train::Metric &figure : found) {
      const train::Metric *other = train::find(recorded, figure.name);
      if (!other)
        differ(fmt::format("at the end, result.{} lacks the figure {}", which, figure.name));
      else if (train::figureBits(other->value) != train::figureBits(figure.value))
        differ(fmt::format("at the end, {} {} is {} (bits {}), result.{} has {} (bits {})", which,
                           figure.name, figure.value, train::figureBits(figure.value), which,
                           other->value, train::figureBits(other->value)));
    }
    for (const train::Metric &figure : recorded)
      if (!train::find(found, figure.name))
        differ(fmt::format("at the end, result.{} has a figure {} that the model does not report",
                           which, figure.name));
  }

  void compareFigures(const char *which, const train::Metrics &found,
                      const train::Metrics &recorded, const std::string &where) {
    std::size_t known = 0;
    for (const train::Metric &figure : found) {
      if (figure.isElement)
        continue;
      ++known;
      const train::Metric *other = train::find(recorded, figure.name);
      if (!other)
        differ(fmt::format("{}: the record lacks the figure {} ({})", where, figure.name, which));
      else if (train::figureBits(other->value) != train::figureBits(figure.value))
        differ(fmt::format("{}: {} {} is {} (bits {}), recorded is {} (bits {})", where, which,
                           figure.name, figure.value, train::figureBits(figure.value), other->value,
                           train::figureBits(other->value)));
    }
    if (known < recorded.size())
      differ(fmt::format("{}: the record has a {} figure that the model does not report", where,
                         which));
  }

  const RunRecord &record_;
  train::Trainer &trainer_;
  train::Instance &instance_;
  std::optional<train::StepRecord> steps_;
  train::Observer *beside_;
  std::size_t next_ = 0;
  train::EpochReport last_;
  train::Metrics lastStep_;
  RerunReport report_;
};

} // namespace

Rerun prepareRerun(Session &session, std::vector<std::string> &findings) {
  const RunRecord &record = *session.record;
  Rerun rerun;
  rerun.trainer = makeTrainer(session);
  rerun.loaded = loadData(session, recordedNeeds(record, *rerun.trainer, findings));
  checkPreparedData(record, rerun.loaded, findings);
  checkSteps(record,
             rerun.loaded.data.inputs.empty()
                 ? 0
                 : rerun.trainer->stepsPerEpoch(rerun.loaded.data, rerun.loaded.split),
             findings);
  rerun.trainer->initialise();
  if (!record.startHash.empty())
    train::loadWeights(rerun.trainer->instance(), record.startWeights);
  return rerun;
}

RerunReport repeatTraining(const Session &session, Rerun &rerun, std::uint64_t steps,
                           train::Observer *beside) {
  const RunRecord &record = *session.record;
  std::optional<train::StepRecord> stepRecord;
  if (record.stepRecord)
    stepRecord = train::StepRecord::read(session.folder, *record.stepRecord);
  Comparison comparison(record, *rerun.trainer, std::move(stepRecord), beside);
  const InterruptGuard guard;
  comparison.start();
  if (comparison.differs())
    return comparison.take();
  try {
    const std::uint64_t wanted = std::min(steps, record.steps);
    auto outcome = train::Outcome::Finished;
    if (wanted > 0)
      outcome = rerun.trainer->fitSteps(rerun.loaded.data, rerun.loaded.split, wanted, comparison);
    if (wanted == record.steps && outcome != train::Outcome::Stopped) {
      comparison.compareBest(rerun.trainer->cursor().best);
      if (record.settings.stopsEarly && !record.isCutShort())
        rerun.trainer->restoreBest();
      comparison.compareEnd();
    }
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::Verdict)
      throw;
    comparison.differ(fmt::format("training again stops: {}", error.what()));
  }
  return comparison.take();
}

} // namespace apr::aprun
