// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lanes.h"

namespace apr::codegen {
namespace {

bool isUnsigned(DType dtype) { return dtype == DType::U8 || dtype == DType::Bool; }

} // namespace

llvm::Value *LaneEvaluator::emitConvert(DType from, DType to, llvm::Value *x,
                                        llvm::IRBuilder<> &builder) {
  if (from == to)
    return x;
  llvm::Type *type = x->getType()->getWithNewType(scalarType(to));
  llvm::Value *zero = llvm::Constant::getNullValue(x->getType());
  if (to == DType::Bool)
    return isFloat(from) ? builder.CreateFCmpUNE(x, zero) : builder.CreateICmpNE(x, zero);
  if (isFloat(from) && isFloat(to))
    return to == DType::F32 ? builder.CreateFPTrunc(x, type) : builder.CreateFPExt(x, type);
  if (isFloat(from)) {
    auto id = isUnsigned(to) ? llvm::Intrinsic::fptoui_sat : llvm::Intrinsic::fptosi_sat;
    return builder.CreateIntrinsic(id, {type, x->getType()}, {x});
  }
  if (!isFloat(to))
    return isUnsigned(from) ? builder.CreateZExtOrTrunc(x, type)
                            : builder.CreateSExtOrTrunc(x, type);
  if (isUnsigned(from))
    return builder.CreateUIToFP(x, type);
  auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(x->getType());
  if (!vector || from != DType::I64 || to != DType::F32)
    return builder.CreateSIToFP(x, type);
  // LLVM rounds vectors of i64 to f64 first on some targets, which rounds twice.
  llvm::Value *lanes = llvm::PoisonValue::get(type);
  for (uint64_t i = 0; i < vector->getNumElements(); ++i) {
    llvm::Value *lane = builder.CreateSIToFP(builder.CreateExtractElement(x, i), scalarType(to));
    lanes = builder.CreateInsertElement(lanes, lane, i);
  }
  return lanes;
}

llvm::Value *LaneEvaluator::emitBitcast(DType from, DType to, llvm::Value *x,
                                        llvm::IRBuilder<> &builder) {
  if (isFloat(from))
    x = canonical(x, builder);
  x = builder.CreateBitCast(x, x->getType()->getWithNewType(scalarType(to)));
  return isFloat(to) ? canonical(x, builder) : x;
}

} // namespace apr::codegen
