// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"

#include "codegen/elementary/formula_table.h"
#include "codegen/elementary/lane_values.h"

#include <llvm/Analysis/VectorUtils.h>

#include <algorithm>
#include <numeric>

namespace apr {
namespace {

using elementary::LaneF64;
using llvm::Value;

Value *emitGroup(OpKind kind, llvm::IRBuilderBase &builder, Value *x) {
  if (kind == OpKind::Sqrt) // IEEE 754 rounds it correctly
    return builder.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
  auto *wide = elementary::withElement(x->getType(), builder.getDoubleTy());
  auto formula = elementary::findFormula<LaneF64>(kind);
  if (!formula)
    throw InternalError("emitElementary: no f32 formula for this op");
  LaneF64 result = formula({&builder, builder.CreateFPExt(x, wide)});
  return builder.CreateFPTrunc(result.value, x->getType());
}

/// Lanes evaluated together: two registers of f64, enough to hide latency without spilling.
unsigned groupLanes(const KernelTarget &target) { return std::max(2u, 2 * target.vectorBits / 64); }

Value *emitInGroups(OpKind kind, llvm::IRBuilderBase &builder, Value *x, unsigned group) {
  auto *type = llvm::dyn_cast<llvm::FixedVectorType>(x->getType());
  if (!type || type->getNumElements() <= group || type->getNumElements() % group != 0)
    return emitGroup(kind, builder, x);
  llvm::SmallVector<Value *, 8> parts;
  for (unsigned first = 0; first < type->getNumElements(); first += group) {
    llvm::SmallVector<int, 16> lanes(group);
    std::iota(lanes.begin(), lanes.end(), static_cast<int>(first));
    parts.push_back(emitGroup(kind, builder, builder.CreateShuffleVector(x, lanes)));
  }
  return llvm::concatenateVectors(builder, parts);
}

} // namespace

bool isElementary(OpKind kind) {
  return kind == OpKind::Sqrt || elementary::findFormula<LaneF64>(kind) != nullptr;
}

llvm::Value *emitElementary(OpKind kind, llvm::IRBuilderBase &builder, llvm::Value *x,
                            const KernelTarget &target) {
  llvm::Value *result = emitInGroups(kind, builder, x, groupLanes(target));
  // The formulas leave NaN operands open, and a negative square root makes a NaN whose sign is the
  // processor's choice.
  bool isRoot = kind == OpKind::Sqrt || kind == OpKind::Rsqrt;
  llvm::Value *tested = isRoot ? result : x;
  auto *nan = llvm::ConstantFP::getQNaN(x->getType());
  return builder.CreateSelect(builder.CreateFCmpUNO(tested, tested), nan, result);
}

} // namespace apr
