// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"

namespace apr {

/// The correctly rounded f32 value of an elementary function (Sqrt, Rsqrt, Exp, Expm1, Log, Log1p,
/// Sin, Cos, Tanh, Sigmoid, Erf); internal error for other ops. NaN gives the canonical NaN.
///
/// Evaluates series to about 100 bits and rounds once. Neither the host's math library nor a
/// formula of the code generator takes part, so that comparing the two is a test.
float exactElementary(OpKind kind, float x);

/// True for the kinds above.
bool hasExactElementary(OpKind kind);

} // namespace apr
