// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/elementwise.h"
#include "ir/interp/integer.h"

#include <cmath>

namespace apr::interp {

namespace {

template <typename F> void unaryNumeric(Evaluation &e, F f) {
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    mapUnary<T, T>(e, f);
  });
}

template <typename F> void unaryFloat(Evaluation &e, F f) {
  visitFloat(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    mapUnary<T, T>(e, f);
  });
}

template <typename T> T negate(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return -x;
  else
    return wrapNeg(x);
}

template <typename T> T absolute(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fabs(x);
  else
    return x < 0 ? wrapNeg(x) : x;
}

template <typename T> T signOf(T x) {
  if (x > 0)
    return 1;
  // Zeros of both signs and NaN come back as they are.
  return x < 0 ? static_cast<T>(-1) : x;
}

/// To the nearest integral value, ties to even, written without the rounding mode.
template <typename T> T roundToEven(T x) {
  T low = std::floor(x), part = x - low;
  if (!std::isfinite(x) || part == 0)
    return x;
  bool isUp = part > T(0.5) || (part == T(0.5) && std::fmod(low, T(2)) != 0);
  return std::copysign(isUp ? low + 1 : low, x);
}

template <typename F> void unaryBits(Evaluation &e, F f) {
  visitAny(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    mapUnary<T, T>(e, f);
  });
}

} // namespace

void evalNeg(Evaluation &e) {
  unaryNumeric(e, [](auto x) { return negate(x); });
}
void evalAbs(Evaluation &e) {
  unaryNumeric(e, [](auto x) { return absolute(x); });
}
void evalSign(Evaluation &e) {
  unaryNumeric(e, [](auto x) { return signOf(x); });
}
void evalFloor(Evaluation &e) {
  unaryFloat(e, [](auto x) { return std::floor(x); });
}
void evalCeil(Evaluation &e) {
  unaryFloat(e, [](auto x) { return std::ceil(x); });
}
void evalRound(Evaluation &e) {
  unaryFloat(e, [](auto x) { return roundToEven(x); });
}
void evalSqrt(Evaluation &e) {
  unaryFloat(e, [](auto x) { return std::sqrt(x); });
}

void evalNot(Evaluation &e) {
  if (e.operand(0).dtype == DType::Bool)
    return mapUnary<uint8_t, uint8_t>(e, [](uint8_t x) -> uint8_t { return x ^ 1; });
  visitInteger(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    mapUnary<T, T>(e, [](T x) { return static_cast<T>(~asUnsigned(x)); });
  });
}

void evalStopGradient(Evaluation &e) {
  unaryBits(e, [](auto x) { return x; });
}

} // namespace apr::interp
