// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ir_runs/random_inputs.h"

#include "ir/bfloat.h"

#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <type_traits>

namespace apr::run {

/// SplitMix64 (Steele, Lea, Flood 2014).
uint64_t RandomInputs::bits() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

int64_t RandomInputs::size() {
  static constexpr int64_t kSizes[] = {0,  1,  2,  3,  4,  5,  7,  8,  9,  15, 16,
                                       17, 24, 31, 32, 33, 48, 63, 64, 65, 100};
  return kSizes[below(std::size(kSizes))];
}

template <typename T> T RandomInputs::edgeFloat() {
  using Limits = std::numeric_limits<T>;
  static constexpr T kEdges[] = {T(0),
                                 T(-0.0),
                                 T(1),
                                 T(-1),
                                 T(0.5),
                                 Limits::infinity(),
                                 -Limits::infinity(),
                                 Limits::quiet_NaN(),
                                 Limits::max(),
                                 Limits::lowest(),
                                 Limits::min(),
                                 -Limits::min(),
                                 Limits::denorm_min(),
                                 -Limits::denorm_min(),
                                 T(88.7),
                                 T(-104),
                                 T(2147483648.0),
                                 T(1e10)};
  return kEdges[below(std::size(kEdges))];
}

/// Style 0: ordinary numbers near 1; 1: those and edge values; 2: any bits; 3: ordinary numbers,
/// zeros of both signs, ones and denormals, which do not drown sums as NaN and infinities do.
template <typename T> T RandomInputs::anyFloat(uint64_t style) {
  using Limits = std::numeric_limits<T>;
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  uint64_t random = bits();
  if (style == 2)
    return std::bit_cast<T>(static_cast<Bits>(random));
  if (style == 1 && random % 4 == 0)
    return edgeFloat<T>();
  static constexpr T kMild[] = {T(0),  T(-0.0), T(-0.0), T(1),
                                T(-1), T(2),    T(0.5),  -Limits::denorm_min()};
  if (style == 3 && random % 4 == 0)
    return kMild[below(std::size(kMild))];
  T unit = static_cast<T>(static_cast<double>(bits() >> 11) * 0x1p-53);
  return (unit - T(0.5)) * T(8);
}

template <typename T> T RandomInputs::anyInteger() {
  using Limits = std::numeric_limits<T>;
  static constexpr T kEdges[] = {T(0),          T(1),          T(2),  static_cast<T>(-1),
                                 Limits::min(), Limits::max(), T(31), T(32),
                                 T(33),         T(63)};
  switch (below(4)) {
  case 0:
    return kEdges[below(std::size(kEdges))];
  case 1:
    return static_cast<T>(bits());
  default:
    return static_cast<T>(below(11));
  }
}

void RandomInputs::fill(Tensor &tensor) {
  static constexpr uint64_t kStyles[] = {0, 0, 0, 3, 3, 1, 1, 2};
  const uint64_t style = kStyles[below(std::size(kStyles))];
  switch (tensor.dtype) {
  case DType::F32:
    for (float &x : tensor.elements<float>())
      x = anyFloat<float>(style);
    break;
  case DType::F64:
    for (double &x : tensor.elements<double>())
      x = anyFloat<double>(style);
    break;
  case DType::I32:
    for (int32_t &x : tensor.elements<int32_t>())
      x = anyInteger<int32_t>();
    break;
  case DType::I64:
    for (int64_t &x : tensor.elements<int64_t>())
      x = anyInteger<int64_t>();
    break;
  case DType::Bool:
    for (uint8_t &x : tensor.elements<uint8_t>())
      x = below(2) != 0;
    break;
  case DType::U8:
    for (uint8_t &x : tensor.elements<uint8_t>())
      x = anyInteger<uint8_t>();
    break;
  case DType::BF16:
    for (uint16_t &x : tensor.elements<uint16_t>())
      x = style == 2 ? static_cast<uint16_t>(bits())
                     : roundToBfloat(static_cast<double>(anyFloat<float>(style)));
    break;
  }
}

void RandomInputs::fillEdges(Tensor &tensor) {
  // Zeros come most, because most identities that are none fail at their signs.
  auto number = [&]<typename T>() {
    return below(4) == 0 ? T(below(2) == 0 ? 0.0 : -0.0) : edgeFloat<T>();
  };
  if (tensor.dtype == DType::F32)
    for (float &x : tensor.elements<float>())
      x = number.operator()<float>();
  else if (tensor.dtype == DType::F64)
    for (double &x : tensor.elements<double>())
      x = number.operator()<double>();
  else if (tensor.dtype == DType::BF16)
    for (uint16_t &x : tensor.elements<uint16_t>())
      x = roundToBfloat(number.operator()<double>());
  else
    fill(tensor);
}

void RandomInputs::fillOrdinary(Tensor &tensor, double low) {
  auto number = [&] { return low + (0.5 - low) * static_cast<double>(bits() >> 11) * 0x1p-53; };
  switch (tensor.dtype) {
  case DType::F32:
    for (float &x : tensor.elements<float>())
      x = static_cast<float>(number());
    return;
  case DType::F64:
    for (double &x : tensor.elements<double>())
      x = number();
    return;
  case DType::BF16:
    for (uint16_t &x : tensor.elements<uint16_t>())
      x = roundToBfloat(number());
    return;
  case DType::I32:
  case DType::I64:
    return fillIndices(tensor, 11);
  case DType::U8:
    for (uint8_t &x : tensor.elements<uint8_t>())
      x = static_cast<uint8_t>(below(11));
    return;
  case DType::Bool:
    for (uint8_t &x : tensor.elements<uint8_t>())
      x = below(2) != 0;
    return;
  }
}

void RandomInputs::fillIndices(Tensor &tensor, int64_t limit) {
  auto draw = [&] { return static_cast<int64_t>(below(static_cast<uint64_t>(limit))); };
  if (tensor.dtype == DType::I32)
    for (int32_t &x : tensor.elements<int32_t>())
      x = static_cast<int32_t>(draw());
  else if (tensor.dtype == DType::I64)
    for (int64_t &x : tensor.elements<int64_t>())
      x = draw();
}

} // namespace apr::run
