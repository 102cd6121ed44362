// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/npz.h"
#include "runtime/train/row_source.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace apr::train {

/// The arrays of an NPY or NPZ file as a table: the first axis counts rows, the elements of an item
/// are its columns in row-major order. An array `x` of an NPZ file gives the columns `x_1` …, or
/// `x` where an item is one element; the columns of an NPY file have no names. Only the arrays that
/// are used are unpacked, and need to have equally many rows, so one file may hold training and
/// test data.
class ArraySource : public RowSource {
public:
  /// Tells the two formats apart by the first bytes of the content. Errors are of kind Data.
  ArraySource(std::string path, std::string content);

  const std::string &file() const override { return file_; }
  std::size_t read(const std::vector<const ColumnUse *> &uses,
                   std::vector<ReadColumn> &columns) override;
  [[noreturn]] void fail(std::size_t row, const ColumnUse &use,
                         const std::string &message) const override;

  /// Columns, with each array of several as a group.
  ColumnSet columns() const;

private:
  struct Part {
    NpzFile::Entry entry;
    std::size_t firstColumn = 0;
    std::size_t columns = 0;
  };

  void append(NpzFile::Entry entry);
  const Part &partOf(std::size_t column) const;
  /// An `Error` for an array that cannot be read.
  const NpyHeader &headerOf(const Part &part) const;
  void readColumn(const Part &part, const NpyArray &array, const ColumnUse &use,
                  ReadColumn &column) const;

  std::string file_;
  std::optional<NpzFile> archive_;
  NpyArray array_; ///< of a file that is no archive
  std::vector<Part> parts_;
};

} // namespace apr::train
