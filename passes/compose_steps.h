// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Builds the step of every train block: its grad, then its apply, inlined into one function.
///
/// Written as a pass, not by the frontend, so that "step gives the bits of grad and apply" holds by
/// construction, for models from any source. One function also lets the optimizer's update fuse
/// into the kernel that makes the gradient.
///
///     func @step.grad(%x: f32[B]) state(%w: f32) … { … return loss = %l gradient w = %g }
///     func @step.apply() state(%w: f32) gradient(%dw: f32) hyper(%lr: f64) { … update w = %w2 }
///   →
///     func @step(%x: f32[B]) state(%w: f32) hyper(%lr: f64) { … return loss = %l update w = %w2 }
///
/// Results of grad that are no gradients stay results; apply's gradient arguments become grad's
/// gradient results of the same name. Arguments that both have (state, hyperparameters, execution
/// context) are shared: both read the old state. State and hyperparameters stand in the module's
/// order. Blocks without grad or apply, and blocks that have a step, are left alone.
///
/// Requires: nothing. Establishes: a step per train block. Invalidates: nothing.
void composeSteps(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
