// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/entry_context.h"

namespace apr {

/// How entry points run kernels: the body of an entry fills a frame per kernel and calls `run`,
/// which calls the kernel for every block, itself or through the caller's par_for.
class KernelRunner {
public:
  /// Emits the task that par_for calls, and `run`.
  explicit KernelRunner(const EntryContext &context);

  /// { kernel, dims, buffers, scratch of worker 0, scratch bytes per worker, exec }.
  enum Field : unsigned { Kernel, Dims, Buffers, Scratch, ScratchStride, Exec };
  llvm::StructType *frameType() const { return frameType_; }
  /// The address of a field of a frame.
  llvm::Value *field(llvm::IRBuilderBase &builder, llvm::Value *frame, Field field) const;
  /// void(ptr frame, i64 blocks, i1 parallel)
  llvm::Function *run() const { return run_; }

private:
  llvm::Function *emitTask(const EntryContext &context);
  llvm::Function *emitRun(const EntryContext &context, llvm::Function *task);
  void callKernel(llvm::IRBuilderBase &builder, llvm::Value *frame, llvm::Value *block,
                  llvm::Value *worker) const;

  llvm::StructType *frameType_;
  llvm::FunctionType *kernelType_;
  llvm::Function *run_;
};

} // namespace apr
