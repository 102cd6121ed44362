// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lanes.h"

#include <array>

namespace apr::codegen {
namespace {

using llvm::Value;

/// FNV-1a of a stream's name.
uint32_t streamHash(const std::string &name) {
  uint32_t hash = 2166136261u;
  for (char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

struct Product {
  Value *high;
  Value *low;
};

/// x * factor of 32-bit lanes, both halves.
Product multiplyWide(llvm::IRBuilder<> &b, Value *x, uint32_t factor) {
  llvm::Type *wide = x->getType()->getWithNewType(b.getInt64Ty());
  Value *product = b.CreateMul(b.CreateZExt(x, wide), llvm::ConstantInt::get(wide, factor));
  return {b.CreateTrunc(b.CreateLShr(product, llvm::ConstantInt::get(wide, 32)), x->getType()),
          b.CreateTrunc(product, x->getType())};
}

std::array<Value *, 4> philox4x32(llvm::IRBuilder<> &b, std::array<Value *, 4> counter,
                                  std::array<Value *, 2> key) {
  auto bump = [&](Value *k, uint32_t step) {
    return b.CreateAdd(k, llvm::ConstantInt::get(k->getType(), step));
  };
  for (int round = 0; round < 10; ++round) {
    Product first = multiplyWide(b, counter[0], 0xD2511F53u);
    Product second = multiplyWide(b, counter[2], 0xCD9E8D57u);
    counter = {b.CreateXor(b.CreateXor(second.high, counter[1]), key[0]), second.low,
               b.CreateXor(b.CreateXor(first.high, counter[3]), key[1]), first.low};
    key = {bump(key[0], 0x9E3779B9u), bump(key[1], 0xBB67AE85u)};
  }
  return counter;
}

} // namespace

Value *LaneEvaluator::emitRandom(const Op &op, const Point &point) {
  if (op.kind == OpKind::Normal)
    throw InternalError("normal reaches code generation only as its expansion");
  const Type &type = region_.type(op.result());
  Point scalar = point;
  scalar.coordinates.clear();
  std::array<Value *, 3> arguments;
  for (size_t i = 0; i < 3; ++i)
    arguments[i] = evaluate(op.operands[i], scalar);

  // The element's number in the whole batch.
  Shape row(type.shape.begin() + (type.rank() > 0 ? 1 : 0), type.shape.end());
  const Index rowSize = type.rank() > 0 ? nest_.count(row) : Index(0);
  Coordinate position = linearize(point.coordinates, type.shape, point.width);
  const uint32_t argumentLevel = point.guard ? point.guardLevel : 0;
  const Index offset = nest_.multiply(Index(arguments[2], argumentLevel), rowSize);
  position = add(position, offset, point.width);
  Value *number =
      position.isUniform() ? nest_.value(position.base) : lanesOf(position, point.width);

  auto &b = nest_.at(point.level());
  const uint32_t width = number->getType()->isVectorTy() ? point.width : 1;
  llvm::Type *word = number->getType()->getWithNewType(b.getInt32Ty());
  auto low = [&](Value *x) { return splat(b.CreateTrunc(x, b.getInt32Ty()), width, b); };
  auto high = [&](Value *x) { return low(b.CreateLShr(x, 32)); };
  auto block = philox4x32(
      b,
      {b.CreateTrunc(number, word),
       b.CreateTrunc(b.CreateLShr(number, llvm::ConstantInt::get(number->getType(), 32)), word),
       low(arguments[1]),
       llvm::ConstantInt::get(word, streamHash(op.attributes.string(AttrKey::Stream)))},
      {low(arguments[0]), high(arguments[0])});
  if (op.kind == OpKind::RandomBits)
    return block[static_cast<size_t>(op.attributes.integerOr0(AttrKey::Word))];
  auto shifted = [&](Value *x, uint64_t bits) {
    return b.CreateLShr(x, llvm::ConstantInt::get(x->getType(), bits));
  };
  llvm::Type *floating = number->getType()->getWithNewType(scalarType(type.dtype));
  if (type.dtype == DType::F32)
    return b.CreateFMul(b.CreateUIToFP(shifted(block[0], 8), floating),
                        llvm::ConstantFP::get(floating, 0x1p-24));
  Value *upper = b.CreateZExt(shifted(block[0], 5), number->getType());
  Value *lower = b.CreateZExt(shifted(block[1], 6), number->getType());
  Value *bits =
      b.CreateAdd(b.CreateShl(upper, llvm::ConstantInt::get(number->getType(), 26)), lower);
  return b.CreateFMul(b.CreateUIToFP(bits, floating), llvm::ConstantFP::get(floating, 0x1p-53));
}

} // namespace apr::codegen
