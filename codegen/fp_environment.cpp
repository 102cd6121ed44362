// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/fp_environment.h"

#include <llvm/IR/InlineAsm.h>

#include <optional>

namespace apr {
namespace {

llvm::InlineAsm *sideEffect(llvm::FunctionType *type, const char *text, const char *constraints) {
  return llvm::InlineAsm::get(type, text, constraints, /*hasSideEffects=*/true);
}

/// MXCSR, control and flags in one, moves through memory only.
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

/// What moves to and from a general register.
class FpRegister {
public:
  FpRegister(const char *read, const char *write) : read_(read), write_(write) {}

  void save(llvm::IRBuilderBase &builder) {
    auto *type = llvm::FunctionType::get(builder.getInt64Ty(), false);
    saved_ = builder.CreateCall(sideEffect(type, read_, "=r,~{memory}"));
  }
  void restore(llvm::IRBuilderBase &builder) const { write(builder, saved_); }
  void write(llvm::IRBuilderBase &builder, llvm::Value *value) const {
    auto *type = llvm::FunctionType::get(builder.getVoidTy(), {builder.getInt64Ty()}, false);
    builder.CreateCall(sideEffect(type, write_, "r,~{memory}"), {value});
  }

private:
  const char *read_;
  const char *write_;
  llvm::Value *saved_ = nullptr;
};

/// Registers of control, of which zero is what the IR means, and perhaps others of flags.
class RegisterEnvironment {
public:
  RegisterEnvironment(llvm::IRBuilderBase &builder, FpRegister control,
                      std::optional<FpRegister> flags)
      : builder_(builder), control_(control), flags_(flags) {}

  void save() {
    control_.save(builder_);
    if (flags_)
      flags_->save(builder_);
  }
  void set() { control_.write(builder_, builder_.getInt64(0)); }
  void restore() {
    control_.restore(builder_);
    if (flags_)
      flags_->restore(builder_);
  }

private:
  llvm::IRBuilderBase &builder_;
  FpRegister control_;
  std::optional<FpRegister> flags_;
};

/// Calls `use` with the environment of the target.
template <typename Use>
void withEnvironment(llvm::IRBuilderBase &builder, const EntryContext &context, Use use) {
  switch (context.target.kernels().arch) {
  case KernelTarget::Arch::X86:
    return use(X86Environment(builder, context));
  case KernelTarget::Arch::AArch64:
    return use(RegisterEnvironment(builder, {"mrs $0, fpcr", "msr fpcr, $0"},
                                   FpRegister("mrs $0, fpsr", "msr fpsr, $0")));
  case KernelTarget::Arch::RiscV:
    return use(RegisterEnvironment(builder, {"frcsr $0", "fscsr $0"}, std::nullopt));
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
