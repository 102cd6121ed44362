// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/entry_context.h"

namespace apr {

/// Emits code around `emitCall` that saves the floating-point control and status registers, sets
/// them to what the IR means (round to nearest, no flushing of subnormals, no traps), and restores
/// them, so that the caller does not even see a flag that was raised inside. LLVM may move
/// plain floating-point operations across such code, so the function at the builder must contain
/// none: what computes is a function of its own that `emitCall` calls.
void emitWithFpEnvironment(llvm::IRBuilderBase &builder, const EntryContext &context,
                           llvm::function_ref<void()> emitCall);

/// Emits code that sets the register again, after a call of the host's, who may leave it changed.
void emitSetFpEnvironment(llvm::IRBuilderBase &builder, const EntryContext &context);

} // namespace apr
