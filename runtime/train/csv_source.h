// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/csv.h"
#include "runtime/train/row_source.h"

namespace apr::train {

/// The rows of a table of text: each field is parsed once, straight to the values its column wants.
class CsvSource : public RowSource {
public:
  explicit CsvSource(CsvTable table) : table_(std::move(table)) {}

  const std::string &file() const override { return table_.file(); }
  std::size_t read(const std::vector<const ColumnUse *> &uses,
                   std::vector<ColumnValues> &values) override;
  [[noreturn]] void fail(std::size_t row, const ColumnUse &use,
                         const std::string &message) const override;

private:
  CsvTable table_;
  std::vector<std::size_t> recordOffsets_;
};

} // namespace apr::train
