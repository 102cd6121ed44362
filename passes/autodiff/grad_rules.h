// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The gradient rules, one per row of ir/ops.def: an op without one does not link. They are defined
// in grad_<family>.cpp.
#pragma once

#include "passes/autodiff/op_gradient.h"

namespace apr {

#define APR_OP(Name, ...) void grad##Name(OpGradient &gradient);
#include "ir/ops.def"

} // namespace apr
