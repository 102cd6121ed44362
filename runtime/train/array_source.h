// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/npy.h"
#include "runtime/train/row_source.h"

#include <cstddef>
#include <string>
#include <vector>

namespace apr::train {

/// The arrays of an NPY or NPZ file as a table: the first axis counts rows, the elements of an item
/// are its columns in row-major order. An array `x` of an NPZ file gives the columns `x_1` …, or
/// `x` where an item is one element; the columns of an NPY file have no names. Only the arrays that
/// are used need to have equally many rows, so one file may hold training and test data.
class ArraySource : public RowSource {
public:
  /// Tells the two formats apart by the first bytes. Errors are of kind Data.
  static ArraySource open(const std::string &path);

  const std::string &file() const override { return file_; }
  std::size_t read(const std::vector<const ColumnUse *> &uses,
                   std::vector<ReadColumn> &columns) override;
  [[noreturn]] void fail(std::size_t row, const ColumnUse &use,
                         const std::string &message) const override;

  /// Columns, with each array of several as a group.
  ColumnSet columns() const;
  /// SHA-256 of the file.
  const std::string &hash() const { return hash_; }

private:
  struct Part {
    NamedArray named;
    std::size_t firstColumn = 0;
    std::size_t columns = 0;
  };

  void append(NamedArray named);
  const Part &partOf(std::size_t column) const;
  void readColumn(const Part &part, const ColumnUse &use, ReadColumn &column) const;

  std::string file_;
  std::string hash_;
  std::vector<Part> parts_;
};

} // namespace apr::train
