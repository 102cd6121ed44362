// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/best_watch.h"
#include "runtime/train/dataset.h"
#include "runtime/train/error.h"
#include "runtime/train/instance.h"
#include "runtime/train/metrics.h"
#include "runtime/train/parted_step.h"
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

/// Hyperparameters that get other values within a training.
struct HyperChange {
  std::uint64_t step = 0; ///< steps done before; the next one is the first with these values
  std::map<std::string, double> values;

  bool operator==(const HyperChange &) const = default;
};

/// How the parts of a batch are computed that a train block with shards is made of; no bit differs.
enum class BatchParts { Together, OneByOne };

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
  std::vector<HyperChange> changes; ///< in the order of their steps
  /// The validation rows are evaluated after every so many epochs, and after the last one.
  std::uint64_t validateEvery = 1;
  BestOptions best;
  BatchParts parts = BatchParts::Together;
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
  Metrics validation; ///< empty without validation rows, or where they were not evaluated
  /// Whether all batches were visited: a limit on the steps may end a training before.
  bool isWhole = true;
  bool isBest = false; ///< of those so far, by the options' best
};

/// Where a training stands between two steps: with the state of the model, all that its
/// continuation depends on.
struct Cursor {
  std::uint64_t steps = 0;           ///< done
  std::uint64_t epochs = 0;          ///< done and reported
  std::uint64_t stepInEpoch = 0;     ///< steps done of the epoch after these
  std::vector<MetricTotals> figures; ///< of these steps; empty where there are none
  BestSoFar best;

  bool operator==(const Cursor &) const = default;
};

/// What a program wants to know and decide while training goes on.
class Observer {
public:
  virtual ~Observer() = default;
  /// Called before each step with the rows that feed it.
  virtual void beforeStep(const StepPosition &, std::span<const std::size_t>) {}
  virtual void onStep(const StepReport &) {}
  /// Called at the end of an epoch, before the validation rows are evaluated only because no more
  /// steps are wanted: a training that goes on from here has no such figures.
  virtual void beforeLastEvaluation() {}
  virtual void onEpoch(const EpochReport &) {}
  /// Called after each step and each epoch, when the trainer's cursor and state belong together.
  virtual void onRest() {}
  /// Asked after each step; true ends the training there.
  virtual bool shouldStop() { return false; }
};

enum class Outcome {
  Finished,
  Stopped,     ///< by the observer
  StoppedEarly ///< no better epoch came within the patience of the options
};

/// A reported figure that is no number ended the training at this step.
class NonFiniteError : public Error {
public:
  NonFiniteError(std::uint64_t step, const std::string &message)
      : Error(ErrorKind::Verdict, message), step_(step) {}

  std::uint64_t step() const { return step_; }

private:
  std::uint64_t step_;
};

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

  /// Where the training stands, and how to go on from there: the state is the caller's to load into
  /// `instance()`. `bestState` is that of the best epoch, where there is one. Training for more
  /// epochs or steps then does what it would have done without the interruption, bit for bit.
  Cursor cursor() const;
  void resume(const Cursor &cursor, std::span<const std::byte> bestState);

  /// The state after the best epoch; empty where none is known.
  std::span<const std::byte> bestState() const { return bestState_; }
  /// Goes back to it; does nothing where none is known.
  void restoreBest();

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
  std::uint64_t batchesOf(const RowFeed &feed, std::size_t rows) const;
  void checkRows(const RowFeed &feed, const Split &split) const;
  Outcome fit(const Dataset &data, const Split &split, std::uint64_t epochs, std::uint64_t steps,
              Observer &observer);
  Outcome runEpoch(RowFeed &feed, const std::vector<std::size_t> &order, std::uint64_t lastStep,
                   Observer &observer);
  Outcome runStep(RowFeed &feed, std::span<const std::size_t> rows, StepPosition position,
                  Observer &observer);
  void finishEpoch(const Dataset &data, const Split &split, EpochReport report, bool isLast,
                   Observer &observer);
  void watchBest(EpochReport &report, bool hasValidation);
  /// The values that the steps done so far ended with.
  void setHypers();
  void setHypers(const HyperChange &change);
  void checkFinite(const Metrics &metrics, const StepPosition &position) const;

  TrainerOptions options_;
  Instance instance_;
  std::uint32_t block_;
  const aprt_entry *step_;
  std::uint64_t stepsDone_ = 0;
  std::uint64_t epochsDone_ = 0;
  std::uint64_t stepInEpoch_ = 0;
  MetricSums sums_; ///< of the epoch that is not done
  BestWatch best_;
  std::vector<std::byte> bestState_;
  std::optional<PartedStep> parted_; ///< where parts are computed one by one
};

} // namespace apr::train
