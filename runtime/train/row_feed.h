// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/augment.h"
#include "runtime/train/columns.h"
#include "runtime/train/dataset.h"
#include "runtime/train/instance.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace apr::train {

/// What does not come from the rows of a data set.
struct FixedInputs {
  std::map<std::string, std::int64_t> dims; ///< open dimensions by name
  std::map<std::string, double> values;     ///< whole inputs by name, every element the same
  std::uint64_t seed = 0;                   ///< for an input `seed: i64`, and for augmentations
  std::map<std::string, Augmentation> augmentations = {}; ///< of inputs, while training
};

/// The inputs of an entry that the rows of a table feed: every tensor that `fixed` does not give.
/// Errors are of kind Usage, such as a scalar input that nothing gives.
std::vector<InputNeed> inputNeeds(const aprt_entry &entry, const FixedInputs &fixed);

/// Whether each row of a table is one call: a plain entry none of whose inputs has an open first
/// dimension, as in `entry f(x: f32[3], table: f32[4, 3])`. A row then holds all elements.
bool isOneRowPerCall(const aprt_entry &entry, const FixedInputs &fixed);

/// Hands rows of a data set to an entry, batch by batch.
///
/// The batch dimension is the first one of the inputs that rows feed. Where the model fixes it to a
/// number, a smaller batch is filled up with copies of its last row.
class RowFeed {
public:
  /// Errors are of kind Usage: an input the data set lacks, a dimension that nothing gives.
  RowFeed(Instance &instance, const aprt_entry &entry, const FixedInputs &fixed,
          const Dataset &data, std::size_t batchRows);

  /// Rows of a full batch: what the model fixes, else what was asked for; 0 where no rows are fed.
  std::size_t batchRows() const { return batchRows_; }
  bool hasFixedBatch() const { return isFixed_; }
  bool hasRows() const { return !fed_.empty(); }

  /// Rows from now on are those of an epoch of training, counted from 1: inputs are augmented. Rows
  /// of epoch 0, as before the first call, are not.
  void setEpoch(std::uint64_t epoch) { epoch_ = epoch; }

  /// Calls the entry on these rows, at most `batchRows()`. `rowOffset` is the number of rows before
  /// them in the whole they belong to.
  void run(std::span<const std::size_t> rows, std::int64_t rowOffset, void *gradients = nullptr);

  /// Prepares these rows without calling the entry: what `inputs` and `dims` then give, until rows
  /// are prepared again.
  void prepare(std::span<const std::size_t> rows);
  /// One pointer per input of the entry; `call().inputShape` tells their shapes.
  std::span<const void *const> inputs() const { return pointers_; }
  /// The values of the entry's dimension variables.
  std::span<const std::int64_t> dims() const { return dims_; }

  const EntryCall &call() const { return call_; }
  EntryCall &call() { return call_; }

private:
  struct Fed {
    std::size_t input = 0;
    const InputArray *array = nullptr;
    std::vector<std::byte> buffer;
    Augmentation augmentation = {};
    ImageShape image = {};
  };

  void bindDims(const FixedInputs &fixed);
  void bindRowDims(const aprt_tensor &tensor, const InputArray &array, std::vector<bool> &known);
  void fillFixed(const FixedInputs &fixed);
  void bindAugmentations(const FixedInputs &fixed);
  const void *gathered(Fed &fed, std::span<const std::size_t> rows) const;

  Instance *instance_;
  const aprt_entry *entry_;
  EntryCall call_;
  std::vector<Fed> fed_;
  std::vector<std::vector<std::byte>> constants_;
  std::vector<const void *> pointers_;
  std::vector<std::int64_t> dims_;
  std::vector<std::size_t> padded_;
  std::int32_t batchVariable_ = -1;
  std::size_t batchRows_ = 0;
  std::size_t dataRows_ = 0;
  std::uint64_t seed_ = 0;
  std::uint64_t epoch_ = 0;
  bool isFixed_ = false;
  bool isOneRow_ = false;
};

} // namespace apr::train
