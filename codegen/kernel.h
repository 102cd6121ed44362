// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <string>

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace apr {

/// What kernel emitters need to know of the target; plain data, made by codegen/target.h.
struct KernelTarget {
  enum class Arch : uint8_t { X86, AArch64, RiscV };
  Arch arch = Arch::X86;
  uint32_t vectorBits = 128;   ///< width of the registers explicit vector code is written for
  uint32_t registerCount = 16; ///< vector registers
  bool hasFma = false;         ///< fused multiply-add instructions
  bool hasMasks = false;       ///< cheap masked loads and stores (AVX-512, AVX2 for 32 and 64 bits)
  bool scalarOnly = false;     ///< -O0: one lane
  /// About how many elementary operations make a block, and then every kernel of several blocks
  /// runs in parallel; 0: chosen by what workers cost.
  int64_t blockWork = 0;
};

/// A kernel as the entry points call it.
struct EmittedKernel {
  /// void(ptr dims, ptr buffers, i64 block, ptr scratch): `dims` holds the function's open dims as
  /// i64 in the order of Function::dims, `buffers` one pointer per kernel operand, then one per
  /// kernel result, `scratch` at least scratchBytes of 64-byte aligned memory of this worker.
  llvm::Function *function = nullptr;
  /// i64(ptr dims): how many blocks there are. Blocks are independent and may run in any order, in
  /// parallel; which of them a worker runs changes no bit.
  llvm::Function *blocks = nullptr;
  uint64_t scratchBytes = 0;
  /// Rough cost in multiply-adds, for the decision to run in parallel.
  Dim work;
};

/// True where callers can see the value's bits in memory: all but the workspace.
bool hasVisibleMemory(const Value &value);

/// Emits one Kernel op of a planned function into the module. `dimNames` is Function::dims. The
/// region's NaNs become canonical where a result is stored to memory that callers can see.
EmittedKernel emitKernel(llvm::Module &module, const Graph &graph, const Op &kernel,
                         const std::vector<std::string> &dimNames, const KernelTarget &target,
                         const std::string &symbol);

} // namespace apr
