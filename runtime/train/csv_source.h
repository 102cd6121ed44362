// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/csv.h"
#include "runtime/train/data_file.h"
#include "runtime/train/row_source.h"

namespace apr::train {

/// The rows of a table of text: each field is parsed once, straight to the values its column wants.
class CsvSource : public RowSource {
public:
  /// The words stand for no value in columns with a policy for missing values.
  explicit CsvSource(CsvTable table, std::vector<std::string> missingWords = usualMissingWords())
      : table_(std::move(table)), missingWords_(std::move(missingWords)) {}

  const std::string &file() const override { return table_.file(); }
  std::size_t read(const std::vector<const ColumnUse *> &uses,
                   std::vector<ReadColumn> &columns) override;
  [[noreturn]] void fail(std::size_t row, const ColumnUse &use,
                         const std::string &message) const override;

  /// The text and where its rows begin, once they were read.
  RecordedFile describe() const { return describeRows(table_.text(), recordOffsets_); }

private:
  bool isMissing(const CsvField &field) const;
  void readField(const CsvField &field, const ColumnUse &use, ReadColumn &column) const;

  CsvTable table_;
  std::vector<std::string> missingWords_;
  std::vector<std::size_t> recordOffsets_;
};

} // namespace apr::train
