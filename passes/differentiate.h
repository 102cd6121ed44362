// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Replaces every `gradient` op by the ops that compute the derivatives: reverse-mode automatic
/// differentiation as a graph transformation.
///
///     %l: f32 = sum %y {axes = [0]}
///     %dx: f32[8] = gradient %l, %x                   where %y = mul %x, %x
///   →
///     %l: f32 = sum %y {axes = [0]}
///     %one: f32 = constant {value = 1}
///     %dy: f32[8] = broadcast %one {axes = []}
///     %a: f32[8] = mul %dy, %x
///     %b: f32[8] = mul %dy, %x
///     %dx: f32[8] = add %a, %b
///
/// One rule per op (passes/autodiff/grad_<family>.cpp) says what each operand's derivative is. The
/// contributions of several uses add in ascending order of use, so that the bits are a function of
/// the source alone. Only the ops between the differentiated values and the loss get a derivative.
/// Gradient ops are expanded in order, so one that differentiates through another sees plain ops.
///
/// A `with_gradient` op lets the derivative by its result end in the ops of its region, which
/// become part of the graph; in the end each is replaced by its value.
///
/// The derivative of a `scan` is a scan in the opposite direction (docs/ops.md). Gradient ops
/// inside of regions are expanded before those around them.
///
/// An op without a derivative on such a path is an error (no-gradient) that shows the path. A value
/// without a path to the loss has a gradient of zeros: an error where that is so for all values of
/// one gradient op, a warning for a single one.
///
/// Requires: no CSE ran before. Establishes: no `gradient` and no
/// `with_gradient` op is left. Invalidates: nothing.
void differentiate(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
