// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/entry_context.h"

namespace apr {

/// Emits `i1 ()`, which tells whether the machine has the instructions of the target; null where
/// every machine of the architecture has. CPUID takes microseconds in a guest, so the answer is
/// kept in one atomic word, the object's only mutable memory: writing it twice does no harm.
llvm::Function *emitCpuCheck(const EntryContext &context);

} // namespace apr
