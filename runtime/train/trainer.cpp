// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/trainer.h"

#include "runtime/train/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

namespace apr::train {
namespace {

const aprt_entry *stepOf(const Model &model, std::uint32_t block) {
  const aprt_entry *step = model.blockEntry(block, APRT_STEP);
  if (!step)
    throw Error(ErrorKind::Data,
                fmt::format("the train block {} has no step entry", model.blocks()[block].name));
  return step;
}

} // namespace

Trainer::Trainer(const aprt_model &table, TrainerOptions options)
    : options_(std::move(options)), instance_(table, options_.workers),
      block_(instance_.model().block(options_.block)), step_(stepOf(instance_.model(), block_)),
      sums_(*step_), best_(options_.best) {
  setHypers();
  options_.fixed.seed = options_.seed;
  if (options_.parts == BatchParts::OneByOne)
    parted_.emplace(instance_, block_);
}

void Trainer::setHypers() {
  for (const auto &[name, value] : options_.hyper)
    instance_.setHyper(name, value);
  for (const HyperChange &change : options_.changes)
    if (change.step < stepsDone_)
      setHypers(change);
}

void Trainer::setHypers(const HyperChange &change) {
  for (const auto &[name, value] : change.values)
    instance_.setHyper(name, value);
}

std::vector<InputNeed> Trainer::inputNeeds() const {
  return train::inputNeeds(*step_, options_.fixed);
}

void Trainer::initialise() {
  instance_.initialise(options_.seed);
  resume({}, {});
}

Cursor Trainer::cursor() const {
  Cursor cursor{stepsDone_, epochsDone_, stepInEpoch_, {}, best_.best()};
  if (stepInEpoch_ > 0)
    cursor.figures = sums_.totals();
  return cursor;
}

void Trainer::resume(const Cursor &cursor, std::span<const std::byte> bestState) {
  if (!bestState.empty() && bestState.size() != instance_.model().table().state_bytes)
    throw Error(ErrorKind::Data,
                fmt::format("the best state has {} bytes, the model's has {}", bestState.size(),
                            instance_.model().table().state_bytes));
  MetricSums sums(*step_);
  if (cursor.stepInEpoch > 0)
    sums.restore(cursor.figures);
  sums_ = std::move(sums);
  stepsDone_ = cursor.steps;
  epochsDone_ = cursor.epochs;
  stepInEpoch_ = cursor.stepInEpoch;
  best_.restore(cursor.best);
  bestState_.assign(bestState.begin(), bestState.end());
  setHypers();
}

void Trainer::restoreBest() {
  if (!bestState_.empty())
    std::memcpy(instance_.state(), bestState_.data(), bestState_.size());
}

Outcome Trainer::fitEpochs(const Dataset &data, const Split &split, std::uint64_t epochs,
                           Observer &observer) {
  return fit(data, split, epochs, std::numeric_limits<std::uint64_t>::max(), observer);
}

Outcome Trainer::fitSteps(const Dataset &data, const Split &split, std::uint64_t steps,
                          Observer &observer) {
  return fit(data, split, std::numeric_limits<std::uint64_t>::max(), steps, observer);
}

bool Trainer::dropsPartial(const RowFeed &feed) const {
  return options_.lastBatch == LastBatch::Drop || feed.hasFixedBatch();
}

std::uint64_t Trainer::batchesOf(const RowFeed &feed, std::size_t rows) const {
  const bool hasPartial = rows % feed.batchRows() > 0 && !dropsPartial(feed);
  return rows / feed.batchRows() + (hasPartial ? 1 : 0);
}

std::uint64_t Trainer::stepsPerEpoch(const Dataset &data, const Split &split) {
  const RowFeed feed(instance_, *step_, options_.fixed, data, options_.batchRows);
  return feed.hasRows() ? batchesOf(feed, split.training.size()) : 0;
}

void Trainer::checkRows(const RowFeed &feed, const Split &split) const {
  const std::size_t rows = split.training.size();
  if (rows == 0 || (dropsPartial(feed) && rows < feed.batchRows()))
    throw Error(ErrorKind::Data,
                fmt::format("there are {} training rows, a batch has {}", rows, feed.batchRows()));
  if (stepInEpoch_ > batchesOf(feed, rows))
    throw Error(ErrorKind::Data, fmt::format("{} steps of an epoch are done, it has {}",
                                             stepInEpoch_, batchesOf(feed, rows)));
}

Outcome Trainer::fit(const Dataset &data, const Split &split, std::uint64_t epochs,
                     std::uint64_t steps, Observer &observer) {
  RowFeed feed(instance_, *step_, options_.fixed, data, options_.batchRows);
  if (!feed.hasRows() && steps == std::numeric_limits<std::uint64_t>::max())
    throw Error(ErrorKind::Usage,
                fmt::format("{} takes no rows, so there are no epochs: give the number of steps",
                            step_->name));
  if (feed.hasRows())
    checkRows(feed, split);
  const std::uint64_t lastStep = stepsDone_ + std::min(steps, ~stepsDone_);
  const std::uint64_t lastEpoch = epochsDone_ + std::min(epochs, ~epochsDone_);
  while (!feed.hasRows() && stepsDone_ < lastStep)
    if (runStep(feed, {}, {stepsDone_ + 1, 0, 0, 0}, observer) == Outcome::Stopped)
      return Outcome::Stopped;
  // An epoch whose last step is done but that was not reported yet is reported.
  while (feed.hasRows() && epochsDone_ < lastEpoch && (stepsDone_ < lastStep || stepInEpoch_ > 0)) {
    if (best_.isSpent())
      return Outcome::StoppedEarly;
    const auto order = options_.order == RowOrder::Shuffled
                           ? epochRows(options_.seed, epochsDone_ + 1, split)
                           : split.training;
    feed.setEpoch(epochsDone_ + 1);
    if (runEpoch(feed, order, lastStep, observer) == Outcome::Stopped)
      return Outcome::Stopped;
    EpochReport report{epochsDone_ + 1, stepsDone_, {}, {}};
    report.isWhole = stepInEpoch_ == batchesOf(feed, order.size());
    const bool isLast = report.epoch == lastEpoch || stepsDone_ >= lastStep;
    finishEpoch(data, split, std::move(report), isLast, observer);
  }
  return best_.isSpent() ? Outcome::StoppedEarly : Outcome::Finished;
}

Outcome Trainer::runEpoch(RowFeed &feed, const std::vector<std::size_t> &order,
                          std::uint64_t lastStep, Observer &observer) {
  const std::span<const std::size_t> all(order);
  const std::uint64_t batches = batchesOf(feed, order.size());
  while (stepInEpoch_ < batches && stepsDone_ < lastStep) {
    const std::size_t first = static_cast<std::size_t>(stepInEpoch_) * feed.batchRows();
    const std::size_t count = std::min(feed.batchRows(), order.size() - first);
    const StepPosition position{stepsDone_ + 1, epochsDone_ + 1, first + count, order.size()};
    if (runStep(feed, all.subspan(first, count), position, observer) == Outcome::Stopped)
      return Outcome::Stopped;
  }
  return Outcome::Finished;
}

Outcome Trainer::runStep(RowFeed &feed, std::span<const std::size_t> rows, StepPosition position,
                         Observer &observer) {
  // Not before: until the next step, observers and evaluations see the values of the last one.
  for (const HyperChange &change : options_.changes)
    if (change.step == stepsDone_)
      setHypers(change);
  observer.beforeStep(position, rows);
  if (parted_)
    parted_->run(feed, rows);
  else
    feed.run(rows, 0);
  ++stepsDone_;
  if (position.epoch > 0) {
    ++stepInEpoch_;
    sums_.add(feed.call(), rows.size());
  }
  const Metrics metrics = metricsOf(feed.call(), rows.size());
  observer.onStep({position, metrics, &feed.call()});
  checkFinite(metrics, position);
  observer.onRest();
  return observer.shouldStop() ? Outcome::Stopped : Outcome::Finished;
}

void Trainer::checkFinite(const Metrics &metrics, const StepPosition &position) const {
  for (const Metric &metric : metrics)
    if (!std::isfinite(metric.value) && !metric.isUndefined)
      throw NonFiniteError(
          position.step,
          fmt::format("{} is {} at step {}{}: training stopped; a smaller learning rate or "
                      "scaled inputs may help",
                      metric.name, metric.value, position.step,
                      position.epoch ? fmt::format(" (epoch {})", position.epoch) : ""));
}

void Trainer::finishEpoch(const Dataset &data, const Split &split, EpochReport report, bool isLast,
                          Observer &observer) {
  report.training =
      options_.measure == Measure::After ? evaluate(data, split.training) : sums_.result();
  const bool isDue = report.epoch % std::max<std::uint64_t>(options_.validateEvery, 1) == 0;
  if (!split.validation.empty() && isLast && !isDue)
    observer.beforeLastEvaluation();
  if (!split.validation.empty() && (isLast || isDue))
    report.validation = evaluate(data, split.validation);
  watchBest(report, !split.validation.empty());
  epochsDone_ = report.epoch;
  stepInEpoch_ = 0;
  sums_ = MetricSums(*step_);
  observer.onEpoch(report);
  observer.onRest();
}

void Trainer::watchBest(EpochReport &report, bool hasValidation) {
  report.isBest =
      best_.add(report.epoch, report.step, hasValidation ? report.validation : report.training);
  if (!report.isBest)
    return;
  const std::byte *state = instance_.state();
  bestState_.assign(state, state + instance_.model().table().state_bytes);
}

Metrics Trainer::evaluate(const Dataset &data, const std::vector<std::size_t> &rows) {
  const aprt_entry *eval = instance_.model().blockEntry(block_, APRT_EVAL);
  if (!eval)
    throw Error(ErrorKind::Data, fmt::format("the train block {} has no eval entry",
                                             instance_.model().blocks()[block_].name));
  // A batch of evaluation may be larger: row figures do not depend on it.
  RowFeed feed(instance_, *eval, options_.fixed, data,
               std::max<std::size_t>(options_.batchRows, 256));
  MetricSums sums(*eval);
  if (!feed.hasRows()) {
    feed.run({}, 0);
    sums.add(feed.call(), 0);
    return sums.result();
  }
  const std::span<const std::size_t> all(rows);
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t count = std::min(feed.batchRows(), rows.size() - first);
    feed.run(all.subspan(first, count), static_cast<std::int64_t>(first));
    sums.add(feed.call(), count);
    first += count;
  }
  return sums.result();
}

} // namespace apr::train
