// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Finds what ops demand of open dims, and has entry points check it.
///
/// Slices must stay inside their operand, and the ranges of an order must be equal. Where the dims
/// do not prove that for all sizes, the function gets a check, so that code need not look again:
///
///     func @f dims(N, M) (%x: f32[N]) { %r: f32[M] = slice %x {start = [0], limit = [M], …} …
///   →
///     func @f dims(N, M) (%x: f32[N]) { check N - M >= 0 "M must not exceed N" …
///
/// Requires: nothing. Establishes: Function::checks cover every op of the function, those of
/// regions included. Invalidates: nothing.
void deriveDimChecks(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
