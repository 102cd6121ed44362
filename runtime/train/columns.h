// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"
#include "runtime/train/missing.h"
#include "runtime/train/transform.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// Neighbouring columns that have a name together, as those of an array.
struct ColumnGroup {
  std::string name;
  std::size_t first = 0;
  std::size_t count = 0;
};

/// The columns of a table: how many and, with a header, their names.
struct ColumnSet {
  std::string file;
  std::size_t count = 0;
  std::vector<std::string> names;
  std::vector<ColumnGroup> groups = {};
};

/// The columns that a text selects, counting from 0, in the order it lists them: names, groups,
/// positions from 1 (or from -1 at the end), ranges of either ("1..64", "age..income"), and lists
/// of these separated by commas. Errors are of kind Usage at `place`.
std::vector<std::size_t> selectColumns(std::string_view text, const ColumnSet &table,
                                       const Place &place);

/// A column's name, or its position where there is no header.
std::string columnLabel(const ColumnSet &table, std::size_t column);

/// One column that feeds an input, with its preparation.
struct ColumnUse {
  std::size_t column = 0;
  std::string label;
  Pipeline pipeline;
  Missing missing = {};
};

/// The columns that make one row of an input, left to right.
struct InputColumns {
  std::string input;
  std::vector<ColumnUse> columns;
};

/// A selection or pipeline as written in a run file or flag.
struct Declared {
  std::string key;
  std::string text;
  Place place;
};

/// What the caller of a model knows about an input that rows of a table feed.
struct InputNeed {
  std::string name;
  std::int32_t dtype = 0;
  std::size_t rowElements = 0; ///< 0 where the columns decide
  std::int64_t indexLimit = 0; ///< values must lie in [0, indexLimit); 0: any value
};

/// Binds inputs to columns and columns to transforms.
///
/// Without a selection an input takes the column of its own name where the header has one and the
/// input is one value per row, or the group of its own name. If inputs are still open and the
/// columns not taken are exactly as many as they need together, these go to them in order, left to
/// right. The key of a transform, or of what is done about missing values, is an input (all its
/// columns) or a selection of columns, which wins. Errors are of kind Usage.
std::vector<InputColumns> bindColumns(const std::vector<InputNeed> &inputs, const ColumnSet &table,
                                      const std::vector<Declared> &selections,
                                      const std::vector<Declared> &transforms,
                                      const std::vector<Declared> &missing = {});

} // namespace apr::train
