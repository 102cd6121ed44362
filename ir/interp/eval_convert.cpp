// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/bfloat.h"
#include "ir/interp/elementwise.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace apr::interp {

namespace {

/// Truncates toward zero and saturates; NaN gives 0.
template <typename To, typename From> To saturate(From x) {
  if (std::isnan(x))
    return 0;
  From whole = std::trunc(x);
  // 2 to the number of value bits: exact in every float type, unlike the largest integer itself.
  From bound = std::ldexp(From(1), std::numeric_limits<To>::digits);
  if (whole >= bound)
    return std::numeric_limits<To>::max();
  if (whole < static_cast<From>(std::numeric_limits<To>::min()))
    return std::numeric_limits<To>::min();
  return static_cast<To>(whole);
}

template <typename To, typename From> To convertNumber(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return saturate<To>(x);
  else
    return static_cast<To>(x); // rounds to nearest even, or wraps
}

} // namespace

namespace {

void convertToBfloat(Evaluation &e) {
  visitAny(e, e.operand(0).dtype, [&](auto zero) {
    using From = decltype(zero);
    mapUnary<From, uint16_t>(e, [](From x) {
      if constexpr (std::is_floating_point_v<From>)
        return roundToBfloat(static_cast<double>(x));
      else
        return roundToBfloat(static_cast<int64_t>(x));
    });
  });
}

void convertFromBfloat(Evaluation &e) {
  if (e.resultDType() == DType::Bool)
    return mapUnary<uint16_t, uint8_t>(e, [](uint16_t x) { return bfloatValue(x) != 0; });
  visitNumeric(e, e.resultDType(), [&](auto zero) {
    using To = decltype(zero);
    mapUnary<uint16_t, To>(e, [](uint16_t x) { return convertNumber<To>(bfloatValue(x)); });
  });
}

} // namespace

void evalConvert(Evaluation &e) {
  const DType from = e.operand(0).dtype, to = e.resultDType();
  if (from == DType::BF16 && to == DType::BF16)
    return mapUnary<uint16_t, uint16_t>(e, [](uint16_t x) { return x; });
  if (to == DType::BF16)
    return convertToBfloat(e);
  if (from == DType::BF16)
    return convertFromBfloat(e);
  visitAny(e, e.operand(0).dtype, [&](auto fromZero) {
    using From = decltype(fromZero);
    if (e.resultDType() == DType::Bool)
      return mapUnary<From, uint8_t>(e, [](From x) -> uint8_t { return x != 0; });
    visitNumeric(e, e.resultDType(), [&](auto toZero) {
      using To = decltype(toZero);
      mapUnary<From, To>(e, [](From x) { return convertNumber<To>(x); });
    });
  });
}

void evalBitcast(Evaluation &e) {
  const Tensor &from = e.operand(0);
  e.require(from.shape == e.resultExtents() && byteSize(from.dtype) == byteSize(e.resultDType()),
            "needs operand and result of one size");
  Tensor canonical = from;
  canonicalize(canonical);
  e.result().data = std::move(canonical.data);
}

} // namespace apr::interp
