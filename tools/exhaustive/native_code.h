// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class IRBuilderBase;
class Value;
} // namespace llvm

namespace apr::exhaustive {

/// An element-wise function compiled to an object for one CPU level and linked into this process.
class NativeCode {
public:
  virtual ~NativeCode() = default;
  /// `count` elements from each input; a multiple of 64.
  virtual void run(const std::vector<const void *> &inputs, void *output, int64_t count) const = 0;
  /// Symbols that the object leaves undefined.
  virtual const std::vector<std::string> &undefinedSymbols() const = 0;
};

/// The operands, and what makes the result of them.
using LaneEmitter = std::function<llvm::Value *(
    llvm::IRBuilderBase &, const std::vector<llvm::Value *> &, const Target &)>;

/// A loop over vectors of the target's width around `emit`, for inputs and output of one float
/// type.
std::unique_ptr<NativeCode> compileLanes(DType dtype, size_t inputs, const TargetOptions &options,
                                         const LaneEmitter &emit);

/// The f32 function that codegen emits for the op.
std::unique_ptr<NativeCode> compileElementary(OpKind kind, const TargetOptions &options);

} // namespace apr::exhaustive
