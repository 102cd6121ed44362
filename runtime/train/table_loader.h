// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/dataset.h"
#include "runtime/train/elements.h"
#include "runtime/train/row_source.h"
#include "runtime/train/split.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace apr::train {

/// Reads the columns that inputs need from a table, fits their transforms on the training rows and
/// assembles the inputs. Every malformed field is an `Error` of kind Data at its place.
class TableLoader {
public:
  /// `keys` are columns that are read as words beside the inputs.
  TableLoader(std::unique_ptr<RowSource> source, std::vector<InputNeed> needs,
              std::vector<InputColumns> bindings, std::vector<ColumnUse> keys = {});

  /// Rows without those that columns leave out for a missing value: row numbers count what stays.
  std::size_t rows() const { return rows_; }
  std::size_t droppedRows() const { return droppedRows_; }
  /// The words of a key in each row.
  RowKeys key(std::size_t number) const;
  /// Which of the files that make the table a row comes from.
  std::size_t shardOf(std::size_t row) const { return source_->shardOf(sourceRow(row)); }

  /// Fits what the transforms leave open on these rows (none: everything must be fitted already)
  /// and assembles all rows. May be called once.
  Dataset assemble(const std::vector<std::size_t> &trainingRows);

  /// The bindings with fitted transforms, after `assemble`.
  const std::vector<InputColumns> &bindings() const { return bindings_; }

private:
  void dropRows(const std::vector<const ColumnUse *> &uses);
  void fill(ColumnUse &use, ReadColumn &column, const std::vector<std::size_t> &trainingRows) const;
  void prepare(ColumnUse &use, ColumnValues &values, const std::vector<std::size_t> &trainingRows);
  /// The number of a kept row in the source.
  std::size_t sourceRow(std::size_t row) const;
  InputArray assembleInput(std::size_t input, std::size_t firstColumn);
  void writeColumn(InputArray &array, std::size_t position, const ColumnUse &use,
                   const ColumnValues &values, std::size_t begin, std::size_t end) const;
  void checkIndices(const InputNeed &need, const InputColumns &binding,
                    const InputArray &array) const;

  std::unique_ptr<RowSource> source_;
  std::vector<InputNeed> needs_;
  std::vector<InputColumns> bindings_;
  std::vector<ColumnUse> keys_;
  std::vector<ReadColumn> columns_;   ///< of all inputs in turn, then keys
  std::vector<std::size_t> keptRows_; ///< their numbers in the source; empty where all are kept
  std::size_t rows_ = 0;
  std::size_t droppedRows_ = 0;
};

} // namespace apr::train
