// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Finds the inputs that are used as indices, and the range that an entry point must check.
///
/// A class label out of range is a mistake in the caller's data, so it becomes a status before
/// anything is written; an index that the graph computes clamps (docs/ops.md).
///
///     func @step(%z: f32[B,10], %y: i32[B]) { … %p: f32[B] = pick %z, %y …
///   →
///     func @step(%z: f32[B,10], %y: i32[B] below 10) { …
///
/// An input counts where it reaches the index operand of gather, scatter_add, pick or one_hot
/// unchanged: through reshape, transpose, broadcast, stop_gradient and conversion to a wider
/// integer. Several limits give the smallest, where one is provably that, else the first: the ops
/// themselves clamp. A slice of an input (the tokens but the last, say) counts only where every
/// use of the input is such an index under one limit, since other columns may mean other things.
///
/// Requires: no `kernel` ops. Establishes: Argument::indexLimit. Invalidates: nothing.
void deriveIndexLimits(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
