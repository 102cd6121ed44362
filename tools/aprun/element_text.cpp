// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/element_text.h"

#include "ir/bfloat.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace apr::aprun {
namespace {

template <class T> T at(std::span<const std::byte> values, std::size_t element) {
  T value;
  std::memcpy(&value, values.data() + element * sizeof value, sizeof value);
  return value;
}

/// Without the sign that a NaN may have.
template <class T> std::string floatText(T value) {
  return std::isnan(value) ? "nan" : fmt::format("{}", value);
}

} // namespace

std::string indexText(std::span<const std::int64_t> shape, std::size_t element) {
  std::vector<std::int64_t> position(shape.size());
  auto rest = static_cast<std::int64_t>(element);
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    position[axis] = rest % shape[axis];
    rest /= shape[axis];
  }
  return shape.empty() ? "" : fmt::format("[{}]", fmt::join(position, ", "));
}

std::string elementText(DType dtype, std::span<const std::byte> values, std::size_t element) {
  switch (dtype) {
  case DType::F32:
    return floatText(at<float>(values, element));
  case DType::F64:
    return floatText(at<double>(values, element));
  case DType::BF16:
    return floatText(bfloatValue(at<std::uint16_t>(values, element)));
  case DType::I32:
    return fmt::format("{}", at<std::int32_t>(values, element));
  case DType::I64:
    return fmt::format("{}", at<std::int64_t>(values, element));
  case DType::Bool:
    return at<std::uint8_t>(values, element) != 0 ? "true" : "false";
  case DType::U8:
    break;
  }
  return fmt::format("{}", at<std::uint8_t>(values, element));
}

std::string elementWithBits(DType dtype, std::span<const std::byte> values, std::size_t element) {
  std::string text = elementText(dtype, values, element);
  switch (dtype) {
  case DType::F32:
    return text + fmt::format(" (bits {:08x})", at<std::uint32_t>(values, element));
  case DType::F64:
    return text + fmt::format(" (bits {:016x})", at<std::uint64_t>(values, element));
  case DType::BF16:
    return text + fmt::format(" (bits {:04x})", at<std::uint16_t>(values, element));
  default:
    return text;
  }
}

} // namespace apr::aprun
