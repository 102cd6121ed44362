// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/columns.h"
#include "runtime/train/csv.h"
#include "runtime/train/dataset.h"
#include "runtime/train/elements.h"

#include <cstddef>
#include <cstdint>
#include <string>
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

/// Reads the columns that inputs need from a table, fits their transforms on the training rows and
/// assembles the inputs. Every malformed field is an `Error` of kind Data at its place.
class TableLoader {
public:
  TableLoader(CsvTable table, std::vector<InputNeed> needs, std::vector<InputColumns> bindings);

  std::size_t rows() const { return recordOffsets_.size(); }

  /// Fits what the transforms leave open on these rows (none: everything must be fitted already)
  /// and assembles all rows. May be called once.
  Dataset assemble(const std::vector<std::size_t> &trainingRows);

  /// The bindings with fitted transforms, after `assemble`.
  const std::vector<InputColumns> &bindings() const { return bindings_; }
  const std::string &file() const { return table_.file(); }

private:
  void read();
  void fitLabels(Transform &transform, const LabelColumn &column,
                 const std::vector<std::size_t> &trainingRows);
  void prepare(ColumnUse &use, ColumnValues &values, const std::vector<std::size_t> &trainingRows);
  InputArray assembleInput(std::size_t input, std::size_t firstColumn);
  void writeColumn(InputArray &array, std::size_t position, const ColumnUse &use,
                   const ColumnValues &values, std::size_t begin, std::size_t end) const;
  void checkIndices(const InputNeed &need, const InputColumns &binding,
                    const InputArray &array) const;
  [[noreturn]] void failAt(std::size_t row, const ColumnUse &use, const std::string &message) const;

  CsvTable table_;
  std::vector<InputNeed> needs_;
  std::vector<InputColumns> bindings_;
  std::vector<ColumnValues> columns_; ///< of all inputs in turn
  std::vector<std::size_t> recordOffsets_;
};

} // namespace apr::train
