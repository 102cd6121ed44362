// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/eval.h"

#include <cmath>

namespace apr::interp {

void evalFma(Evaluation &e) {
  for (size_t i = 0; i < 3; ++i)
    e.require(e.operand(i).shape == e.resultExtents(), "needs operands and result of one shape");
  visitFloat(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    auto x = e.elements<T>(0), y = e.elements<T>(1), z = e.elements<T>(2);
    auto out = e.resultElements<T>();
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = std::fma(x[i], y[i], z[i]);
  });
}

void evalSelect(Evaluation &e) {
  for (size_t i = 0; i < 3; ++i)
    e.require(e.operand(i).shape == e.resultExtents(), "needs operands and result of one shape");
  auto condition = e.elements<uint8_t>(0);
  visitAny(e, e.operand(1).dtype, [&](auto zero) {
    using T = decltype(zero);
    auto yes = e.elements<T>(1), no = e.elements<T>(2);
    auto out = e.resultElements<T>();
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = condition[i] ? yes[i] : no[i];
  });
}

} // namespace apr::interp
