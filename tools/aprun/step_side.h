// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/interpreter.h"
#include "runtime/train/row_feed.h"
#include "runtime/train/trainer.h"
#include "tools/aprun/model_loader.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace apr::aprun {

/// A way to compute the steps of a training, beside the trainer's own.
class StepSide {
public:
  virtual ~StepSide() = default;
  /// What messages call it: "the interpreter", "x86-64-v2", "other.o".
  virtual const std::string &name() const = 0;

  /// Makes the state before the first step.
  virtual void initialise(std::uint64_t seed) = 0;
  virtual void setState(const std::string &tensor, std::span<const std::byte> values) = 0;
  /// The dense values of a state tensor, and of a result of the last step.
  virtual std::span<const std::byte> state(const std::string &tensor) const = 0;
  virtual std::span<const std::byte> result(const std::string &name) const = 0;

  /// One step on these rows of the data, in an epoch, with the hyperparameters that the trainer has
  /// at the time.
  virtual void step(std::span<const std::size_t> rows, std::uint64_t epoch) = 0;
};

/// A copy of the meaning of a model: its functions after the passes that define what they compute.
struct Meaning {
  std::unique_ptr<SourceModel> source;
  Module &module() { return source->module; }
  const Module &module() const { return source->module; }
};
/// Reads a model and runs those passes; problems are diagnosed and thrown.
Meaning readMeaning(const ModelRequest &request);

/// The interpreter. Model, trainer and data belong to the caller.
std::unique_ptr<StepSide> interpreterSide(const Meaning &meaning, train::Trainer &trainer,
                                          const train::Dataset &data);

/// Another object of the same model. Throws `Error` of kind Data where its reflection table is not
/// that of the trainer's model, with all that differs.
std::unique_ptr<StepSide> objectSide(std::unique_ptr<LoadedModel> object, std::string name,
                                     train::Trainer &trainer, const train::Dataset &data);

/// The arguments of a function for these inputs and the state of an instance. Inputs are in the
/// order of the entry that the feed is for.
std::vector<Tensor> argumentsOf(const Function &function, const train::Instance &instance,
                                const train::RowFeed &feed);
/// The values of the dimension variables that rows were prepared with.
DimBindings dimsOf(const train::RowFeed &feed);

/// The types of the reflection table and of the IR.
DType dtypeOf(std::int32_t dtype);

} // namespace apr::aprun
