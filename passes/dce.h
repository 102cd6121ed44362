// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Drops the ops that no result depends on: dead code elimination.
///
/// Ops have no effects, so what nothing uses can go. Arguments stay: they are the signature.
///
///     %a: f32[8] = exp %x
///     %b: f32[8] = neg %x
///     return y = %b
///   →
///     %b: f32[8] = neg %x
///     return y = %b
///
/// Requires: nothing. Establishes: every op is used. Invalidates: nothing.
void dce(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
