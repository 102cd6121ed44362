// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/elementwise.h"
#include "ir/interp/extremum.h"
#include "ir/interp/integer.h"

#include <cmath>

namespace apr::interp {

namespace {

template <typename Float, typename Integer>
void binaryNumeric(Evaluation &e, Float onFloats, Integer onIntegers) {
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>)
      mapBinary<T, T>(e, onFloats);
    else
      mapBinary<T, T>(e, onIntegers);
  });
}

template <typename F> void binaryInteger(Evaluation &e, F f) {
  visitInteger(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    mapBinary<T, T>(e, f);
  });
}

/// On bools the bits 0 and 1 give what logic gives.
template <typename F> void binaryBits(Evaluation &e, F f) {
  visitInteger(e, e.operand(0).dtype == DType::Bool ? DType::U8 : e.operand(0).dtype,
               [&](auto zero) {
                 using T = decltype(zero);
                 mapBinary<T, T>(e, [f](T x, T y) { return static_cast<T>(f(x, y)); });
               });
}

template <typename F> void compare(Evaluation &e, F f) {
  visitAny(e, e.operand(0).dtype, [&](auto zero) { mapBinary<decltype(zero), uint8_t>(e, f); });
}

} // namespace

void evalAdd(Evaluation &e) {
  binaryNumeric(
      e, [](auto x, auto y) { return x + y; }, [](auto x, auto y) { return wrapAdd(x, y); });
}
void evalSub(Evaluation &e) {
  binaryNumeric(
      e, [](auto x, auto y) { return x - y; }, [](auto x, auto y) { return wrapSub(x, y); });
}
void evalMul(Evaluation &e) {
  binaryNumeric(
      e, [](auto x, auto y) { return x * y; }, [](auto x, auto y) { return wrapMul(x, y); });
}
void evalDiv(Evaluation &e) {
  binaryNumeric(
      e, [](auto x, auto y) { return x / y; }, [](auto x, auto y) { return floorDivide(x, y); });
}
void evalRem(Evaluation &e) {
  binaryInteger(e, [](auto x, auto y) { return floorRemainder(x, y); });
}
void evalMin(Evaluation &e) {
  auto smaller = [](auto x, auto y) { return minimum(x, y); };
  binaryNumeric(e, smaller, smaller);
}
void evalMax(Evaluation &e) {
  auto larger = [](auto x, auto y) { return maximum(x, y); };
  binaryNumeric(e, larger, larger);
}

void evalAnd(Evaluation &e) {
  binaryBits(e, [](auto x, auto y) { return x & y; });
}
void evalOr(Evaluation &e) {
  binaryBits(e, [](auto x, auto y) { return x | y; });
}
void evalXor(Evaluation &e) {
  binaryBits(e, [](auto x, auto y) { return x ^ y; });
}
void evalShl(Evaluation &e) {
  binaryInteger(e, [](auto x, auto y) { return shiftLeft(x, y); });
}
void evalShrArith(Evaluation &e) {
  binaryInteger(e, [](auto x, auto y) { return shiftRightArithmetic(x, y); });
}
void evalShrLogical(Evaluation &e) {
  binaryInteger(e, [](auto x, auto y) { return shiftRightLogical(x, y); });
}

void evalEq(Evaluation &e) {
  compare(e, [](auto x, auto y) { return x == y; });
}
void evalNe(Evaluation &e) {
  compare(e, [](auto x, auto y) { return x != y; });
}
void evalLt(Evaluation &e) {
  compare(e, [](auto x, auto y) { return x < y; });
}
void evalLe(Evaluation &e) {
  compare(e, [](auto x, auto y) { return x <= y; });
}
void evalGt(Evaluation &e) {
  compare(e, [](auto x, auto y) { return x > y; });
}
void evalGe(Evaluation &e) {
  compare(e, [](auto x, auto y) { return x >= y; });
}

} // namespace apr::interp
