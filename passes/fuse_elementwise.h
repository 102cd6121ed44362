// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

void fuseElementwise(Module &module, const PassOptions &options, Diagnostics &diagnostics);

/// True where the kernel reads an element of the operand only to compute the element of the result
/// at the same index, and after every other read of it, so that both may share one buffer.
/// Conservative.
bool readsOnlyAtWrittenIndex(const Op &kernel, size_t operand, size_t result);

} // namespace apr
