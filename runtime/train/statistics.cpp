// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace apr::train {

Statistics statistics(const std::byte *values, std::int32_t dtype, std::size_t elements) {
  Statistics result;
  result.elements = elements;
  result.min = std::numeric_limits<double>::infinity();
  result.max = -result.min;
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < elements; ++i) {
    const double x = elementAt(values, dtype, i);
    if (std::isnan(x)) {
      ++result.nans;
      continue;
    }
    sum += x;
    squares += x * x;
    result.min = std::min(result.min, x);
    result.max = std::max(result.max, x);
  }
  result.mean = sum / static_cast<double>(elements - result.nans);
  result.norm = std::sqrt(squares);
  return result;
}

std::string table(const std::vector<TensorLine> &lines) {
  std::size_t nameWidth = 4;
  std::size_t typeWidth = 4;
  for (const TensorLine &line : lines) {
    nameWidth = std::max(nameWidth, line.name.size());
    typeWidth = std::max(typeWidth, line.type.size());
  }
  std::string text = fmt::format("{:<{}}  {:<{}}  {:>12}  {:>12}  {:>12}  {:>12}\n", "name",
                                 nameWidth, "type", typeWidth, "mean", "min", "max", "norm");
  for (const TensorLine &line : lines) {
    text += fmt::format("{:<{}}  {:<{}}", line.name, nameWidth, line.type, typeWidth);
    const Statistics s = statistics(line.values, line.dtype, line.elements);
    if (s.elements > s.nans)
      text +=
          fmt::format("  {:>12.6g}  {:>12.6g}  {:>12.6g}  {:>12.6g}", s.mean, s.min, s.max, s.norm);
    if (s.nans > 0)
      text += fmt::format("  {} NaN", s.nans);
    text += "\n";
  }
  return text;
}

std::string elementText(const std::byte *values, std::int32_t dtype, std::size_t index) {
  const double value = elementAt(values, dtype, index);
  if (dtype == APRT_F32 || dtype == APRT_BF16)
    return fmt::format("{}", static_cast<float>(value));
  if (dtype == APRT_F64)
    return fmt::format("{}", value);
  if (dtype == APRT_I64) {
    std::int64_t exact;
    std::copy_n(values + index * sizeof exact, sizeof exact, reinterpret_cast<std::byte *>(&exact));
    return fmt::format("{}", exact);
  }
  if (dtype == APRT_BOOL)
    return value != 0 ? "true" : "false";
  return fmt::format("{}", static_cast<std::int64_t>(value));
}

std::string valuesText(const aprt_tensor &tensor, const std::byte *values, std::size_t limit) {
  const std::size_t elements = elementCount(tensor);
  const std::size_t rowLength =
      tensor.rank == 0
          ? 1
          : std::max<std::size_t>(1, static_cast<std::size_t>(tensor.dims[tensor.rank - 1].value));
  std::string text;
  for (std::size_t i = 0; i < std::min(elements, limit); ++i) {
    text += i % rowLength == 0 ? "  " : " ";
    text += elementText(values, tensor.dtype, i);
    text += (i + 1) % rowLength == 0 || i + 1 == std::min(elements, limit) ? "\n" : "";
  }
  if (elements > limit)
    text += fmt::format("  … {} more\n", elements - limit);
  return text;
}

} // namespace apr::train
