// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <aprt.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// Questions to a model's reflection table. The table belongs to the caller and must outlive this.
class Model {
public:
  /// Throws `Error` of kind Data where the table is not of this ABI version.
  explicit Model(const aprt_model &table);

  const aprt_model &table() const { return *table_; }
  std::string_view name() const { return table_->name; }
  std::span<const aprt_tensor> tensors() const { return {table_->tensors, table_->tensor_count}; }
  std::span<const aprt_hyper> hypers() const { return {table_->hypers, table_->hyper_count}; }
  std::span<const aprt_entry> entries() const { return {table_->entries, table_->entry_count}; }
  std::span<const aprt_train_block> blocks() const {
    return {table_->train_blocks, table_->train_block_count};
  }

  /// The block of this name, or the only block where the name is empty; errors are of kind Usage.
  std::uint32_t block(std::string_view name) const;
  /// An entry point of a train block (APRT_STEP, APRT_GRAD, APRT_APPLY or APRT_EVAL), or null.
  const aprt_entry *blockEntry(std::uint32_t block, std::int32_t kind) const;
  /// The first entry of kind APRT_INIT, or null.
  const aprt_entry *init() const;
  /// The plain entry of this name, or the only one where the name is empty; errors are of kind
  /// Usage.
  const aprt_entry &entry(std::string_view name) const;
  /// The hyperparameter of this name, or the only one of which the name is the last part: "lr" for
  /// "step.lr"; errors are of kind Usage.
  const aprt_hyper &hyper(std::string_view name) const;
  /// The state tensor of this name or null.
  const aprt_tensor *tensor(std::string_view name) const;

private:
  const aprt_model *table_;
};

/// Elements of a tensor whose dims are all constant; 0 where one is not.
std::size_t elementCount(const aprt_tensor &tensor);
/// "f32[64, 128]"; dimension variables by the names given.
std::string typeText(const aprt_tensor &tensor, std::span<const char *const> dimNames = {});

/// Whether the tensor holds floating-point numbers.
bool isFloating(const aprt_tensor &tensor);

/// Element `index` of densely stored values of a dtype, as f64.
double elementAt(const std::byte *values, std::int32_t dtype, std::size_t index);
/// Stores a number into an element, converted to the dtype.
void setElement(std::byte *values, std::int32_t dtype, std::size_t index, double value);

} // namespace apr::train
