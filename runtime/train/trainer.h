// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/dataset.h"
#include "runtime/train/instance.h"
#include "runtime/train/metrics.h"
#include "runtime/train/row_feed.h"
#include "runtime/train/sampling.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace apr::train {

enum class RowOrder { Shuffled, AsInFile };
enum class LastBatch { Keep, Drop };

/// Where an epoch's training figures come from.
enum class Measure {
  During, ///< what the steps reported, each before its own update
  After   ///< an evaluation of the training rows after the epoch
};

struct TrainerOptions {
  std::string block; ///< the train block; empty: the only one
  std::uint64_t seed = 0;
  std::uint32_t workers = 1; ///< 0: one per CPU
  std::size_t batchRows = 32;
  RowOrder order = RowOrder::Shuffled;
  LastBatch lastBatch = LastBatch::Keep;
  Measure measure = Measure::During;
  std::map<std::string, double> hyper;
  FixedInputs fixed;
};

/// Where in a training a step stands.
struct StepPosition {
  std::uint64_t step = 0;   ///< counted from 1 over the whole training
  std::uint64_t epoch = 0;  ///< counted from 1; 0 where there are none
  std::size_t rowsDone = 0; ///< of the epoch, this step's included
  std::size_t rowsTotal = 0;
};

/// One finished step.
struct StepReport : StepPosition {
  const Metrics &metrics;
  const EntryCall *call = nullptr; ///< with the step's results, until the next one
};

/// One finished epoch.
struct EpochReport {
  std::uint64_t epoch = 0;
  std::uint64_t step = 0; ///< steps done so far
  Metrics training;
  Metrics validation; ///< empty without validation rows
};

/// What a program wants to know and decide while training goes on.
class Observer {
public:
  virtual ~Observer() = default;
  /// Called before each step with the rows that feed it.
  virtual void beforeStep(const StepPosition &, std::span<const std::size_t>) {}
  virtual void onStep(const StepReport &) {}
  virtual void onEpoch(const EpochReport &) {}
  /// Asked after each step; true ends the training there.
  virtual bool shouldStop() { return false; }
};

enum class Outcome { Finished, Stopped };

/// Trains a compiled model, whatever it is, from its reflection table.
///
/// Everything a training does follows from the model, the options and the data: the state after any
/// step has the same bits on every number of workers. The table must outlive the trainer.
class Trainer {
public:
  Trainer(const aprt_model &table, TrainerOptions options);

  Instance &instance() { return instance_; }
  const TrainerOptions &options() const { return options_; }
  const aprt_entry &stepEntry() const { return *step_; }
  std::uint32_t block() const { return block_; }

  /// The inputs that rows of a data set must feed.
  std::vector<InputNeed> inputNeeds() const;

  /// Starts anew from the seed of the options.
  void initialise();

  /// How many steps an epoch makes of these training rows; 0 where no rows feed the model.
  std::uint64_t stepsPerEpoch(const Dataset &data, const Split &split);

  /// Trains for whole epochs.
  Outcome fitEpochs(const Dataset &data, const Split &split, std::uint64_t epochs,
                    Observer &observer);
  /// Trains for a number of steps, in epochs where rows feed the model, without data otherwise.
  Outcome fitSteps(const Dataset &data, const Split &split, std::uint64_t steps,
                   Observer &observer);

  /// The block's figures on some rows, by its eval entry, which changes nothing.
  Metrics evaluate(const Dataset &data, const std::vector<std::size_t> &rows);

private:
  bool dropsPartial(const RowFeed &feed) const;
  Outcome fit(const Dataset &data, const Split &split, std::uint64_t epochs, std::uint64_t steps,
              Observer &observer);
  Outcome runEpoch(RowFeed &feed, const std::vector<std::size_t> &order, std::uint64_t steps,
                   MetricSums &sums, Observer &observer);
  Outcome runStep(RowFeed &feed, std::span<const std::size_t> rows, StepPosition position,
                  MetricSums &sums, Observer &observer);
  void finishEpoch(const Dataset &data, const Split &split, const MetricSums &sums,
                   Observer &observer);
  void checkFinite(const Metrics &metrics) const;

  TrainerOptions options_;
  Instance instance_;
  std::uint32_t block_;
  const aprt_entry *step_;
  std::uint64_t stepsDone_ = 0;
  std::uint64_t epochsDone_ = 0;
};

} // namespace apr::train
