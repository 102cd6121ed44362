// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Applies the rewrites that may change bits: all there are, always, at every -O.
///
///     %two: f32[B] = constant {value = 2}
///     %y: f32[B] = pow %x, %two
///   →
///     %y: f32[B] = mul %x, %x
///
/// Each rule is an equation over the real numbers with its reason beside it. A rule looks only at
/// an op's operands, types, attributes and constants, never at who uses the result, so adding a
/// report or an entry changes no bit elsewhere. The list is short on purpose: operators mean what
/// the source says, and a rule must pay in accuracy or speed for being an exception.
///
/// Requires: no `gradient` ops. Establishes: none of the patterns is left. Invalidates: nothing.
void rewriteValues(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
