// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that are named and have no gradient rule yet. Each one's author removes its row here.
#include "passes/autodiff/grad_rules.h"

namespace apr {

#define APR_PENDING(Name)                                                                          \
  void grad##Name(OpGradient &d) { d.refuse("it has no rule yet"); }


#undef APR_PENDING

} // namespace apr
