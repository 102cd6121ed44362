// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Replaces the dim variables of PassOptions::dims by their values, everywhere.
///
/// It runs after every pass that decides about meaning, so the object for a fixed batch size has
/// the bits of the one for all sizes.
///
///     func @predict(%x: f32[B,64]) …  %y: f32[B,64] = …        with --dim B=32
///   →
///     func @predict(%x: f32[32,64]) …  %y: f32[32,64] = …
///
/// The variables leave the functions' dims, and so the C signatures. Checks that hold for the given
/// sizes go away; one that fails is an error, as is a size below 0 or a variable that no function
/// has.
///
/// Requires: orders are fixed. Establishes: no bound variable is left. Invalidates: nothing.
void bindDims(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
