// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Computes equal values once: common subexpression elimination.
///
/// Two ops are equal where kind, attributes, result types and operands are, the operands of a
/// commutative op in either order. Ops have no effects, so the first of them stands for all.
///
///     %a: f32[8] = exp %x
///     %b: f32[8] = exp %x
///     %c: f32[8] = add %a, %b
///   →
///     %a: f32[8] = exp %x
///     %c: f32[8] = add %a, %a
///
/// Random draws are equal where their stream, seed, step and offset are: they are the same numbers.
///
/// Requires: gradients are derived (contributions add in order of use, which this changes).
/// Establishes: no two equal ops. Invalidates: nothing.
void cse(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
