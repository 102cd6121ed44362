// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/trainer.h"

#include "runtime/train/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace apr::train {

Trainer::Trainer(const aprt_model &table, TrainerOptions options)
    : options_(std::move(options)), instance_(table, options_.workers),
      block_(instance_.model().block(options_.block)),
      step_(instance_.model().blockEntry(block_, APRT_STEP)) {
  if (!step_)
    throw Error(ErrorKind::Data, fmt::format("the train block {} has no step entry",
                                             instance_.model().blocks()[block_].name));
  for (const auto &[name, value] : options_.hyper)
    instance_.setHyper(name, value);
  options_.fixed.seed = options_.seed;
}

std::vector<InputNeed> Trainer::inputNeeds() const {
  return train::inputNeeds(*step_, options_.fixed);
}

void Trainer::initialise() {
  instance_.initialise(options_.seed);
  stepsDone_ = 0;
  epochsDone_ = 0;
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

std::uint64_t Trainer::stepsPerEpoch(const Dataset &data, const Split &split) {
  const RowFeed feed(instance_, *step_, options_.fixed, data, options_.batchRows);
  if (!feed.hasRows())
    return 0;
  const std::size_t rows = split.training.size();
  const bool hasPartial = rows % feed.batchRows() > 0 && !dropsPartial(feed);
  return rows / feed.batchRows() + (hasPartial ? 1 : 0);
}

Outcome Trainer::fit(const Dataset &data, const Split &split, std::uint64_t epochs,
                     std::uint64_t steps, Observer &observer) {
  RowFeed feed(instance_, *step_, options_.fixed, data, options_.batchRows);
  if (!feed.hasRows() && steps == std::numeric_limits<std::uint64_t>::max())
    throw Error(ErrorKind::Usage,
                fmt::format("{} takes no rows, so there are no epochs: give the number of steps",
                            step_->name));
  if (feed.hasRows() &&
      (split.training.empty() || (dropsPartial(feed) && split.training.size() < feed.batchRows())))
    throw Error(ErrorKind::Data, fmt::format("there are {} training rows, a batch has {}",
                                             split.training.size(), feed.batchRows()));
  const std::uint64_t lastStep = stepsDone_ + std::min(steps, ~stepsDone_);
  const std::uint64_t lastEpoch = epochsDone_ + std::min(epochs, ~epochsDone_);
  while (epochsDone_ < lastEpoch && stepsDone_ < lastStep) {
    MetricSums sums(*step_);
    if (!feed.hasRows()) {
      const StepPosition position{stepsDone_ + 1, 0, 0, 0};
      if (runStep(feed, {}, position, sums, observer) == Outcome::Stopped)
        return Outcome::Stopped;
      continue;
    }
    ++epochsDone_;
    const auto order = options_.order == RowOrder::Shuffled
                           ? epochRows(options_.seed, epochsDone_, split)
                           : split.training;
    feed.setEpoch(epochsDone_);
    if (runEpoch(feed, order, lastStep, sums, observer) == Outcome::Stopped)
      return Outcome::Stopped;
    finishEpoch(data, split, sums, observer);
  }
  return Outcome::Finished;
}

Outcome Trainer::runEpoch(RowFeed &feed, const std::vector<std::size_t> &order,
                          std::uint64_t lastStep, MetricSums &sums, Observer &observer) {
  const std::span<const std::size_t> all(order);
  for (std::size_t first = 0; first < order.size() && stepsDone_ < lastStep;) {
    const std::size_t count = std::min(feed.batchRows(), order.size() - first);
    if (count < feed.batchRows() && dropsPartial(feed))
      break;
    const StepPosition position{stepsDone_ + 1, epochsDone_, first + count, order.size()};
    if (runStep(feed, all.subspan(first, count), position, sums, observer) == Outcome::Stopped)
      return Outcome::Stopped;
    first += count;
  }
  return Outcome::Finished;
}

Outcome Trainer::runStep(RowFeed &feed, std::span<const std::size_t> rows, StepPosition position,
                         MetricSums &sums, Observer &observer) {
  observer.beforeStep(position, rows);
  feed.run(rows, 0);
  ++stepsDone_;
  sums.add(feed.call(), rows.size());
  const Metrics metrics = metricsOf(feed.call(), rows.size());
  observer.onStep({position, metrics, &feed.call()});
  checkFinite(metrics);
  return observer.shouldStop() ? Outcome::Stopped : Outcome::Finished;
}

void Trainer::checkFinite(const Metrics &metrics) const {
  for (const Metric &metric : metrics)
    if (!std::isfinite(metric.value) && !metric.isUndefined)
      throw Error(ErrorKind::Verdict,
                  fmt::format("{} is {} at step {}{}: training stopped; a smaller learning rate or "
                              "scaled inputs may help",
                              metric.name, metric.value, stepsDone_,
                              epochsDone_ ? fmt::format(" (epoch {})", epochsDone_) : ""));
}

void Trainer::finishEpoch(const Dataset &data, const Split &split, const MetricSums &sums,
                          Observer &observer) {
  EpochReport report{epochsDone_, stepsDone_, {}, {}};
  report.training =
      options_.measure == Measure::After ? evaluate(data, split.training) : sums.result();
  if (!split.validation.empty())
    report.validation = evaluate(data, split.validation);
  observer.onEpoch(report);
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
