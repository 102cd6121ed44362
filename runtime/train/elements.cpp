// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/elements.h"

#include "runtime/train/bfloat.h"

#include <aprt.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace apr::train {
namespace {

template <class T> void put(std::byte *to, T value) { std::memcpy(to, &value, sizeof value); }

} // namespace

std::size_t elementBytes(std::int32_t dtype) {
  constexpr std::size_t sizes[] = {4, 8, 4, 8, 1, 1, 2};
  return dtype >= 0 && dtype <= APRT_BF16 ? sizes[dtype] : 0;
}

const char *dtypeName(std::int32_t dtype) {
  constexpr const char *names[] = {"f32", "f64", "i32", "i64", "bool", "u8", "bf16"};
  return dtype >= 0 && dtype <= APRT_BF16 ? names[dtype] : "?";
}

const char *conversionFault(double x, std::int32_t dtype) {
  if (std::isnan(x))
    return "is not a number (log of zero or less)";
  if (dtype == APRT_F64)
    return std::isfinite(x) ? nullptr : "is out of range";
  if (dtype == APRT_F32)
    return std::isfinite(static_cast<float>(x)) ? nullptr : "is out of range of f32";
  if (dtype == APRT_BF16)
    return std::isfinite(bfloatValue(roundToBfloat(x))) ? nullptr : "is out of range of bf16";
  if (std::trunc(x) != x)
    return "is not a whole number, as the input's type needs";
  const double low = dtype == APRT_I32 ? -0x1p31 : dtype == APRT_I64 ? -0x1p63 : 0.0;
  const double end = dtype == APRT_I32   ? 0x1p31
                     : dtype == APRT_I64 ? 0x1p63
                     : dtype == APRT_U8  ? 256.0
                                         : 2.0;
  return x >= low && x < end ? nullptr : "is out of range of the input's type";
}

void storeNumber(std::byte *to, std::int32_t dtype, double x) {
  switch (dtype) {
  case APRT_F32:
    return put(to, static_cast<float>(x));
  case APRT_F64:
    return put(to, x);
  case APRT_I32:
    return put(to, static_cast<std::int32_t>(x));
  case APRT_I64:
    return put(to, static_cast<std::int64_t>(x));
  case APRT_BF16:
    return put(to, roundToBfloat(x));
  default:
    return put(to, static_cast<std::uint8_t>(x));
  }
}

std::int64_t indexAt(const InputArray &array, std::size_t element) {
  const std::byte *from = array.values.data() + element * elementBytes(array.dtype);
  if (array.dtype == APRT_I32) {
    std::int32_t value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  if (array.dtype == APRT_I64) {
    std::int64_t value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  return std::to_integer<std::int64_t>(*from);
}

void checkRowElements(const InputNeed &need, std::size_t columns, std::size_t elements,
                      const std::string &file) {
  if (need.rowElements == 0 || elements == need.rowElements)
    return;
  throw Error(ErrorKind::Usage, {file},
              fmt::format("input {} takes {} value{} per row, but its {} column{} give{} {}",
                          need.name, need.rowElements, need.rowElements == 1 ? "" : "s", columns,
                          columns == 1 ? "" : "s", columns == 1 ? "s" : "", elements));
}

std::size_t firstBadIndex(const InputNeed &need, const InputArray &array, std::size_t count) {
  if (need.indexLimit <= 0 || need.dtype == APRT_F32 || need.dtype == APRT_F64)
    return count;
  std::size_t element = 0;
  for (; element < count; ++element)
    if (const std::int64_t index = indexAt(array, element); index < 0 || index >= need.indexLimit)
      break;
  return element;
}

std::string badIndexText(const InputNeed &need, const InputArray &array, std::size_t element) {
  return fmt::format("found {} for input {}, expected 0 to {}", indexAt(array, element), need.name,
                     need.indexLimit - 1);
}

std::size_t width(const ColumnUse &use) {
  if (!use.pipeline.empty() && use.pipeline.front().kind == TransformKind::OneHot)
    return use.pipeline.front().labels.size();
  return 1;
}

} // namespace apr::train
