// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/loop_nest.h"

#include "ir/graph.h"

#include <algorithm>

namespace apr::codegen {

LoopNest::LoopNest(llvm::Function &function, const std::vector<std::string> &dimNames)
    : function_(function), dimNames_(dimNames) {
  auto *entry = llvm::BasicBlock::Create(context(), "entry", &function_);
  auto scope = std::make_unique<Scope>();
  // The function's own end; a caller that returns a value replaces it.
  scope->cursor = new llvm::UnreachableInst(context(), entry);
  scope->builder = std::make_unique<llvm::IRBuilder<>>(context());
  scopes_.push_back(std::move(scope));
}

llvm::IRBuilder<> &LoopNest::at(uint32_t level) {
  Scope &scope = *scopes_.at(level);
  scope.builder->SetInsertPoint(scope.cursor);
  return *scope.builder;
}

llvm::Value *LoopNest::recall(uint32_t level, const Key &key) const {
  const auto &memory = scopes_.at(level)->memory;
  auto found = memory.find(key);
  return found == memory.end() ? nullptr : found->second;
}

void LoopNest::remember(uint32_t level, Key key, llvm::Value *value) {
  scopes_.at(level)->memory.emplace(std::move(key), value);
}

llvm::Value *LoopNest::value(Index index) {
  llvm::Value *constant = at(index.level).getInt64(static_cast<uint64_t>(index.constant));
  if (!index.symbol)
    return constant;
  if (index.constant == 0)
    return index.symbol;
  Key key{0, reinterpret_cast<uintptr_t>(index.symbol), static_cast<uint64_t>(index.constant)};
  if (llvm::Value *known = recall(index.level, key))
    return known;
  llvm::Value *sum = at(index.level).CreateAdd(index.symbol, constant);
  remember(index.level, std::move(key), sum);
  return sum;
}

namespace {
int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t word(int64_t value) { return static_cast<uint64_t>(value); }
} // namespace

Index LoopNest::combine(llvm::Instruction::BinaryOps op, Index a, Index b) {
  const uint32_t level = std::max(a.level, b.level);
  llvm::Value *x = value(a), *y = value(b);
  Key key{1 + uint64_t(op), reinterpret_cast<uintptr_t>(x), reinterpret_cast<uintptr_t>(y)};
  llvm::Value *result = recall(level, key);
  if (!result) {
    result = at(level).CreateBinOp(op, x, y);
    remember(level, std::move(key), result);
  }
  return {result, level};
}

Index LoopNest::add(Index a, Index b) {
  const int64_t constant = wrap(word(a.constant) + word(b.constant));
  if (a.symbol && b.symbol) {
    a.constant = b.constant = 0;
    Index sum = combine(llvm::Instruction::Add, a, b);
    sum.constant = constant;
    return sum;
  }
  Index sum = a.symbol ? a : b;
  sum.constant = constant;
  return sum;
}

Index LoopNest::subtract(Index a, Index b) {
  if (a.symbol == b.symbol)
    return wrap(word(a.constant) - word(b.constant));
  if (b.isConstant())
    return add(a, wrap(0 - word(b.constant)));
  return combine(llvm::Instruction::Sub, a, b);
}

Index LoopNest::multiply(Index a, Index b) {
  if (a.isConstant())
    std::swap(a, b);
  if (!b.isConstant())
    return combine(llvm::Instruction::Mul, a, b);
  const int64_t constant = wrap(word(a.constant) * word(b.constant));
  if (a.isConstant() || b.constant == 0)
    return constant;
  if (b.constant == 1)
    return a;
  a.constant = 0;
  Index product = combine(llvm::Instruction::Mul, a, b);
  product.constant = constant;
  return product;
}

Index LoopNest::divide(Index a, Index b) {
  if (b.is(1))
    return a;
  if (a.isConstant() && b.isConstant() && b.constant > 0 && a.constant >= 0)
    return a.constant / b.constant;
  return combine(llvm::Instruction::UDiv, a, b);
}

Index LoopNest::remainder(Index a, Index b) {
  if (b.is(1))
    return 0;
  if (a.isConstant() && b.isConstant() && b.constant > 0 && a.constant >= 0)
    return a.constant % b.constant;
  return combine(llvm::Instruction::URem, a, b);
}

Index LoopNest::compareSelect(llvm::CmpInst::Predicate predicate, Index a, Index b) {
  const uint32_t level = std::max(a.level, b.level);
  llvm::Value *x = value(a), *y = value(b);
  Key key{1000 + uint64_t(predicate), reinterpret_cast<uintptr_t>(x),
          reinterpret_cast<uintptr_t>(y)};
  llvm::Value *result = recall(level, key);
  if (!result) {
    auto &builder = at(level);
    result = builder.CreateSelect(builder.CreateICmp(predicate, x, y), x, y);
    remember(level, std::move(key), result);
  }
  return {result, level};
}

Index LoopNest::minimum(Index a, Index b) {
  if (a == b)
    return a;
  if (a.isConstant() && b.isConstant())
    return std::min(a.constant, b.constant);
  return compareSelect(llvm::CmpInst::ICMP_SLT, a, b);
}

Index LoopNest::maximum(Index a, Index b) {
  if (a == b)
    return a;
  if (a.isConstant() && b.isConstant())
    return std::max(a.constant, b.constant);
  return compareSelect(llvm::CmpInst::ICMP_SGT, a, b);
}

Index LoopNest::clamp(Index x, Index lower, Index upper) {
  return maximum(minimum(x, upper), lower);
}

Index LoopNest::evaluateTerm(const Dim::Term &term) {
  Index product = term.coefficient;
  for (const Dim::Factor &factor : term.factors) {
    Index base;
    if (factor.quotient) {
      // A negative numerator rounds down; the entry's checks exclude a denominator of 0.
      const Index numerator = dim(factor.quotient->numerator);
      const Index denominator = maximum(dim(factor.quotient->denominator), 1);
      auto &builder = at(0);
      llvm::Value *n = value(numerator), *d = value(denominator);
      llvm::Value *quotient = builder.CreateSDiv(n, d);
      llvm::Value *isBelow = builder.CreateICmpSLT(builder.CreateSRem(n, d), builder.getInt64(0));
      base = {builder.CreateSub(quotient, builder.CreateZExt(isBelow, builder.getInt64Ty())), 0};
    } else {
      base = dim(Dim::variable(factor.variable));
    }
    for (uint32_t i = 0; i < factor.power; ++i)
      product = multiply(product, base);
  }
  return product;
}

Index LoopNest::dim(const Dim &dim) {
  if (auto constant = dim.asConstant())
    return *constant;
  const std::string text = dim.str();
  if (auto known = dimCache_.find(text); known != dimCache_.end())
    return known->second;
  Index result;
  if (auto variable = dim.asVariable()) {
    auto found = std::ranges::find(dimNames_, *variable);
    if (found == dimNames_.end())
      throw InternalError("a kernel uses the dimension '" + *variable + "' of no function");
    auto &builder = at(0);
    llvm::Value *slot = builder.CreateConstInBoundsGEP1_64(
        builder.getInt64Ty(), function_.getArg(0), uint64_t(found - dimNames_.begin()));
    result = {builder.CreateLoad(builder.getInt64Ty(), slot, *variable), 0};
  } else {
    for (const Dim::Term &term : dim.terms())
      result = add(result, evaluateTerm(term));
  }
  dimCache_.emplace(text, result);
  return result;
}

Index LoopNest::count(const Shape &shape) { return dim(elementCount(shape)); }

LoopNest::Loop LoopNest::open(Index lower, Index upper, int64_t step,
                              std::vector<llvm::Value *> initial) {
  Scope &parent = *scopes_.back();
  llvm::Value *first = value(lower), *end = value(upper);
  llvm::Value *isEntered = at(innermost()).CreateICmpSLT(first, end);

  auto scope = std::make_unique<Scope>();
  llvm::IRBuilder<> builder(context());
  scope->builder = std::make_unique<llvm::IRBuilder<>>(context());
  llvm::BasicBlock *before = parent.cursor->getParent();
  scope->exit = before->splitBasicBlock(parent.cursor, "after");
  scope->body = llvm::BasicBlock::Create(context(), "loop", &function_, scope->exit);
  scope->parentCursor = parent.cursor;
  before->getTerminator()->eraseFromParent();
  builder.SetInsertPoint(before);
  const auto *known = llvm::dyn_cast<llvm::ConstantInt>(isEntered);
  scope->guarded = !known || known->isZero();
  parent.cursor = scope->guarded ? builder.CreateCondBr(isEntered, scope->body, scope->exit)
                                 : builder.CreateBr(scope->body);

  builder.SetInsertPoint(scope->body);
  llvm::PHINode *counter = builder.CreatePHI(builder.getInt64Ty(), 2, "i");
  counter->addIncoming(first, before);
  for (llvm::Value *value : initial) {
    llvm::PHINode *phi = builder.CreatePHI(value->getType(), 2);
    phi->addIncoming(value, before);
    scope->phis.push_back(phi);
  }
  llvm::Value *next =
      builder.CreateAdd(counter, builder.getInt64(word(step)), "next", false, /*HasNSW=*/true);
  llvm::Value *isRepeated = builder.CreateICmpSLT(next, end);
  scope->cursor = builder.CreateCondBr(isRepeated, scope->body, scope->exit);
  counter->addIncoming(next, scope->body);
  scope->initial = std::move(initial);

  Loop loop;
  loop.carried.assign(scope->phis.begin(), scope->phis.end());
  scopes_.push_back(std::move(scope));
  loop.level = innermost();
  loop.counter = {counter, loop.level};
  return loop;
}

uint32_t LoopNest::openIf(llvm::Value *condition) {
  auto &builder = at(innermost());
  llvm::Value *times = builder.CreateZExt(condition, builder.getInt64Ty());
  // A loop of at most one turn.
  return open(0, Index(times, innermost()), 1).level;
}

std::vector<llvm::Value *> LoopNest::close(std::vector<llvm::Value *> next) {
  std::unique_ptr<Scope> scope = std::move(scopes_.back());
  scopes_.pop_back();
  Scope &parent = *scopes_.back();
  llvm::BasicBlock *latch = scope->cursor->getParent();
  llvm::BasicBlock *before = parent.cursor->getParent();
  parent.cursor = scope->parentCursor;

  llvm::IRBuilder<> builder(scope->exit, scope->exit->begin());
  std::vector<llvm::Value *> results;
  for (size_t i = 0; i < next.size(); ++i) {
    scope->phis[i]->addIncoming(next[i], latch);
    llvm::PHINode *after = builder.CreatePHI(next[i]->getType(), 2);
    if (scope->guarded)
      after->addIncoming(scope->initial[i], before);
    after->addIncoming(next[i], latch);
    results.push_back(after);
  }
  return results;
}

LoopNest::Detour::Detour(LoopNest &nest, uint32_t level) : nest_(nest), depth_(level + 1) {
  for (size_t i = depth_; i < nest.scopes_.size(); ++i)
    inner_.push_back(std::move(nest.scopes_[i]));
  nest.scopes_.resize(depth_);
}

LoopNest::Detour::~Detour() {
  for (auto &scope : inner_)
    nest_.scopes_.push_back(std::move(scope));
}

llvm::Value *LoopNest::frameSlots(llvm::Type *type, uint64_t count, const llvm::Twine &name) {
  llvm::BasicBlock &entry = function_.getEntryBlock();
  llvm::IRBuilder<> builder(&entry, entry.begin());
  llvm::AllocaInst *slots = builder.CreateAlloca(type, builder.getInt64(count), name);
  slots->setAlignment(llvm::Align(64));
  return slots;
}

} // namespace apr::codegen
