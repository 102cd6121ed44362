// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

// The integer arithmetic of the IR for i32, i64 and u8: everything wraps, nothing is undefined.
namespace apr::interp {

template <typename T> inline constexpr unsigned kWidth = sizeof(T) * 8;

template <typename T> std::make_unsigned_t<T> asUnsigned(T x) {
  return static_cast<std::make_unsigned_t<T>>(x);
}

template <typename T> T wrapAdd(T x, T y) { return static_cast<T>(asUnsigned(x) + asUnsigned(y)); }
template <typename T> T wrapSub(T x, T y) { return static_cast<T>(asUnsigned(x) - asUnsigned(y)); }
template <typename T> T wrapMul(T x, T y) { return static_cast<T>(asUnsigned(x) * asUnsigned(y)); }
template <typename T> T wrapNeg(T x) { return wrapSub(T(0), x); }

template <typename T> T floorDivide(T x, T y) {
  if (y == 0)
    return 0;
  if constexpr (std::is_signed_v<T>)
    if (y == -1)
      return wrapNeg(x);
  T quotient = static_cast<T>(x / y);
  bool isInexact = x % y != 0;
  return isInexact && ((x < 0) != (y < 0)) ? static_cast<T>(quotient - 1) : quotient;
}

template <typename T> T floorRemainder(T x, T y) {
  return wrapSub(x, wrapMul(y, floorDivide(x, y)));
}

template <typename T> unsigned shiftAmount(T y) {
  return static_cast<unsigned>(asUnsigned(y) % kWidth<T>);
}
template <typename T> T shiftLeft(T x, T y) {
  return static_cast<T>(asUnsigned(x) << shiftAmount(y));
}
template <typename T> T shiftRightLogical(T x, T y) {
  return static_cast<T>(asUnsigned(x) >> shiftAmount(y));
}
template <typename T> T shiftRightArithmetic(T x, T y) {
  return static_cast<T>(x >> shiftAmount(y));
}

} // namespace apr::interp
