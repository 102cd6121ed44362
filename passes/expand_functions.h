// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Writes the definition of every composed function into the program: f64 elementary functions,
/// pow, uniform and normal become arithmetic, bit and select ops (ir/expansions/).
///
/// No 2^64 inputs can be checked, so these functions mean their operation sequence rather than a
/// correctly rounded value; written as ops, every later pass and code generator keeps their bits.
///
///     %u: f32[B] = uniform %seed, %step, %row {stream = "noise"}
///   →
///     %b: i32[B] = random_bits %seed, %step, %row {stream = "noise", word = 0}
///     %s: i32[B] = shr_logical %b, %eight
///     %f: f32[B] = convert %s
///     %u: f32[B] = mul %f, %scale
///
/// Requires: nothing. Establishes: no op has an expansion. Invalidates: nothing.
void expandFunctions(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
