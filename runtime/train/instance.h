// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/model.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace apr::train {

/// Zeroed memory aligned to 64 bytes, as state, workspace and gradient blocks need.
class AlignedBlock {
public:
  explicit AlignedBlock(std::size_t size = 0);

  std::byte *data() const { return data_.get(); }
  std::size_t size() const { return size_; }

private:
  struct Free {
    void operator()(std::byte *data) const { ::operator delete(data, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

/// A model with its own state, hyperparameters and workers.
class Instance {
public:
  /// `workers` 0 means one per CPU; 1 runs serially without a pool.
  Instance(const aprt_model &table, std::uint32_t workers);

  const Model &model() const { return model_; }
  std::byte *state() const { return state_.data(); }
  std::uint32_t workers() const;

  /// Runs the model's init entry.
  void initialise(std::uint64_t seed);

  std::byte *values(const aprt_tensor &tensor) const { return state_.data() + tensor.offset; }

  /// Sets a hyperparameter by its name or unique last part; errors are of kind Usage.
  void setHyper(std::string_view name, double value);
  double hyper(const aprt_hyper &hyper) const;
  const void *hyperBlock() const { return hyper_.empty() ? nullptr : hyper_.data(); }

  /// A context with the pool and a workspace of this size.
  aprt_exec exec(std::size_t workspaceBytes, std::int64_t rowOffset) const;
  /// A workspace of at least this size; it is shared by all calls, which take turns.
  std::byte *workspace(std::size_t bytes);

private:
  struct DestroyPool {
    void operator()(aprt_pool *pool) const { aprt_pool_destroy(pool); }
  };

  Model model_;
  AlignedBlock state_;
  AlignedBlock workspace_;
  std::vector<std::uint64_t> hyperStorage_;
  std::span<std::byte> hyper_;
  std::unique_ptr<aprt_pool, DestroyPool> pool_;
};

/// One value that an entry point returned; it is overwritten by the next call.
struct ResultView {
  const aprt_tensor *tensor = nullptr;
  std::span<const std::int64_t> shape;
  std::size_t elements = 0;
  const std::byte *values = nullptr;
};

/// Calls one entry point again and again; memory is acquired only when the dims change.
class EntryCall {
public:
  EntryCall(Instance &instance, const aprt_entry &entry);

  const aprt_entry &entry() const { return *entry_; }

  /// Fixes the dimension variables for the calls that follow; dims out of range are an `Error` of
  /// kind Data.
  void setDims(std::span<const std::int64_t> dims);

  /// Calls the entry. A status other than APRT_OK becomes an `Error` of kind Data with its text.
  void run(std::span<const void *const> inputs, std::int64_t rowOffset, void *gradients = nullptr);
  /// The same, returning the status.
  aprt_status tryRun(std::span<const void *const> inputs, std::int64_t rowOffset,
                     void *gradients = nullptr);

  std::size_t resultCount() const { return entry_->result_count; }
  ResultView result(std::size_t index) const;
  std::size_t resultBytes(std::size_t index) const { return results_[index].size(); }
  /// Where a result lies, for who computes it otherwise.
  std::byte *resultStorage(std::size_t index) { return results_[index].data(); }
  std::span<const std::int64_t> inputShape(std::size_t index) const;

private:
  Instance *instance_;
  const aprt_entry *entry_;
  bool isReady_ = false;
  std::vector<std::int64_t> dims_;
  std::vector<std::int64_t> shapes_;
  std::vector<std::size_t> inputShapeStart_;
  std::vector<std::size_t> resultShapeStart_;
  std::vector<std::size_t> resultElements_;
  std::vector<AlignedBlock> results_;
  std::vector<void *> resultPointers_;
  std::size_t workspaceBytes_ = 0;
};

/// The text of a status of this model.
std::string statusText(const Model &model, aprt_status status);

} // namespace apr::train
