// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lanes.h"
#include "ir/bfloat.h"

namespace apr::codegen {
namespace {

bool isUnsigned(DType dtype) { return dtype == DType::U8 || dtype == DType::Bool; }

llvm::Value *same(llvm::Value *like, uint64_t word) {
  return llvm::ConstantInt::get(like->getType(), word);
}

/// Of an i64 beyond 2^48 the low 16 bits only matter by whether one is set: a float that rounds to
/// fewer bits than are left rounds the same way.
llvm::Value *stickyLowBits(llvm::Value *x, llvm::IRBuilder<> &b) {
  llvm::Value *low = b.CreateAnd(x, same(x, 0xffff));
  llvm::Value *isSet = b.CreateICmpNE(low, same(x, 0));
  llvm::Value *sticky = b.CreateSelect(isSet, same(x, 0x8000), same(x, 0));
  llvm::Value *reduced = b.CreateOr(b.CreateXor(x, low), sticky);
  llvm::Value *isSmall =
      b.CreateICmpULT(b.CreateAdd(x, same(x, uint64_t(1) << 48)), same(x, uint64_t(1) << 49));
  return b.CreateSelect(isSmall, x, reduced);
}

/// The f32 nearest to zero of the two around an f64, its last bit set where they differ: bf16, with
/// fewer bits, then rounds as from the f64 itself (Boldo and Melquiond, 2008).
llvm::Value *roundToOdd(llvm::Value *x, llvm::Type *f32, llvm::IRBuilder<> &b) {
  llvm::Value *y = b.CreateFPTrunc(x, f32);
  llvm::Value *back = b.CreateFPExt(y, x->getType());
  llvm::Value *bits = b.CreateBitCast(y, f32->getWithNewType(b.getInt32Ty()));
  auto magnitude = [&](llvm::Value *v) { return b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, v); };
  llvm::Value *isAbove = b.CreateFCmpOGT(magnitude(back), magnitude(x));
  llvm::Value *isInexact = b.CreateFCmpONE(back, x);
  bits = b.CreateSub(bits, b.CreateZExt(isAbove, bits->getType()));
  bits = b.CreateOr(bits, b.CreateZExt(isInexact, bits->getType()));
  return b.CreateBitCast(bits, f32);
}

/// The upper half of an f32, rounded to nearest even.
llvm::Value *upperHalf(llvm::Value *x, llvm::IRBuilder<> &b) {
  llvm::Value *bits = b.CreateBitCast(x, x->getType()->getWithNewType(b.getInt32Ty()));
  llvm::Value *isOdd = b.CreateAnd(b.CreateLShr(bits, 16), same(bits, 1));
  llvm::Value *rounded = b.CreateAdd(b.CreateAdd(bits, same(bits, 0x7fff)), isOdd);
  llvm::Value *upper =
      b.CreateTrunc(b.CreateLShr(rounded, 16), bits->getType()->getWithNewType(b.getInt16Ty()));
  return b.CreateSelect(b.CreateFCmpUNO(x, x), same(upper, kBfloatNaN), upper);
}

} // namespace

llvm::Value *LaneEvaluator::emitToBfloat(DType from, llvm::Value *x, llvm::IRBuilder<> &builder) {
  llvm::Type *f32 = x->getType()->getWithNewType(builder.getFloatTy());
  if (from == DType::I64)
    x = stickyLowBits(x, builder);
  if (from == DType::I32 || from == DType::I64) {
    x = emitConvert(from, DType::F64, x, builder);
    from = DType::F64;
  }
  if (from == DType::F64)
    return upperHalf(roundToOdd(x, f32, builder), builder);
  return upperHalf(emitConvert(from, DType::F32, x, builder), builder);
}

llvm::Value *LaneEvaluator::emitFromBfloat(DType to, llvm::Value *x, llvm::IRBuilder<> &builder) {
  llvm::Type *type = x->getType();
  x = builder.CreateShl(builder.CreateZExt(x, type->getWithNewType(builder.getInt32Ty())), 16);
  x = builder.CreateBitCast(x, type->getWithNewType(builder.getFloatTy()));
  return emitConvert(DType::F32, to, x, builder);
}

llvm::Value *LaneEvaluator::emitConvert(DType from, DType to, llvm::Value *x,
                                        llvm::IRBuilder<> &builder) {
  if (from == to)
    return x;
  if (to == DType::BF16)
    return emitToBfloat(from, x, builder);
  if (from == DType::BF16)
    return emitFromBfloat(to, x, builder);
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
  if (isFloat(from) || from == DType::BF16)
    x = canonical(x, builder);
  x = builder.CreateBitCast(x, x->getType()->getWithNewType(scalarType(to)));
  return isFloat(to) || to == DType::BF16 ? canonical(x, builder) : x;
}

} // namespace apr::codegen
