// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/model_description.h"
#include "codegen/target.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace apr {

/// Which instructions a function may use.
enum class FunctionCode : uint8_t {
  /// Those of the architecture's first CPU, and none that computes with floats: what runs before
  /// the CPU is known to be good enough, or in the caller's floating-point environment.
  Guarded,
  /// Those of the target.
  Full,
};

/// The module that is being filled for one model, with helpers that all parts of the entry points
/// share.
class EntryContext {
public:
  EntryContext(llvm::Module &module, const ModelDescription &model, const Target &target)
      : module(module), model(model), target(target) {}

  llvm::LLVMContext &context() const { return module.getContext(); }
  llvm::PointerType *pointer() const { return llvm::PointerType::getUnqual(context()); }
  llvm::IntegerType *i32() const { return llvm::Type::getInt32Ty(context()); }
  llvm::IntegerType *i64() const { return llvm::Type::getInt64Ty(context()); }

  /// A function with an entry block. External functions are those that the header declares.
  llvm::Function *createFunction(const std::string &name, llvm::Type *result,
                                 llvm::ArrayRef<llvm::Type *> parameters,
                                 llvm::GlobalValue::LinkageTypes linkage, FunctionCode code) const;
  void setCode(llvm::Function &function, FunctionCode code) const;

  /// A private zero-terminated string; equal texts share one.
  llvm::Constant *string(std::string_view text) const;
  /// A private constant array of pointers, structs …; null for no elements.
  llvm::Constant *array(llvm::Type *element, llvm::ArrayRef<llvm::Constant *> elements,
                        const std::string &name) const;
  llvm::Constant *constant32(uint64_t value) const { return llvm::ConstantInt::get(i32(), value); }
  llvm::Constant *constant64(uint64_t value) const { return llvm::ConstantInt::get(i64(), value); }
  llvm::Constant *null() const { return llvm::ConstantPointerNull::get(pointer()); }

  /// Name of a function or constant that only this object sees.
  std::string internalName(const EntryDescription &entry, std::string_view part) const;

  llvm::Module &module;
  const ModelDescription &model;
  const Target &target;
};

/// The address `bytes` after a pointer, and a load from there.
llvm::Value *addressOf(llvm::IRBuilderBase &builder, llvm::Value *base, uint64_t bytes);
llvm::Value *loadField(llvm::IRBuilderBase &builder, llvm::Type *type, llvm::Value *base,
                       uint64_t bytes, const char *name);

} // namespace apr
