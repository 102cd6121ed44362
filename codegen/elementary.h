// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/kernel.h"

namespace llvm {
class IRBuilderBase;
class Value;
} // namespace llvm

namespace apr {

/// True for the f32 functions that emitElementary knows. Their f64 forms are IR expansions.
bool isElementary(OpKind kind);

/// Emits the correctly rounded f32 function of x, a float or <W x float>, as straight-line code at
/// the builder's position. No fast-math flags, no calls; NaN gives the canonical NaN. Wide vectors
/// are evaluated in groups that fit the target's registers.
llvm::Value *emitElementary(OpKind kind, llvm::IRBuilderBase &builder, llvm::Value *x,
                            const KernelTarget &target);

/// Emits a * b + c with one rounding, for float, double and vectors of them, right for all bit
/// patterns (a NaN result has any payload). Without fused multiply-add instructions, f32 goes
/// through f64 and f64 through an integer routine that becomes part of the module.
llvm::Value *emitFma(llvm::IRBuilderBase &builder, llvm::Value *a, llvm::Value *b, llvm::Value *c,
                     const KernelTarget &target);

} // namespace apr
