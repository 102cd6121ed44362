// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"

namespace apr {

/// The correctly rounded f32 value of an elementary function; internal error for other ops. NaN
/// gives the canonical NaN.
///
/// Evaluates series to about 100 bits and rounds once. Neither the host's math library nor a
/// formula of the code generator takes part, so that comparing the two is a test.
float exactElementary(OpKind kind, float x);

/// True for the unary functions of floats that are no arithmetic: sqrt, exp, sin, gelu, ...
bool hasExactElementary(OpKind kind);

} // namespace apr
