// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/dataset.h"
#include "runtime/train/instance.h"
#include "runtime/train/row_feed.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace apr::train {

enum class PredictionFormat { Csv, Json };

/// A result of an entry for all rows: row-major, of the result's own type.
struct PredictedArray {
  std::string name;
  std::int32_t dtype = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> values;
};

/// Calls an entry on all rows of a data set and returns its results as text.
///
/// A result with one item per row gives one record per row: in CSV the columns "name" or "name.0",
/// "name.1", … under a header, in JSON an array of objects. Where a result has no rows, the entry
/// is called once with everything and gives a single record. Numbers have the fewest digits that
/// read back exactly. The text does not depend on `batchRows`.
std::string predict(Instance &instance, const aprt_entry &entry, const FixedInputs &fixed,
                    const Dataset &data, std::size_t batchRows, PredictionFormat format);

/// The same results as arrays. Their first axis counts the rows; where the entry is called once
/// with everything, they have the shapes that it gives.
std::vector<PredictedArray> predictArrays(Instance &instance, const aprt_entry &entry,
                                          const FixedInputs &fixed, const Dataset &data,
                                          std::size_t batchRows);

} // namespace apr::train
