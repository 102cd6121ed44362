// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that are named and do not run yet. Each one's author removes its row here.
#include "ir/interp/eval.h"

namespace apr::interp {

#define APR_PENDING(Name)                                                                          \
  void eval##Name(Evaluation &e) { e.reject("does not run yet"); }

APR_PENDING(Exp2)
APR_PENDING(Log2)
APR_PENDING(Tan)
APR_PENDING(Asin)
APR_PENDING(Acos)
APR_PENDING(Atan)
APR_PENDING(Sinh)
APR_PENDING(Cosh)
APR_PENDING(ErfInv)
APR_PENDING(Softplus)
APR_PENDING(Silu)
APR_PENDING(Gelu)
APR_PENDING(GeluTanh)
APR_PENDING(Atan2)
APR_PENDING(Product)
APR_PENDING(ArgMin)
APR_PENDING(CumSum)
APR_PENDING(ArgSort)
APR_PENDING(Conv)
APR_PENDING(ConvWeight)
APR_PENDING(Reverse)
APR_PENDING(Window)
APR_PENDING(ScatterSet)
APR_PENDING(WithGradient)

#undef APR_PENDING

} // namespace apr::interp
