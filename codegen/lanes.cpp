// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/lanes.h"

#include "codegen/elementary.h"
#include "codegen/llvm_compat.h"
#include "ir/bfloat.h"

#include <algorithm>

namespace apr::codegen {
namespace {

/// A region that names the same value at ever more points would take exponential code; fusion does
/// not make such regions, and others are refused.
constexpr uint64_t kMaximumEvaluations = 200000;

/// 32-bit lanes fill a register where anything in the region has 32 bits or fewer.
uint32_t chooseWidth(const Graph &region, const KernelTarget &target) {
  if (target.scalarOnly)
    return 1;
  bool hasNarrow = false, hasWide = false;
  for (const Value &value : region.values())
    if (value.type.rank() > 0)
      (byteSize(value.type.dtype) == 8 ? hasWide : hasNarrow) = true;
  return target.vectorBits / (hasNarrow || !hasWide ? 32 : 64);
}

} // namespace

LaneEvaluator::LaneEvaluator(LoopNest &nest, const Graph &region, const KernelTarget &target)
    : LaneEvaluator(nest, region, target, chooseWidth(region, target)) {}

LaneEvaluator::LaneEvaluator(LoopNest &nest, const Graph &region, const KernelTarget &target,
                             uint32_t width)
    : nest_(nest), region_(region), target_(target), width_(width) {}

MemoryTensor LaneEvaluator::denseTensor(llvm::Value *pointer, const Type &type) {
  MemoryTensor tensor{pointer, type.dtype, std::vector<Index>(type.rank())};
  Dim stride = 1;
  for (size_t axis = type.rank(); axis-- > 0;) {
    tensor.strides[axis] = nest_.dim(stride);
    stride *= type.shape[axis];
  }
  return tensor;
}

void LaneEvaluator::bindMemory(ValueId value, llvm::Value *pointer) {
  memory_[value] = denseTensor(pointer, region_.type(value));
}

const MemoryTensor *LaneEvaluator::memoryOf(ValueId value) const {
  auto found = memory_.find(value);
  return found == memory_.end() ? nullptr : &found->second;
}

void LaneEvaluator::bindSource(ValueId value, Source source) {
  sources_[value] = std::move(source);
}

llvm::Type *LaneEvaluator::scalarType(DType dtype) {
  auto &context = nest_.context();
  switch (dtype) {
  case DType::F32:
    return llvm::Type::getFloatTy(context);
  case DType::F64:
    return llvm::Type::getDoubleTy(context);
  case DType::I32:
    return llvm::Type::getInt32Ty(context);
  case DType::I64:
    return llvm::Type::getInt64Ty(context);
  case DType::Bool:
    return llvm::Type::getInt1Ty(context);
  case DType::U8:
    return llvm::Type::getInt8Ty(context);
  case DType::BF16: // its bits: nothing computes with it
    return llvm::Type::getInt16Ty(context);
  }
  throw InternalError("unknown dtype");
}

llvm::Type *LaneEvaluator::memoryType(DType dtype) {
  return dtype == DType::Bool ? llvm::Type::getInt8Ty(nest_.context()) : scalarType(dtype);
}

llvm::Value *LaneEvaluator::splat(llvm::Value *value, uint32_t width, llvm::IRBuilder<> &builder) {
  if (width == 1 || value->getType()->isVectorTy())
    return value;
  return builder.CreateVectorSplat(width, value);
}

llvm::Value *LaneEvaluator::number(DType dtype, double value) {
  llvm::Type *type = scalarType(dtype);
  if (isFloat(dtype))
    return llvm::ConstantFP::get(type, value);
  return llvm::ConstantInt::get(type, static_cast<uint64_t>(static_cast<int64_t>(value)));
}

LoopNest::Key LaneEvaluator::keyOf(ValueId value, const Point &point) const {
  auto number = [](const void *pointer) { return uint64_t(reinterpret_cast<uintptr_t>(pointer)); };
  // The region tells evaluators of one nest apart.
  LoopNest::Key key{3000,        number(&region_),   value,
                    point.width, number(point.mask), number(point.guard)};
  for (const Coordinate &c : point.coordinates)
    key.insert(key.end(), {number(c.base.symbol), uint64_t(c.base.constant), uint64_t(c.stride),
                           number(c.lanes)});
  return key;
}

llvm::Value *LaneEvaluator::evaluate(ValueId value, Point point) {
  if (point.isUniform()) {
    point.width = 1;
    point.mask = nullptr;
  }
  const uint32_t level = point.level();
  LoopNest::Key key = keyOf(value, point);
  if (llvm::Value *known = nest_.recall(level, key))
    return known;
  if (++emitted_ > kMaximumEvaluations)
    throw InternalError("a kernel's region needs too much code");
  LoopNest::Detour detour(nest_, level);
  llvm::Value *result = nullptr;
  if (auto source = sources_.find(value); source != sources_.end())
    result = source->second(point);
  else if (auto memory = memory_.find(value); memory != memory_.end())
    result = load(memory->second, point);
  else if (const Op *op = region_.definition(value))
    result = emit(*op, point);
  else
    throw InternalError("a kernel's argument has no memory");
  nest_.remember(level, std::move(key), result);
  return result;
}

llvm::Value *LaneEvaluator::emit(const Op &op, const Point &point) {
  switch (opInfo(op.kind).family) {
  case OpFamily::Unary:
  case OpFamily::UnaryLogic:
  case OpFamily::Identity:
  case OpFamily::Binary:
  case OpFamily::BinaryFloat:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
  case OpFamily::Compare:
  case OpFamily::Ternary:
  case OpFamily::Select:
  case OpFamily::Convert:
  case OpFamily::Bitcast:
    return emitPointwise(op, point);
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
    return emitReduction(op, point);
  case OpFamily::Contract:
    return emitMatMul(op, point);
  case OpFamily::Conv:
    return emitConv(op, point);
  case OpFamily::Reshape:
    return emitReshape(op, point);
  case OpFamily::Transpose:
    return emitTranspose(op, point);
  case OpFamily::Broadcast:
    return emitBroadcast(op, point);
  case OpFamily::Slice:
    return emitSlice(op, point);
  case OpFamily::Reverse:
    return emitReverse(op, point);
  case OpFamily::Pad:
    return emitPad(op, point);
  case OpFamily::Window:
    return emitWindow(op, point);
  case OpFamily::Concat:
    return emitConcat(op, point);
  case OpFamily::Gather:
    return emitGather(op, point);
  case OpFamily::Pick:
    return emitPick(op, point);
  case OpFamily::OneHot:
    return emitOneHot(op, point);
  case OpFamily::Constant:
    return emitConstant(op, point);
  case OpFamily::Iota:
    return emitIota(op, point);
  case OpFamily::Random:
    return emitRandom(op, point);
  case OpFamily::Cumulative:
  case OpFamily::Sort:
  case OpFamily::Scatter:
  case OpFamily::Gradient:
  case OpFamily::Scan:
  case OpFamily::WithGradient:
  case OpFamily::Kernel:
    break;
  }
  throw InternalError("no lane code for " + std::string(opInfo(op.kind).mnemonic));
}

llvm::Value *LaneEvaluator::emitPointwise(const Op &op, const Point &point) {
  std::vector<llvm::Value *> operands;
  bool hasLanes = false;
  for (ValueId operand : op.operands) {
    operands.push_back(evaluate(operand, point));
    hasLanes |= operands.back()->getType()->isVectorTy();
  }
  auto &builder = nest_.at(point.level());
  if (hasLanes)
    for (llvm::Value *&operand : operands)
      operand = splat(operand, point.width, builder);
  const DType from = region_.type(op.operands[0]).dtype;
  const DType to = region_.type(op.result()).dtype;
  if (op.kind == OpKind::Convert)
    return emitConvert(from, to, operands[0], builder);
  if (op.kind == OpKind::Bitcast)
    return emitBitcast(from, to, operands[0], builder);
  return emitArithmetic(op, std::move(operands), builder);
}

llvm::Value *LaneEvaluator::guardPointer(llvm::Value *pointer, const Point &point,
                                         llvm::IRBuilder<> &builder) {
  if (!point.guard)
    return pointer;
  // Reads that must not happen go to a constant of zeros instead.
  llvm::Module &module = *nest_.function().getParent();
  auto *type = llvm::ArrayType::get(builder.getInt8Ty(), 1024);
  auto *zeros = module.getGlobalVariable("apr.zeros", true);
  if (!zeros) {
    zeros = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::InternalLinkage,
                                     llvm::ConstantAggregateZero::get(type), "apr.zeros");
    zeros->setAlignment(llvm::Align(64));
  }
  return builder.CreateSelect(point.guard, pointer, zeros);
}

llvm::Value *LaneEvaluator::gatherLanes(const MemoryTensor &tensor, llvm::Value *base,
                                        llvm::Value *offsets, const Point &point,
                                        llvm::IRBuilder<> &builder) {
  if (point.mask) {
    llvm::Value *first = builder.CreateExtractElement(offsets, uint64_t(0));
    offsets = builder.CreateSelect(point.mask, offsets, splat(first, point.width, builder));
  }
  llvm::Type *type = memoryType(tensor.dtype);
  llvm::Value *lanes = llvm::PoisonValue::get(llvm::FixedVectorType::get(type, point.width));
  for (uint64_t i = 0; i < point.width; ++i) {
    llvm::Value *slot = builder.CreateGEP(type, base, builder.CreateExtractElement(offsets, i));
    slot = guardPointer(slot, point, builder);
    lanes = builder.CreateInsertElement(lanes, builder.CreateLoad(type, slot), i);
  }
  return lanes;
}

llvm::Value *LaneEvaluator::load(const MemoryTensor &tensor, const Point &point) {
  // The uniform part is summed from the outermost scope inwards, so that most of it stays there.
  std::vector<Index> parts;
  Coordinate lanes;
  for (size_t axis = 0; axis < point.coordinates.size(); ++axis) {
    const Coordinate &c = point.coordinates[axis];
    if (!c.lanes) {
      parts.push_back(nest_.multiply(c.base, tensor.strides[axis]));
      if (c.stride != 0)
        lanes = add(lanes, multiply({0, c.stride}, tensor.strides[axis], point.width), point.width);
    } else {
      lanes = add(lanes, multiply(c, tensor.strides[axis], point.width), point.width);
    }
  }
  std::ranges::stable_sort(parts, {}, &Index::level);
  Index offset;
  for (Index part : parts)
    offset = nest_.add(offset, part);

  llvm::Type *type = memoryType(tensor.dtype);
  const int64_t constant = offset.constant;
  offset.constant = 0;
  llvm::Value *base = tensor.pointer;
  if (offset.symbol) {
    llvm::Value *symbol = nest_.value(offset);
    base = nest_.at(offset.level).CreateGEP(type, base, symbol);
  }
  const uint32_t level = point.level();
  llvm::Value *numbers = nullptr;
  const bool isBackwards = point.width > 1 && !lanes.lanes && lanes.stride == -1;
  if (point.width > 1 && !isBackwards && (lanes.lanes || (lanes.stride != 0 && lanes.stride != 1)))
    numbers = lanesOf(lanes, point.width);
  auto &builder = nest_.at(level);
  if (constant != 0)
    base = builder.CreateConstGEP1_64(type, base, uint64_t(constant));

  llvm::Value *result = nullptr;
  const llvm::Align align(byteSize(tensor.dtype));
  if (point.width == 1 || (!numbers && lanes.stride == 0)) {
    result = builder.CreateAlignedLoad(type, guardPointer(base, point, builder), align);
  } else if (numbers) {
    result = gatherLanes(tensor, base, numbers, point, builder);
  } else {
    auto *vector = llvm::FixedVectorType::get(type, point.width);
    llvm::Value *mask = point.mask;
    if (isBackwards) {
      base = builder.CreateConstGEP1_64(type, base, 1 - uint64_t(point.width));
      mask = mask ? builder.CreateVectorReverse(mask) : nullptr;
    }
    base = guardPointer(base, point, builder);
    result = mask ? builder.CreateMaskedLoad(vector, base, align, mask,
                                             llvm::Constant::getNullValue(vector))
                  : static_cast<llvm::Value *>(builder.CreateAlignedLoad(vector, base, align));
    if (isBackwards)
      result = builder.CreateVectorReverse(result);
  }
  if (tensor.dtype == DType::Bool)
    result = builder.CreateICmpNE(result, llvm::Constant::getNullValue(result->getType()));
  return result;
}

llvm::Value *LaneEvaluator::canonical(llvm::Value *value, llvm::IRBuilder<> &builder) {
  if (value->getType()->isIntOrIntVectorTy(16)) { // a bf16
    auto bits = [&](uint64_t word) { return llvm::ConstantInt::get(value->getType(), word); };
    llvm::Value *isNaN =
        builder.CreateICmpUGT(builder.CreateAnd(value, bits(0x7fff)), bits(0x7f80));
    return builder.CreateSelect(isNaN, bits(kBfloatNaN), value);
  }
  if (!value->getType()->isFPOrFPVectorTy())
    return value;
  return builder.CreateSelect(builder.CreateFCmpUNO(value, value),
                              llvm::ConstantFP::getQNaN(value->getType()), value);
}

void LaneEvaluator::store(const MemoryTensor &tensor, const Point &point, llvm::Value *value) {
  std::vector<Index> parts;
  int64_t stride = 0;
  for (size_t axis = 0; axis < point.coordinates.size(); ++axis) {
    const Coordinate &c = point.coordinates[axis];
    parts.push_back(nest_.multiply(c.base, tensor.strides[axis]));
    if (c.stride != 0)
      stride += tensor.strides[axis].constant * c.stride;
  }
  if (point.width > 1 && stride != 1)
    throw InternalError("lanes are stored that are not adjacent");
  std::ranges::stable_sort(parts, {}, &Index::level);
  Index offset;
  for (Index part : parts)
    offset = nest_.add(offset, part);
  llvm::Value *number = nest_.value(offset);

  auto &builder = nest_.at(nest_.innermost());
  llvm::Type *type = memoryType(tensor.dtype);
  value = splat(value, point.width, builder);
  if (tensor.dtype == DType::Bool)
    value = builder.CreateZExt(
        value, point.width > 1
                   ? static_cast<llvm::Type *>(llvm::FixedVectorType::get(type, point.width))
                   : type);
  llvm::Value *slot = builder.CreateGEP(type, tensor.pointer, number);
  const llvm::Align align(byteSize(tensor.dtype));
  if (point.mask && point.width > 1)
    builder.CreateMaskedStore(value, slot, align, point.mask);
  else
    builder.CreateAlignedStore(value, slot, align);
}

void LaneEvaluator::forLanes(Index lower, Index upper,
                             const std::function<void(const Point &)> &body, Rest rest) {
  if (width_ == 1) {
    auto loop = nest_.open(lower, upper, 1);
    body(Point{{loop.counter}});
    nest_.close();
    return;
  }
  const Index count = nest_.maximum(nest_.subtract(upper, lower), 0);
  const Index whole =
      rest == Rest::None ? count : nest_.multiply(nest_.divide(count, width_), width_);
  const Index middle = rest == Rest::None ? upper : nest_.add(lower, whole);
  const bool isKnown = count.isConstant() || rest == Rest::None;
  if (!isKnown || !whole.is(0)) {
    auto loop = nest_.open(lower, middle, width_);
    Point point{{Coordinate(loop.counter, 1)}};
    point.width = width_;
    body(point);
    nest_.close();
  }
  if (isKnown && whole == count)
    return;
  auto loop = nest_.open(middle, upper, width_);
  Point point{{Coordinate(loop.counter, 1)}};
  point.width = width_;
  point.mask =
      compare(llvm::CmpInst::ICMP_ULT, {0, 1}, nest_.subtract(upper, loop.counter), width_).value;
  point.maskLevel = loop.level;
  body(point);
  nest_.close();
}

} // namespace apr::codegen
