// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/dim.h"

#include <llvm/IR/IRBuilder.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace apr::codegen {

/// An i64 of the kernel: symbol + constant, known in loop scope `level` and further in. Equal
/// computations give equal symbols, so that indices can be compared and remembered.
struct Index {
  llvm::Value *symbol = nullptr; ///< null for a constant
  int64_t constant = 0;
  uint32_t level = 0;

  Index(int64_t value = 0) : constant(value) {}
  Index(llvm::Value *value, uint32_t scope) : symbol(value), level(scope) {}
  bool isConstant() const { return !symbol; }
  bool is(int64_t value) const { return !symbol && constant == value; }
  friend bool operator==(const Index &a, const Index &b) {
    return a.symbol == b.symbol && a.constant == b.constant;
  }
};

/// The loops of a function under construction. Scope 0 is the function, every open loop a scope
/// inside the one before. Code is appended to any open scope, not only to the innermost, so a value
/// is emitted once in the outermost scope where its index is known: loop-invariant code needs no
/// later motion.
class LoopNest {
public:
  using Key = std::vector<uint64_t>;

private:
  struct Scope {
    llvm::Instruction *cursor = nullptr; ///< code is appended before it
    std::unique_ptr<llvm::IRBuilder<>> builder;
    llvm::Instruction *parentCursor = nullptr; ///< where the parent goes on after the loop
    llvm::BasicBlock *body = nullptr;
    llvm::BasicBlock *exit = nullptr;
    std::vector<llvm::PHINode *> phis;
    std::vector<llvm::Value *> initial;
    bool guarded = true;
    std::map<Key, llvm::Value *> memory;
  };

public:
  /// Names of the open dims in the order of the function's `dims` argument.
  LoopNest(llvm::Function &function, const std::vector<std::string> &dimNames);

  llvm::Function &function() { return function_; }
  llvm::LLVMContext &context() { return function_.getContext(); }
  uint32_t innermost() const { return static_cast<uint32_t>(scopes_.size() - 1); }
  /// The builder at the end of a scope. Every scope has its own, which must be asked for again
  /// after loops were made in that scope.
  llvm::IRBuilder<> &at(uint32_t level);

  // Index arithmetic: 64 bits, wrapping; dividends are not negative and divisors positive.
  Index add(Index a, Index b);
  Index subtract(Index a, Index b);
  Index multiply(Index a, Index b);
  Index divide(Index a, Index b);
  Index remainder(Index a, Index b);
  Index minimum(Index a, Index b);
  Index maximum(Index a, Index b);
  /// lower <= x <= upper by signed comparison; lower where upper < lower.
  Index clamp(Index x, Index lower, Index upper);
  Index dim(const Dim &dim);
  Index count(const Shape &shape);
  llvm::Value *value(Index index);

  /// A counting loop `for (counter = lower; counter < upper; counter += step)` at the end of the
  /// innermost scope, with values carried from one iteration to the next.
  struct Loop {
    Index counter;
    std::vector<llvm::Value *> carried;
    uint32_t level = 0;
  };
  Loop open(Index lower, Index upper, int64_t step, std::vector<llvm::Value *> initial = {});
  /// A scope that runs where the condition, known in the innermost scope, holds.
  uint32_t openIf(llvm::Value *condition);
  /// Closes the innermost loop; `next` are the carried values of the next iteration. Returns their
  /// values after the loop.
  std::vector<llvm::Value *> close(std::vector<llvm::Value *> next = {});

  /// Sets scopes further in than `level` aside, to emit loops at the end of an outer scope.
  class Detour {
  public:
    Detour(LoopNest &nest, uint32_t level);
    ~Detour();
    Detour(const Detour &) = delete;

  private:
    LoopNest &nest_;
    size_t depth_;
    std::vector<std::unique_ptr<Scope>> inner_;
  };

  /// Memory of the function's frame.
  llvm::Value *frameSlots(llvm::Type *type, uint64_t count, const llvm::Twine &name);

  /// Values already emitted in a scope, by a key that the caller builds.
  llvm::Value *recall(uint32_t level, const Key &key) const;
  void remember(uint32_t level, Key key, llvm::Value *value);

private:
  Index combine(llvm::Instruction::BinaryOps op, Index a, Index b);
  Index compareSelect(llvm::CmpInst::Predicate predicate, Index a, Index b);
  Index evaluateTerm(const Dim::Term &term);

  llvm::Function &function_;
  std::vector<std::unique_ptr<Scope>> scopes_;
  std::map<std::string, Index> dimCache_;
  std::vector<std::string> dimNames_;
};

} // namespace apr::codegen
