// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that are named and do not run yet. Each one's author removes its row here.
#include "ir/interp/eval.h"

namespace apr::interp {

#define APR_PENDING(Name)                                                                          \
  void eval##Name(Evaluation &e) { e.reject("does not run yet"); }


#undef APR_PENDING

} // namespace apr::interp
