// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/columns.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace apr::train {

/// Categories of a text column, by number of first appearance.
struct LabelColumn {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<std::uint32_t> codes;
  std::vector<std::string> labels;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index;

  void append(std::string_view label);
};

/// 0 or 1 in a byte.
struct BoolColumn {
  std::vector<std::uint8_t> values;
};

/// One column's values as read: in the input's type where nothing transforms them, else f64 or
/// text.
using ColumnValues =
    std::variant<std::vector<float>, std::vector<double>, std::vector<std::int32_t>,
                 std::vector<std::int64_t>, std::vector<std::uint8_t>, BoolColumn, LabelColumn>;

/// The values that a column wants to be read as, still empty.
ColumnValues emptyColumn(const ColumnUse &use, std::int32_t dtype);

std::size_t sizeOf(const ColumnValues &values);
/// Appends what stands in the place of a missing value until it is filled or its row left out.
void appendNothing(ColumnValues &values);
/// Keeps the values of these rows only, ascending; categories that no row has any more are
/// forgotten.
void keepRows(ColumnValues &values, const std::vector<std::size_t> &rows);

/// A column as read.
struct ReadColumn {
  ColumnValues values;
  std::vector<std::size_t> missing; ///< rows without a value, ascending
};

/// Where the rows of a table come from: text or arrays.
class RowSource {
public:
  virtual ~RowSource() = default;

  virtual const std::string &file() const = 0;
  /// Appends all rows of these columns to those of the same number and returns how many rows there
  /// are, at least one. Every value that does not fit, or is missing where the column has no
  /// policy, is an `Error` of kind Data. Constants of a policy are put in already.
  virtual std::size_t read(const std::vector<const ColumnUse *> &uses,
                           std::vector<ReadColumn> &columns) = 0;
  /// Which of the files that make the table a row that was read comes from.
  virtual std::size_t shardOf(std::size_t) const { return 0; }
  /// Throws an `Error` of kind Data at a value that was read.
  [[noreturn]] virtual void fail(std::size_t row, const ColumnUse &use,
                                 const std::string &message) const = 0;
};

} // namespace apr::train
