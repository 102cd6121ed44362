// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/dim_code.h"
#include "codegen/entry_point.h"

namespace apr {

/// The parts of a call that has passed all checks, as values of the body of an entry point.
struct CallParts {
  llvm::Value *exec = nullptr;
  llvm::Value *state = nullptr;
  llvm::Value *workspace = nullptr;
  llvm::Value *dims = nullptr;
  llvm::Value *hypers = nullptr;
  llvm::Value *gradients = nullptr;
  std::vector<llvm::Value *> inputs;
  std::vector<llvm::Value *> results;
  DimValues dimValues;
};

/// Emits the checks of a call (docs/abi.md lists them in order) at the builder, which then stands
/// where all hold. A check that fails returns its status.
CallParts emitCallChecks(llvm::IRBuilderBase &builder, const EntryContext &context,
                         const SharedParts &shared, const EntryDescription &entry,
                         const DimFunctions &dims, llvm::Value *call);

} // namespace apr
