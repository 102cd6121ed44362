// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Applies identities that hold for every bit pattern of the operands, signed zeros, infinities and
/// NaN included (a NaN is a NaN), so that no result changes a bit.
///
///     %a: f32[B,8] = broadcast %lr {axes = []}
///     %b: f32[B,8] = convert %a                        %s: f32 = convert %lr
///     %c: f32[B,8] = mul %b, %one               →      %b: f32[B,8] = broadcast %s {axes = []}
///     %d: f32[B,8] = div %c, %two                      %d: f32[B,8] = mul %b, %half
///
/// The identities, by file: passes/simplify/arithmetic.cpp (x·1 = x, x/2 = x·½, x + -0 = x, but not
/// x + 0 = x, which is wrong for -0), conversion.cpp, movement.cpp (chains of one movement become
/// one; transposes become flags of matmul), and hoisting (an element-wise op of moved operands is
/// the moved op, which merges movements and computes repeated elements once). One walk reaches the
/// fixed point, because operands are simplified before their users and every new op is matched
/// again.
///
/// Requires: no `gradient` ops. Establishes: none of the patterns is left. Invalidates: nothing;
/// ops that lost their users stay for dce.
void simplifyExact(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
