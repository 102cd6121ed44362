// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"

namespace llvm {
class Module;
} // namespace llvm

namespace apr {

/// Runs LLVM's own passes for the target's level. They keep every bit: the module has no fast-math
/// flags and calls no functions that LLVM would evaluate with the host's libm.
void optimizeModule(llvm::Module &module, const Target &target);

} // namespace apr
