// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/cpu_check.h"

#include <llvm/IR/InlineAsm.h>

namespace apr {
namespace {

enum Register : unsigned { Eax, Ebx, Ecx, Edx };

class CpuCheckEmitter {
public:
  explicit CpuCheckEmitter(const EntryContext &context)
      : context_(context), needs_(context.target.cpuidNeeds()), builder_(context.context()) {}

  llvm::Function *emit() {
    const std::string &prefix = context_.model.prefix;
    llvm::Function *detect =
        context_.createFunction(prefix + ".detect_cpu", builder_.getInt1Ty(), {},
                                llvm::GlobalValue::InternalLinkage, FunctionCode::Guarded);
    detect->addFnAttr(llvm::Attribute::NoInline);
    emitDetection(*detect);
    llvm::Function *check =
        context_.createFunction(prefix + ".has_cpu", builder_.getInt1Ty(), {},
                                llvm::GlobalValue::InternalLinkage, FunctionCode::Guarded);
    emitCache(*check, *detect);
    return check;
  }

private:
  llvm::Value *cpuid(uint32_t leaf, Register result) {
    auto *i32 = builder_.getInt32Ty();
    auto *all = llvm::StructType::get(i32, i32, i32, i32);
    auto *assembly =
        llvm::InlineAsm::get(llvm::FunctionType::get(all, {i32, i32}, false), "cpuid",
                             "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}", true);
    llvm::Value *registers =
        builder_.CreateCall(assembly, {builder_.getInt32(leaf), builder_.getInt32(0)});
    return builder_.CreateExtractValue(registers, {result});
  }

  llvm::Value *xcr0() {
    auto *i32 = builder_.getInt32Ty();
    auto *assembly =
        llvm::InlineAsm::get(llvm::FunctionType::get(llvm::StructType::get(i32, i32), {i32}, false),
                             "xgetbv", "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}", true);
    return builder_.CreateExtractValue(builder_.CreateCall(assembly, {builder_.getInt32(0)}), {0});
  }

  /// Goes on where `condition` holds and returns false where it does not.
  void require(llvm::Value *condition) {
    auto *next = llvm::BasicBlock::Create(context_.context(), "next", function_);
    builder_.CreateCondBr(condition, next, missing_);
    builder_.SetInsertPoint(next);
  }

  void requireBits(llvm::Value *word, uint32_t mask) {
    require(builder_.CreateICmpEQ(builder_.CreateAnd(word, mask), builder_.getInt32(mask)));
  }

  // A leaf is asked for only where the one before says that it exists, and XGETBV only after
  // OSXSAVE, which is among the bits of leaf 1.
  void emitDetection(llvm::Function &function) {
    function_ = &function;
    missing_ = llvm::BasicBlock::Create(context_.context(), "missing", function_);
    builder_.SetInsertPoint(missing_);
    builder_.CreateRet(builder_.getFalse());
    builder_.SetInsertPoint(&function.getEntryBlock());
    llvm::Value *lastLeaf = cpuid(0, Eax);
    requireBits(cpuid(1, Ecx), needs_.leaf1Ecx);
    if (needs_.leaf7Ebx) {
      require(builder_.CreateICmpUGE(lastLeaf, builder_.getInt32(7)));
      requireBits(cpuid(7, Ebx), needs_.leaf7Ebx);
    }
    if (needs_.extendedEcx) {
      require(builder_.CreateICmpUGE(cpuid(0x80000000, Eax), builder_.getInt32(0x80000001)));
      requireBits(cpuid(0x80000001, Ecx), needs_.extendedEcx);
    }
    if (needs_.xcr0)
      requireBits(xcr0(), needs_.xcr0);
    builder_.CreateRet(builder_.getTrue());
  }

  void emitCache(llvm::Function &function, llvm::Function &detect) {
    enum : uint32_t { Unknown = 0, Present = 1, Missing = 2 };
    auto *word = new llvm::GlobalVariable(
        context_.module, builder_.getInt32Ty(), false, llvm::GlobalValue::InternalLinkage,
        builder_.getInt32(Unknown), context_.model.prefix + ".cpu");
    auto *known = llvm::BasicBlock::Create(context_.context(), "known", &function);
    auto *unknown = llvm::BasicBlock::Create(context_.context(), "unknown", &function);
    builder_.SetInsertPoint(&function.getEntryBlock());
    llvm::LoadInst *load = builder_.CreateLoad(builder_.getInt32Ty(), word);
    load->setAtomic(llvm::AtomicOrdering::Monotonic);
    load->setAlignment(llvm::Align(4));
    builder_.CreateCondBr(builder_.CreateICmpEQ(load, builder_.getInt32(Unknown)), unknown, known);
    builder_.SetInsertPoint(known);
    builder_.CreateRet(builder_.CreateICmpEQ(load, builder_.getInt32(Present)));
    builder_.SetInsertPoint(unknown);
    llvm::Value *present = builder_.CreateCall(&detect);
    llvm::StoreInst *store = builder_.CreateStore(
        builder_.CreateSelect(present, builder_.getInt32(Present), builder_.getInt32(Missing)),
        word);
    store->setAtomic(llvm::AtomicOrdering::Monotonic);
    store->setAlignment(llvm::Align(4));
    builder_.CreateRet(present);
  }

  const EntryContext &context_;
  const Target::CpuidNeeds &needs_;
  llvm::IRBuilder<> builder_;
  llvm::Function *function_ = nullptr;
  llvm::BasicBlock *missing_ = nullptr;
};

} // namespace

llvm::Function *emitCpuCheck(const EntryContext &context) {
  if (context.target.cpuidNeeds().isEmpty())
    return nullptr;
  return CpuCheckEmitter(context).emit();
}

} // namespace apr
