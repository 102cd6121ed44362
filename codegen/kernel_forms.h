// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/kernel.h"
#include "codegen/lanes.h"

namespace apr::codegen {

/// What the emitters of all kernel forms work on.
struct KernelContext {
  llvm::Module &module;
  const Graph &region;
  const std::vector<std::string> &dimNames;
  const KernelTarget &target;
  const std::string &symbol;
  /// Per result: whether callers can see the memory it is stored to, so that NaNs must be
  /// canonical.
  std::vector<bool> isVisible;
};

/// The two functions of a kernel while they are written.
struct KernelFunctions {
  llvm::Function *function = nullptr;
  llvm::Function *blocks = nullptr;
};
KernelFunctions declareKernel(const KernelContext &context);

/// The value of the function's argument `block`.
Index blockArgument(LoopNest &nest);
/// Loads the pointers of all operands and results; binds the operands to the region's arguments.
struct KernelBuffers {
  std::vector<MemoryTensor> results;
};
KernelBuffers bindBuffers(const KernelContext &context, LaneEvaluator &lanes);
/// Ends a function that is complete.
void finishKernel(LoopNest &nest);
/// Writes the function that counts blocks: ceil(count / perBlock), at least... 0 where count is 0.
void writeBlockCount(const KernelContext &context, llvm::Function &function,
                     const std::function<Index(LoopNest &)> &count);

/// map, reduce and row: loops over the elements of the results.
EmittedKernel emitDomainKernel(const KernelContext &context);
/// matmul: tiles held in registers. False where the kernel is outside what it is made for; the
/// domain kernel computes everything.
bool isTiledMatMul(const KernelContext &context);
EmittedKernel emitMatMulKernel(const KernelContext &context);
/// line: one cumsum or argsort.
EmittedKernel emitLineKernel(const KernelContext &context);
/// scatter: one scatter_add or scatter_set.
EmittedKernel emitScatterKernel(const KernelContext &context);

} // namespace apr::codegen
