// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/model.h"

#include <cstddef>
#include <string>
#include <vector>

namespace apr::train {

/// Figures of a tensor's values, in f64, elements in order. NaNs count but take no part.
struct Statistics {
  std::size_t elements = 0;
  std::size_t nans = 0;
  double mean = 0;
  double min = 0;
  double max = 0;
  double norm = 0; ///< root of the sum of squares
};
Statistics statistics(const std::byte *values, std::int32_t dtype, std::size_t elements);

/// One line of a table of tensors.
struct TensorLine {
  std::string name;
  std::string type;
  const std::byte *values = nullptr;
  std::int32_t dtype = 0;
  std::size_t elements = 0;
};

/// A table of names, types and statistics.
std::string table(const std::vector<TensorLine> &lines);

/// A tensor's values for a person: rows of the last dimension, each element with the fewest digits
/// that read back exactly, at most `limit` elements.
std::string valuesText(const aprt_tensor &tensor, const std::byte *values, std::size_t limit);

/// One element with the fewest digits that read back exactly.
std::string elementText(const std::byte *values, std::int32_t dtype, std::size_t index);

} // namespace apr::train
