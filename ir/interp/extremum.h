// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

// min and max of the IR: NaN where either operand is NaN, and -0 below +0.
namespace apr::interp {

template <typename T> bool isNaN([[maybe_unused]] T x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(x);
  else
    return false;
}

/// Whether x comes before y when neither is NaN.
template <typename T> bool isBelow(T x, T y) {
  if constexpr (std::is_floating_point_v<T>)
    if (x == 0 && y == 0)
      return std::signbit(x) && !std::signbit(y);
  return x < y;
}

template <typename T> T minimum(T x, T y) {
  if (isNaN(x) || isNaN(y))
    return std::numeric_limits<T>::quiet_NaN();
  return isBelow(x, y) ? x : y;
}

template <typename T> T maximum(T x, T y) {
  if (isNaN(x) || isNaN(y))
    return std::numeric_limits<T>::quiet_NaN();
  return isBelow(x, y) ? y : x;
}

} // namespace apr::interp
