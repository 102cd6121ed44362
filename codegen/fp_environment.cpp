// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/fp_environment.h"

#include <llvm/IR/InlineAsm.h>

namespace apr {
namespace {

llvm::InlineAsm *sideEffect(llvm::FunctionType *type, const char *text, const char *constraints) {
  return llvm::InlineAsm::get(type, text, constraints, /*hasSideEffects=*/true);
}

/// MXCSR moves through memory only.
class X86Environment {
public:
  X86Environment(llvm::IRBuilderBase &builder, const EntryContext &context)
      : builder_(builder),
        type_(llvm::FunctionType::get(builder.getVoidTy(), {context.pointer()}, false)) {}

  void save() {
    saved_ = allocate("saved");
    builder_.CreateCall(sideEffect(type_, "stmxcsr ($0)", "r,~{memory}"), {saved_});
  }
  void set() {
    llvm::Value *ours = allocate("ours");
    // All exceptions masked, round to nearest, neither FTZ nor DAZ.
    builder_.CreateStore(builder_.getInt32(0x1f80), ours);
    load(ours);
  }
  void restore() { load(saved_); }

private:
  /// In the entry block, where a place on the stack costs nothing.
  llvm::Value *allocate(const char *name) {
    llvm::BasicBlock &entry = builder_.GetInsertBlock()->getParent()->getEntryBlock();
    return llvm::IRBuilder<>(&entry, entry.begin())
        .CreateAlloca(builder_.getInt32Ty(), nullptr, name);
  }
  void load(llvm::Value *from) {
    builder_.CreateCall(sideEffect(type_, "ldmxcsr ($0)", "r,~{memory}"), {from});
  }
  llvm::IRBuilderBase &builder_;
  llvm::FunctionType *type_;
  llvm::Value *saved_ = nullptr;
};

/// A control register that moves to and from a general one; zero is what the IR means.
class RegisterEnvironment {
public:
  RegisterEnvironment(llvm::IRBuilderBase &builder, const char *read, const char *write)
      : builder_(builder), read_(read), write_(write) {}

  void save() {
    auto *type = llvm::FunctionType::get(builder_.getInt64Ty(), false);
    saved_ = builder_.CreateCall(sideEffect(type, read_, "=r,~{memory}"));
  }
  void set() { write(builder_.getInt64(0)); }
  void restore() { write(saved_); }

private:
  void write(llvm::Value *value) {
    auto *type = llvm::FunctionType::get(builder_.getVoidTy(), {builder_.getInt64Ty()}, false);
    builder_.CreateCall(sideEffect(type, write_, "r,~{memory}"), {value});
  }
  llvm::IRBuilderBase &builder_;
  const char *read_;
  const char *write_;
  llvm::Value *saved_ = nullptr;
};

/// Calls `use` with the environment of the target.
template <typename Use>
void withEnvironment(llvm::IRBuilderBase &builder, const EntryContext &context, Use use) {
  switch (context.target.kernels().arch) {
  case KernelTarget::Arch::X86:
    return use(X86Environment(builder, context));
  case KernelTarget::Arch::AArch64:
    return use(RegisterEnvironment(builder, "mrs $0, fpcr", "msr fpcr, $0"));
  case KernelTarget::Arch::RiscV:
    return use(RegisterEnvironment(builder, "frcsr $0", "fscsr $0"));
  }
}

} // namespace

void emitWithFpEnvironment(llvm::IRBuilderBase &builder, const EntryContext &context,
                           llvm::function_ref<void()> emitCall) {
  withEnvironment(builder, context, [&](auto environment) {
    environment.save();
    environment.set();
    emitCall();
    environment.restore();
  });
}

void emitSetFpEnvironment(llvm::IRBuilderBase &builder, const EntryContext &context) {
  withEnvironment(builder, context, [](auto environment) { environment.set(); });
}

} // namespace apr
