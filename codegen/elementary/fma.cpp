// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"

#include "codegen/elementary/formulas.h"
#include "codegen/elementary/lane_values.h"

#include <llvm/IR/Module.h>

namespace apr {
namespace {

using elementary::LaneF64;
using llvm::Value;

constexpr const char *kRoutine = "apr.fma.f64";

/// The product of two f32 is exact in f64; the sum with the third operand is rounded to odd there,
/// which leaves the rounding to f32 as the only one.
Value *emitFmaThroughF64(llvm::IRBuilderBase &builder, Value *a, Value *b, Value *c) {
  auto *wide = elementary::withElement(a->getType(), builder.getDoubleTy());
  auto widen = [&](Value *x) { return LaneF64{&builder, builder.CreateFPExt(x, wide)}; };
  auto sum = elementary::twoSum(widen(a) * widen(b), widen(c));
  // Infinities and NaNs leave a NaN in `low` and stand in `high` already.
  auto isInexact = elementary::absolute(sum.low) > 0.0;
  auto result = elementary::select(isInexact, elementary::roundToOdd(sum), sum.high);
  return builder.CreateFPTrunc(result.value, a->getType());
}

/// Writes the integer routine: short names for the values of its formula.
class FmaRoutine {
public:
  explicit FmaRoutine(llvm::IRBuilderBase &builder)
      : b_(builder), word_(builder.getInt64Ty()), wide_(builder.getInt128Ty()) {}

  void emit(Value *x, Value *y, Value *z) {
    Value *product = b_.CreateFMul(x, y);
    // Only a zero factor makes the product zero exactly; an underflowed one is not plain.
    Value *isZero = b_.CreateOr(b_.CreateFCmpOEQ(x, zero()), b_.CreateFCmpOEQ(y, zero()));
    Value *isPlain = b_.CreateOr(b_.CreateOr(isNotFinite(x), isNotFinite(y)), isZero, "plain");
    Value *result = b_.CreateSelect(isNotFinite(z), z, finiteSum(x, y, z));
    b_.CreateRet(b_.CreateSelect(isPlain, b_.CreateFAdd(product, z), result));
  }

private:
  /// value = (-1)^negative * mantissa * 2^exponent, mantissa of 53 bits, or 0.
  struct Unpacked {
    Value *negative;
    Value *mantissa;
    Value *exponent;
  };

  Value *word(int64_t n) { return llvm::ConstantInt::get(word_, static_cast<uint64_t>(n)); }
  Value *wide(uint64_t n) { return llvm::ConstantInt::get(wide_, n); }
  Value *zero() { return llvm::ConstantFP::get(b_.getDoubleTy(), 0.0); }
  Value *bits(Value *x) { return b_.CreateBitCast(x, word_); }

  Value *isNotFinite(Value *x) {
    constexpr int64_t exponent = 0x7ff0000000000000;
    return b_.CreateICmpEQ(b_.CreateAnd(bits(x), word(exponent)), word(exponent));
  }

  Unpacked unpack(Value *x) {
    // Denormals become normal by an exact multiplication.
    Value *scaled = b_.CreateFMul(x, llvm::ConstantFP::get(b_.getDoubleTy(), 0x1p54));
    Value *isSmall = b_.CreateICmpEQ(b_.CreateAnd(bits(x), word(0x7ff0000000000000)), word(0));
    Value *pattern = b_.CreateSelect(isSmall, bits(scaled), bits(x));
    Value *field = b_.CreateAnd(b_.CreateLShr(pattern, 52), word(0x7ff));
    Value *fraction = b_.CreateAnd(pattern, word(0x000fffffffffffff));
    Value *mantissa = b_.CreateOr(fraction, word(0x0010000000000000));
    mantissa = b_.CreateSelect(b_.CreateFCmpOEQ(x, zero()), word(0), mantissa);
    Value *bias = b_.CreateSelect(isSmall, word(1075 + 54), word(1075));
    return {b_.CreateICmpSLT(pattern, word(0)), mantissa, b_.CreateSub(field, bias)};
  }

  Value *widen(Value *x) { return b_.CreateZExt(x, wide_); }

  Value *atMost127(Value *count) {
    Value *raised = b_.CreateSelect(b_.CreateICmpSLT(count, word(0)), word(0), count);
    return b_.CreateSelect(b_.CreateICmpSGT(raised, word(127)), word(127), raised);
  }

  /// x >> count with whatever falls off kept as a set lowest bit.
  Value *shiftRightSticky(Value *x, Value *count) {
    Value *n = widen(count);
    Value *shifted = b_.CreateLShr(x, n);
    Value *lost = b_.CreateICmpNE(b_.CreateShl(shifted, n), x);
    return b_.CreateOr(shifted, b_.CreateZExt(lost, wide_));
  }

  Value *negateIf(Value *condition, Value *x) {
    return b_.CreateSelect(condition, b_.CreateNeg(x), x);
  }

  /// The rounded sum of finite x * y != 0 and finite z.
  Value *finiteSum(Value *x, Value *y, Value *z) {
    Unpacked ux = unpack(x), uy = unpack(y), uz = unpack(z);
    // Both terms have their leading bit at 124 or 125, which leaves room for the sign and a carry.
    Value *product = b_.CreateShl(b_.CreateMul(widen(ux.mantissa), widen(uy.mantissa)), wide(20));
    Value *productExponent = b_.CreateSub(b_.CreateAdd(ux.exponent, uy.exponent), word(20));
    Value *addend = b_.CreateShl(widen(uz.mantissa), wide(72));
    Value *addendExponent = b_.CreateSub(uz.exponent, word(72));

    Value *distance = b_.CreateSub(productExponent, addendExponent);
    Value *exponent =
        b_.CreateSelect(b_.CreateICmpSLT(distance, word(0)), addendExponent, productExponent);
    // A zero addend must not push the product away.
    Value *hasAddend = b_.CreateICmpNE(uz.mantissa, word(0));
    distance = b_.CreateSelect(hasAddend, distance, word(0));
    exponent = b_.CreateSelect(hasAddend, exponent, productExponent);
    addend = shiftRightSticky(addend, atMost127(distance));
    product = shiftRightSticky(product, atMost127(b_.CreateNeg(distance)));

    Value *productNegative = b_.CreateXor(ux.negative, uy.negative);
    Value *sum = b_.CreateAdd(negateIf(productNegative, product), negateIf(uz.negative, addend));
    Value *negative = b_.CreateICmpSLT(sum, wide(0));
    return pack(negative, negateIf(negative, sum), exponent);
  }

  /// (-1)^negative * magnitude * 2^exponent rounded to nearest even; +0 for 0.
  Value *pack(Value *negative, Value *magnitude, Value *exponent) {
    Value *leading = b_.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, magnitude, b_.getFalse());
    Value *zeros = b_.CreateTrunc(leading, word_);
    magnitude = b_.CreateShl(magnitude, widen(b_.CreateAnd(zeros, word(127))));
    // The leading bit at 127 has the weight 2^(exponent - zeros + 127); biased exponents below 1
    // are those of denormals, whose last place stays at 2^-1074.
    Value *biased = b_.CreateAdd(b_.CreateSub(exponent, zeros), word(127 + 1023));
    Value *deficit = b_.CreateSub(word(1), biased);
    magnitude = shiftRightSticky(magnitude, atMost127(deficit));
    biased = b_.CreateSelect(b_.CreateICmpSLT(biased, word(1)), word(1), biased);

    Value *kept = b_.CreateTrunc(b_.CreateLShr(magnitude, wide(75)), word_);
    Value *rest = b_.CreateShl(magnitude, wide(53)); // the dropped bits, against a half at bit 127
    Value *half = b_.CreateShl(wide(1), wide(127));
    Value *isOdd = b_.CreateTrunc(kept, b_.getInt1Ty());
    Value *roundsUp =
        b_.CreateOr(b_.CreateICmpUGT(rest, half), b_.CreateAnd(b_.CreateICmpEQ(rest, half), isOdd));
    kept = b_.CreateAdd(kept, b_.CreateZExt(roundsUp, word_));
    // The implicit bit, and a carry out of the rounding, count into the exponent field.
    Value *packed = b_.CreateAdd(b_.CreateShl(b_.CreateSub(biased, word(1)), word(52)), kept);
    constexpr int64_t infinity = 0x7ff0000000000000;
    Value *overflows =
        b_.CreateOr(b_.CreateICmpSGT(biased, word(2046)), b_.CreateICmpUGT(packed, word(infinity)));
    packed = b_.CreateSelect(overflows, word(infinity), packed);
    packed = b_.CreateOr(packed, b_.CreateShl(b_.CreateZExt(negative, word_), word(63)));
    packed = b_.CreateSelect(b_.CreateICmpEQ(magnitude, wide(0)), word(0), packed);
    return b_.CreateBitCast(packed, b_.getDoubleTy());
  }

  llvm::IRBuilderBase &b_;
  llvm::Type *word_;
  llvm::Type *wide_;
};

llvm::Function *fmaRoutine(llvm::Module &module) {
  if (llvm::Function *existing = module.getFunction(kRoutine))
    return existing;
  auto &context = module.getContext();
  auto *f64 = llvm::Type::getDoubleTy(context);
  auto *type = llvm::FunctionType::get(f64, {f64, f64, f64}, false);
  auto *function =
      llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, kRoutine, module);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr(llvm::Attribute::NoInline);
  function->setMemoryEffects(llvm::MemoryEffects::none());
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", function));
  FmaRoutine(builder).emit(function->getArg(0), function->getArg(1), function->getArg(2));
  return function;
}

/// One call per lane.
Value *emitFmaCalls(llvm::IRBuilderBase &builder, Value *a, Value *b, Value *c) {
  llvm::Function *routine = fmaRoutine(*builder.GetInsertBlock()->getModule());
  auto *type = llvm::dyn_cast<llvm::FixedVectorType>(a->getType());
  if (!type)
    return builder.CreateCall(routine, {a, b, c});
  Value *result = llvm::PoisonValue::get(type);
  for (uint64_t lane = 0; lane < type->getNumElements(); ++lane) {
    auto at = [&](Value *x) { return builder.CreateExtractElement(x, lane); };
    Value *one = builder.CreateCall(routine, {at(a), at(b), at(c)});
    result = builder.CreateInsertElement(result, one, lane);
  }
  return result;
}

} // namespace

llvm::Value *emitFma(llvm::IRBuilderBase &builder, llvm::Value *a, llvm::Value *b, llvm::Value *c,
                     const KernelTarget &target) {
  if (target.hasFma)
    return builder.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
  if (a->getType()->getScalarType()->isFloatTy())
    return emitFmaThroughF64(builder, a, b, c);
  return emitFmaCalls(builder, a, b, c);
}

} // namespace apr
