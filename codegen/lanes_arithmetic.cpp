// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"
#include "codegen/lanes.h"

namespace apr::codegen {
namespace {

using Builder = llvm::IRBuilder<>;
using llvm::Value;

Value *zeroLike(Value *x) { return llvm::Constant::getNullValue(x->getType()); }
Value *integerLike(Value *x, int64_t value) {
  return llvm::ConstantInt::get(x->getType(), static_cast<uint64_t>(value), true);
}
Value *numberLike(Value *x, double value) { return llvm::ConstantFP::get(x->getType(), value); }
Value *nanLike(Value *x) { return llvm::ConstantFP::getQNaN(x->getType()); }

Value *emitIntrinsic(Builder &b, llvm::Intrinsic::ID id, Value *x) {
  return b.CreateUnaryIntrinsic(id, x);
}

Value *emitSign(Builder &b, DType dtype, Value *x) {
  if (isFloat(dtype)) {
    Value *negative = b.CreateSelect(b.CreateFCmpOLT(x, zeroLike(x)), numberLike(x, -1), x);
    return b.CreateSelect(b.CreateFCmpOGT(x, zeroLike(x)), numberLike(x, 1), negative);
  }
  Value *isPositive =
      dtype == DType::U8 ? b.CreateICmpNE(x, zeroLike(x)) : b.CreateICmpSGT(x, zeroLike(x));
  Value *rest = dtype == DType::U8 ? x : b.CreateAShr(x, integerLike(x, 8 * byteSize(dtype) - 1));
  return b.CreateSelect(isPositive, integerLike(x, 1), rest);
}

/// Floor quotient and remainder of the divisor's sign, without a division that traps.
Value *emitIntegerDivide(Builder &b, DType dtype, Value *x, Value *y, OpKind kind) {
  Value *isZero = b.CreateICmpEQ(y, zeroLike(y));
  Value *one = integerLike(y, 1);
  if (dtype == DType::U8) {
    Value *divisor = b.CreateSelect(isZero, one, y);
    if (kind == OpKind::Div)
      return b.CreateSelect(isZero, zeroLike(x), b.CreateUDiv(x, divisor));
    return b.CreateSelect(isZero, x, b.CreateURem(x, divisor));
  }
  const uint32_t bits = 8 * byteSize(dtype);
  const llvm::APInt least = llvm::APInt::getSignedMinValue(bits);
  Value *overflows = b.CreateAnd(b.CreateICmpEQ(y, integerLike(y, -1)),
                                 b.CreateICmpEQ(x, llvm::ConstantInt::get(x->getType(), least)));
  Value *divisor = b.CreateSelect(b.CreateOr(isZero, overflows), one, y);
  Value *remainder = b.CreateSRem(x, divisor);
  Value *differ = b.CreateICmpSLT(b.CreateXor(remainder, divisor), zeroLike(x));
  Value *isAdjusted = b.CreateAnd(b.CreateICmpNE(remainder, zeroLike(x)), differ);
  if (kind == OpKind::Div) {
    Value *quotient = b.CreateSDiv(x, divisor);
    quotient = b.CreateSelect(isAdjusted, b.CreateSub(quotient, one), quotient);
    return b.CreateSelect(isZero, zeroLike(x), quotient);
  }
  remainder = b.CreateSelect(isAdjusted, b.CreateAdd(remainder, divisor), remainder);
  return b.CreateSelect(isZero, x, remainder);
}

const llvm::APFloat *splatOf(Value *x) {
  auto *constant = llvm::dyn_cast<llvm::Constant>(x);
  if (constant && constant->getType()->isVectorTy())
    constant = constant->getSplatValue();
  auto *number = llvm::dyn_cast_or_null<llvm::ConstantFP>(constant);
  return number ? &number->getValueAPF() : nullptr;
}

/// max of lanes (min where `isMinimum`): NaN propagates, -0 is below +0.
Value *emitFloatExtremum(Builder &b, OpKind kind, Value *x, Value *y) {
  const bool isMaximum = kind == OpKind::Max;
  if (splatOf(x))
    std::swap(x, y);
  if (const llvm::APFloat *c = splatOf(y); c && !c->isNaN()) {
    // NaN compares false and stays. A tie of zeros must give y just where y is the zero wanted.
    const bool takesTies = c->isZero() && c->isNegative() != isMaximum;
    auto predicate = isMaximum ? (takesTies ? llvm::CmpInst::FCMP_OLE : llvm::CmpInst::FCMP_OLT)
                               : (takesTies ? llvm::CmpInst::FCMP_OGE : llvm::CmpInst::FCMP_OGT);
    return b.CreateSelect(b.CreateFCmp(predicate, x, y), y, x);
  }
  Value *better = b.CreateSelect(isMaximum ? b.CreateFCmpOGT(x, y) : b.CreateFCmpOLT(x, y), x, y);
  // Equal numbers have equal bits, save the zeros.
  const unsigned bits = x->getType()->getScalarSizeInBits();
  llvm::Type *integer = x->getType()->getWithNewType(b.getIntNTy(bits));
  Value *xBits = b.CreateBitCast(x, integer), *yBits = b.CreateBitCast(y, integer);
  Value *tie = b.CreateBitCast(isMaximum ? b.CreateAnd(xBits, yBits) : b.CreateOr(xBits, yBits),
                               x->getType());
  better = b.CreateSelect(b.CreateFCmpOEQ(x, y), tie, better);
  return b.CreateSelect(b.CreateFCmpUNO(x, y), nanLike(x), better);
}

Value *emitExtremum(Builder &b, OpKind kind, DType dtype, Value *x, Value *y) {
  if (isFloat(dtype))
    return emitFloatExtremum(b, kind, x, y);
  const bool isUnsigned = dtype == DType::U8;
  auto predicate = kind == OpKind::Max
                       ? (isUnsigned ? llvm::CmpInst::ICMP_UGT : llvm::CmpInst::ICMP_SGT)
                       : (isUnsigned ? llvm::CmpInst::ICMP_ULT : llvm::CmpInst::ICMP_SLT);
  return b.CreateSelect(b.CreateICmp(predicate, x, y), x, y);
}

Value *emitCompare(Builder &b, OpKind kind, DType dtype, Value *x, Value *y) {
  using P = llvm::CmpInst;
  const bool isUnsigned = dtype == DType::U8 || dtype == DType::Bool;
  const bool isFloating = isFloat(dtype);
  auto pick = [&](P::Predicate floating, P::Predicate withSign, P::Predicate without) {
    if (isFloating)
      return b.CreateFCmp(floating, x, y);
    return b.CreateICmp(isUnsigned ? without : withSign, x, y);
  };
  switch (kind) {
  case OpKind::Eq:
    return pick(P::FCMP_OEQ, P::ICMP_EQ, P::ICMP_EQ);
  case OpKind::Ne:
    return pick(P::FCMP_UNE, P::ICMP_NE, P::ICMP_NE);
  case OpKind::Lt:
    return pick(P::FCMP_OLT, P::ICMP_SLT, P::ICMP_ULT);
  case OpKind::Le:
    return pick(P::FCMP_OLE, P::ICMP_SLE, P::ICMP_ULE);
  case OpKind::Gt:
    return pick(P::FCMP_OGT, P::ICMP_SGT, P::ICMP_UGT);
  default:
    return pick(P::FCMP_OGE, P::ICMP_SGE, P::ICMP_UGE);
  }
}

Value *emitUnary(Builder &b, OpKind kind, DType dtype, Value *x) {
  const bool isFloating = isFloat(dtype);
  switch (kind) {
  case OpKind::Neg:
    return isFloating ? b.CreateFNeg(x) : b.CreateSub(zeroLike(x), x);
  case OpKind::Abs:
    if (isFloating)
      return emitIntrinsic(b, llvm::Intrinsic::fabs, x);
    if (dtype == DType::U8)
      return x;
    return b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, x, b.getFalse());
  case OpKind::Sign:
    return emitSign(b, dtype, x);
  case OpKind::Floor:
    return isFloating ? emitIntrinsic(b, llvm::Intrinsic::floor, x) : x;
  case OpKind::Ceil:
    return isFloating ? emitIntrinsic(b, llvm::Intrinsic::ceil, x) : x;
  case OpKind::Round:
    return isFloating ? emitIntrinsic(b, llvm::Intrinsic::roundeven, x) : x;
  case OpKind::Sqrt:
    return emitIntrinsic(b, llvm::Intrinsic::sqrt, x);
  case OpKind::Not:
    return b.CreateNot(x);
  default:
    return x; // stop_gradient
  }
}

Value *emitIntegerShift(Builder &b, OpKind kind, DType dtype, Value *x, Value *y) {
  Value *amount = b.CreateAnd(y, integerLike(y, 8 * byteSize(dtype) - 1));
  if (kind == OpKind::Shl)
    return b.CreateShl(x, amount);
  if (kind == OpKind::ShrLogical || dtype == DType::U8)
    return b.CreateLShr(x, amount);
  return b.CreateAShr(x, amount);
}

} // namespace

Value *LaneEvaluator::emitMaximum(DType dtype, Value *x, Value *y, Builder &b) {
  return emitExtremum(b, OpKind::Max, dtype, x, y);
}

Value *LaneEvaluator::emitMinimum(DType dtype, Value *x, Value *y, Builder &b) {
  return emitExtremum(b, OpKind::Min, dtype, x, y);
}

Value *LaneEvaluator::emitAdd(DType dtype, Value *x, Value *y, Builder &b) {
  return isFloat(dtype) ? b.CreateFAdd(x, y) : b.CreateAdd(x, y);
}

Value *LaneEvaluator::emitMultiply(DType dtype, Value *x, Value *y, Builder &b) {
  return isFloat(dtype) ? b.CreateFMul(x, y) : b.CreateMul(x, y);
}

Value *LaneEvaluator::emitMultiplyAdd(DType dtype, Value *x, Value *y, Value *acc, Builder &b) {
  if (!isFloat(dtype))
    return b.CreateAdd(b.CreateMul(x, y), acc);
  if (target_.hasFma)
    return b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, acc});
  return emitFma(b, x, y, acc, target_);
}

Value *LaneEvaluator::emitArithmetic(const Op &op, std::vector<Value *> operands, Builder &b) {
  Value *x = operands[0];
  Value *y = operands.size() > 1 ? operands[1] : nullptr;
  const DType dtype = region_.type(op.operands[0]).dtype;
  const bool isFloating = isFloat(dtype);
  if (opInfo(op.kind).family == OpFamily::Compare)
    return emitCompare(b, op.kind, dtype, x, y);
  if (dtype == DType::F32 && isElementary(op.kind))
    return emitElementary(op.kind, b, x, target_);
  switch (op.kind) {
  case OpKind::Neg:
  case OpKind::Abs:
  case OpKind::Sign:
  case OpKind::Floor:
  case OpKind::Ceil:
  case OpKind::Round:
  case OpKind::Sqrt:
  case OpKind::Not:
  case OpKind::StopGradient:
    return emitUnary(b, op.kind, dtype, x);
  case OpKind::Add:
    return emitAdd(dtype, x, y, b);
  case OpKind::Sub:
    return isFloating ? b.CreateFSub(x, y) : b.CreateSub(x, y);
  case OpKind::Mul:
    return isFloating ? b.CreateFMul(x, y) : b.CreateMul(x, y);
  case OpKind::Div:
  case OpKind::Rem:
    return isFloating ? b.CreateFDiv(x, y) : emitIntegerDivide(b, dtype, x, y, op.kind);
  case OpKind::Min:
  case OpKind::Max:
    return emitExtremum(b, op.kind, dtype, x, y);
  case OpKind::And:
    return b.CreateAnd(x, y);
  case OpKind::Or:
    return b.CreateOr(x, y);
  case OpKind::Xor:
    return b.CreateXor(x, y);
  case OpKind::Shl:
  case OpKind::ShrArith:
  case OpKind::ShrLogical:
    return emitIntegerShift(b, op.kind, dtype, x, y);
  case OpKind::Fma:
    return emitMultiplyAdd(dtype, x, y, operands[2], b);
  case OpKind::Select:
    return b.CreateSelect(x, y, operands[2]);
  default:
    throw InternalError("no lane code for " + std::string(opInfo(op.kind).mnemonic) + " on " +
                        std::string(name(dtype)));
  }
}

} // namespace apr::codegen
