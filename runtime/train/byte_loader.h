// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/byte_table.h"
#include "runtime/train/dataset.h"
#include "runtime/train/split.h"

#include <cstddef>
#include <vector>

namespace apr::train {

/// Makes inputs of the columns of a byte table, as `TableLoader` does of a CSV table, with the same
/// transforms and the same bits. A byte has 256 values, so a fitted pipeline is a table of 256.
class ByteLoader {
public:
  /// `keys` are columns that are read as words beside the inputs.
  ByteLoader(ByteTable table, std::vector<InputNeed> needs, std::vector<InputColumns> bindings,
             std::vector<ColumnUse> keys = {})
      : table_(std::move(table)), needs_(std::move(needs)), bindings_(std::move(bindings)),
        keys_(std::move(keys)) {}

  std::size_t rows() const { return table_.rows(); }
  std::size_t droppedRows() const { return 0; } ///< no byte is missing
  /// The words of a key in each row: bytes as numbers.
  RowKeys key(std::size_t number) const;
  /// Which of the files that make the table a row comes from.
  std::size_t shardOf(std::size_t row) const { return table_.shardOf(row); }

  /// Fits what the transforms leave open on these rows (none: everything must be fitted already)
  /// and assembles all rows. Errors are of kind Data or Usage and name file, row and column.
  Dataset assemble(const std::vector<std::size_t> &trainingRows);

  /// The bindings with fitted transforms, after `assemble`.
  const std::vector<InputColumns> &bindings() const { return bindings_; }

private:
  InputArray assembleInput(std::size_t input, const std::vector<std::size_t> &trainingRows);
  void fit(ColumnUse &use, const std::vector<std::size_t> &trainingRows) const;
  [[noreturn]] void fail(std::size_t row, const ColumnUse &use, const std::string &message) const;

  ByteTable table_;
  std::vector<InputNeed> needs_;
  std::vector<InputColumns> bindings_;
  std::vector<ColumnUse> keys_;
};

} // namespace apr::train
