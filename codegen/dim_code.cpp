// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/dim_code.h"

#include "codegen/llvm_compat.h"
#include "ir/graph.h"

#include <llvm/IR/IRBuilder.h>

namespace apr {
namespace {

/// Emits the arithmetic of dims; collects the conditions under which it goes wrong, if asked to.
class DimEmitter {
public:
  DimEmitter(llvm::IRBuilderBase &builder, const DimValues &values)
      : builder_(builder), values_(values) {}

  llvm::Value *emit(const Dim &dim) {
    if (!dim.isValid())
      throw InternalError("code generation met an invalid dim");
    llvm::Value *sum = nullptr;
    for (const Dim::Term &term : dim.terms()) {
      llvm::Value *product = emitTerm(term);
      sum = sum ? add(sum, product) : product;
    }
    return sum ? sum : builder_.getInt64(0);
  }

  /// Set before emit: where to collect overflow conditions.
  llvm::Value **fails = nullptr;

private:
  llvm::Value *emitTerm(const Dim::Term &term) {
    llvm::Value *product = nullptr;
    auto multiply = [&](llvm::Value *factor) { product = product ? mul(product, factor) : factor; };
    if (term.coefficient != 1 || term.factors.empty())
      multiply(builder_.getInt64(static_cast<uint64_t>(term.coefficient)));
    for (const Dim::Factor &factor : term.factors) {
      llvm::Value *base = emitFactor(factor);
      for (uint32_t i = 0; i < factor.power; ++i)
        multiply(base);
    }
    return product;
  }

  llvm::Value *emitFactor(const Dim::Factor &factor) {
    if (factor.quotient)
      return floorDivide(emit(factor.quotient->numerator), emit(factor.quotient->denominator));
    auto found = values_.find(factor.variable);
    if (found == values_.end())
      throw InternalError("code generation met the unknown dim variable " + factor.variable);
    return found->second;
  }

  llvm::Value *add(llvm::Value *a, llvm::Value *b) {
    return fails ? guarded(llvm::Intrinsic::sadd_with_overflow, a, b) : builder_.CreateAdd(a, b);
  }
  llvm::Value *mul(llvm::Value *a, llvm::Value *b) {
    return fails ? guarded(llvm::Intrinsic::smul_with_overflow, a, b) : builder_.CreateMul(a, b);
  }

  llvm::Value *guarded(llvm::Intrinsic::ID id, llvm::Value *a, llvm::Value *b) {
    llvm::Module &module = *builder_.GetInsertBlock()->getModule();
    llvm::Value *both =
        builder_.CreateCall(compat::intrinsic(module, id, {builder_.getInt64Ty()}), {a, b});
    noteFailure(builder_.CreateExtractValue(both, 1));
    return builder_.CreateExtractValue(both, 0);
  }

  void noteFailure(llvm::Value *condition) {
    *fails = *fails ? builder_.CreateOr(*fails, condition) : condition;
  }

  llvm::Value *floorDivide(llvm::Value *n, llvm::Value *m) {
    llvm::Value *zero = builder_.getInt64(0);
    if (fails) {
      // INT64_MIN / -1 traps as well; a denominator below 1 is a dimension out of range.
      llvm::Value *bad = builder_.CreateICmpSLT(m, builder_.getInt64(1));
      noteFailure(bad);
      m = builder_.CreateSelect(bad, builder_.getInt64(1), m);
    }
    llvm::Value *quotient = builder_.CreateSDiv(n, m);
    llvm::Value *rest = builder_.CreateSub(n, builder_.CreateMul(quotient, m));
    llvm::Value *down = builder_.CreateICmpSLT(builder_.CreateXor(rest, m), zero);
    down = builder_.CreateAnd(down, builder_.CreateICmpNE(rest, zero));
    return builder_.CreateSub(quotient, builder_.CreateZExt(down, builder_.getInt64Ty()));
  }

  llvm::IRBuilderBase &builder_;
  const DimValues &values_;
};

} // namespace

DimValues loadDims(llvm::IRBuilderBase &builder, llvm::Value *dims,
                   const std::vector<std::string> &names) {
  DimValues values;
  for (size_t i = 0; i < names.size(); ++i) {
    llvm::Value *address = builder.CreateConstInBoundsGEP1_64(builder.getInt64Ty(), dims, i);
    values[names[i]] = builder.CreateLoad(builder.getInt64Ty(), address, names[i]);
  }
  return values;
}

llvm::Value *emitDim(llvm::IRBuilderBase &builder, const Dim &dim, const DimValues &values) {
  return DimEmitter(builder, values).emit(dim);
}

CheckedDim emitCheckedDim(llvm::IRBuilderBase &builder, const Dim &dim, const DimValues &values) {
  llvm::Value *fails = nullptr;
  DimEmitter emitter(builder, values);
  emitter.fails = &fails;
  llvm::Value *value = emitter.emit(dim);
  return {value, fails ? fails : builder.getFalse()};
}

} // namespace apr
