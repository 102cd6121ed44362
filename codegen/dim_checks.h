// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/entry_context.h"

namespace apr {

/// Dimension values above this are refused before anything is computed from them.
inline constexpr int64_t kMaximumDim = int64_t(1) << 40;

/// The functions of an entry point that look at its dims alone; integer arithmetic only.
struct DimFunctions {
  llvm::Function *check;     ///< i32 (ptr dims): APRT_OK, or which condition does not hold
  llvm::Function *workspace; ///< i64 (i32 workers, ptr dims): bytes, or -1
  llvm::Function *shapes;    ///< i32 (ptr dims, ptr out): see aprt_entry
};

/// `scratchBytes` is what each worker needs beside Function::workspaceBytes.
DimFunctions emitDimFunctions(const EntryContext &context, const EntryDescription &entry,
                              uint64_t scratchBytes);

} // namespace apr
