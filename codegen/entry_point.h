// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/dim_checks.h"
#include "codegen/kernel_cache.h"
#include "codegen/kernel_runner.h"

namespace apr {

/// An entry point as the reflection table lists it.
struct EntryPoint {
  llvm::Function *call; ///< aprt_status (const aprt_call *)
  DimFunctions dims;
  uint64_t scratchBytes; ///< per worker
};

/// What all entry points of a model share.
struct SharedParts {
  KernelRunner runner;
  llvm::Function *hasCpu;        ///< i1 (), or null
  llvm::Constant *defaultExec;   ///< an aprt_exec that runs serially
  llvm::Constant *defaultHypers; ///< the hyperparameter struct with all defaults
};
SharedParts emitSharedParts(const EntryContext &context);

/// Emits an entry point and its kernels. It checks everything before it writes anything, and
/// computes in the floating-point environment of the IR whatever the caller's is.
EntryPoint emitEntryPoint(const EntryContext &context, const SharedParts &shared,
                          const EntryDescription &entry, KernelCache &kernels);

} // namespace apr
