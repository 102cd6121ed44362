// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>

#include <cstdint>

// LLVM values that read like numbers, so that elementary/formulas.h emits IR: each operator appends
// one plain instruction. Values of one expression have one lane count (or are all scalars).
namespace apr::elementary {

struct LaneMask {
  llvm::IRBuilderBase *builder;
  llvm::Value *value; ///< <W x i1>
};

struct LaneF64 {
  llvm::IRBuilderBase *builder;
  llvm::Value *value; ///< <W x double>

  LaneF64 constant(double number) const {
    return {builder, llvm::ConstantFP::get(value->getType(), number)};
  }
};

struct LaneI64 {
  llvm::IRBuilderBase *builder;
  llvm::Value *value; ///< <W x i64>

  LaneI64 constant(int64_t number) const {
    return {builder, llvm::ConstantInt::get(value->getType(), static_cast<uint64_t>(number))};
  }
};

#define APR_LANE_OPERATOR(Lane, Number, Result, symbol, Create)                                    \
  inline Result operator symbol(Lane a, Lane b) {                                                  \
    return {a.builder, a.builder->Create(a.value, b.value)};                                       \
  }                                                                                                \
  inline Result operator symbol(Lane a, Number b) { return a symbol a.constant(b); }               \
  inline Result operator symbol(Number a, Lane b) { return b.constant(a) symbol b; }

APR_LANE_OPERATOR(LaneF64, double, LaneF64, +, CreateFAdd)
APR_LANE_OPERATOR(LaneF64, double, LaneF64, -, CreateFSub)
APR_LANE_OPERATOR(LaneF64, double, LaneF64, *, CreateFMul)
APR_LANE_OPERATOR(LaneF64, double, LaneF64, /, CreateFDiv)
APR_LANE_OPERATOR(LaneF64, double, LaneMask, <, CreateFCmpOLT)
APR_LANE_OPERATOR(LaneF64, double, LaneMask, >, CreateFCmpOGT)
APR_LANE_OPERATOR(LaneF64, double, LaneMask, >=, CreateFCmpOGE)
APR_LANE_OPERATOR(LaneF64, double, LaneMask, ==, CreateFCmpOEQ)
APR_LANE_OPERATOR(LaneI64, int64_t, LaneI64, +, CreateAdd)
APR_LANE_OPERATOR(LaneI64, int64_t, LaneI64, -, CreateSub)
APR_LANE_OPERATOR(LaneI64, int64_t, LaneI64, &, CreateAnd)
APR_LANE_OPERATOR(LaneI64, int64_t, LaneI64, |, CreateOr)
APR_LANE_OPERATOR(LaneI64, int64_t, LaneI64, ^, CreateXor)
APR_LANE_OPERATOR(LaneI64, int64_t, LaneMask, ==, CreateICmpEQ)
#undef APR_LANE_OPERATOR

inline LaneF64 operator-(LaneF64 a) { return {a.builder, a.builder->CreateFNeg(a.value)}; }

inline LaneF64 splat(LaneF64 like, double number) { return like.constant(number); }

inline LaneF64 select(LaneMask mask, LaneF64 yes, LaneF64 no) {
  return {mask.builder, mask.builder->CreateSelect(mask.value, yes.value, no.value)};
}

/// The type of the same lane count with another element.
inline llvm::Type *withElement(llvm::Type *type, llvm::Type *element) {
  if (auto *vector = llvm::dyn_cast<llvm::VectorType>(type))
    return llvm::VectorType::get(element, vector->getElementCount());
  return element;
}

inline LaneI64 bitsOf(LaneF64 x) {
  auto *type = withElement(x.value->getType(), x.builder->getInt64Ty());
  return {x.builder, x.builder->CreateBitCast(x.value, type)};
}
inline LaneF64 fromBits(LaneI64 x) {
  auto *type = withElement(x.value->getType(), x.builder->getDoubleTy());
  return {x.builder, x.builder->CreateBitCast(x.value, type)};
}
inline LaneI64 shiftLeft(LaneI64 x, uint64_t count) {
  return {x.builder, x.builder->CreateShl(x.value, count)};
}
/// Zeros come in.
inline LaneI64 shiftRight(LaneI64 x, uint64_t count) {
  return {x.builder, x.builder->CreateLShr(x.value, count)};
}
inline LaneF64 squareRoot(LaneF64 x) {
  return {x.builder, x.builder->CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x.value)};
}

} // namespace apr::elementary
