// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops without a gradient, with the reason for each.
#include "passes/autodiff/grad_rules.h"

namespace apr {

/// A user who differentiates through the op is told so.
#define APR_REFUSED(Name, reason)                                                                  \
  void grad##Name(OpGradient &d) { d.refuse(reason); }

APR_REFUSED(Floor, "it is a step function, whose derivative is zero or does not exist")
APR_REFUSED(Ceil, "it is a step function, whose derivative is zero or does not exist")
APR_REFUSED(Round, "it is a step function, whose derivative is zero or does not exist")
APR_REFUSED(Bitcast, "it reinterprets bits, which is no function of real numbers")
APR_REFUSED(Kernel, "gradients are derived before ops are fused into kernels")
APR_REFUSED(Gradient, "an inner gradient is expanded before an outer one")

#undef APR_REFUSED

/// No path leads through the op, because cutsGradient ends it there: the walk never gets here.
#define APR_CUT(Name, reason)                                                                      \
  void grad##Name(OpGradient &d) { d.refuse("a path leads through it although " reason); }

APR_CUT(StopGradient, "its derivative is zero by definition")
APR_CUT(Sign, "its derivative, as the slope of abs, is zero")
APR_CUT(Not, "it takes no floats")
APR_CUT(Rem, "it takes no floats")
APR_CUT(And, "it takes no floats")
APR_CUT(Or, "it takes no floats")
APR_CUT(Xor, "it takes no floats")
APR_CUT(Shl, "it takes no floats")
APR_CUT(ShrArith, "it takes no floats")
APR_CUT(ShrLogical, "it takes no floats")
APR_CUT(Eq, "its result is no float")
APR_CUT(Ne, "its result is no float")
APR_CUT(Lt, "its result is no float")
APR_CUT(Le, "its result is no float")
APR_CUT(Gt, "its result is no float")
APR_CUT(Ge, "its result is no float")
APR_CUT(ArgMax, "its result is no float")
APR_CUT(ArgMin, "its result is no float")
APR_CUT(ArgSort, "its result is no float")
APR_CUT(OneHot, "it takes no floats")
APR_CUT(Constant, "it has no operands")
APR_CUT(Iota, "it has no operands")
APR_CUT(RandomBits, "it takes no floats")
APR_CUT(Uniform, "it takes no floats")
APR_CUT(Normal, "it takes no floats")

#undef APR_CUT

} // namespace apr
