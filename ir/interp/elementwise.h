// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/eval.h"

namespace apr::interp {

/// result[i] = f(x[i]) over elements stored as T, giving R.
template <typename T, typename R, typename F> void mapUnary(Evaluation &e, F f) {
  e.require(e.operand(0).shape == e.resultExtents(), "needs operand and result of one shape");
  auto x = e.elements<T>(0);
  auto out = e.resultElements<R>();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = f(x[i]);
}

/// result[i] = f(x[i], y[i]) over elements stored as T, giving R.
template <typename T, typename R, typename F> void mapBinary(Evaluation &e, F f) {
  e.require(e.operand(0).shape == e.resultExtents() && e.operand(1).shape == e.resultExtents(),
            "needs operands and result of one shape");
  auto x = e.elements<T>(0), y = e.elements<T>(1);
  auto out = e.resultElements<R>();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = f(x[i], y[i]);
}

} // namespace apr::interp
