// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <llvm/Config/llvm-config.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Triple.h>

#include <optional>
#include <string>

namespace apr::compat {

/// What LLVM 19 and 22 spell differently; nothing else in the compiler asks for the version.

inline void setTriple(llvm::Module &module, const llvm::Triple &triple) {
#if LLVM_VERSION_MAJOR >= 21
  module.setTargetTriple(triple);
#else
  module.setTargetTriple(triple.str());
#endif
}

inline const llvm::Target *lookupTarget(const llvm::Triple &triple, std::string &error) {
#if LLVM_VERSION_MAJOR >= 22
  return llvm::TargetRegistry::lookupTarget(triple, error);
#else
  return llvm::TargetRegistry::lookupTarget(triple.str(), error);
#endif
}

inline llvm::TargetMachine *createTargetMachine(const llvm::Target &target,
                                                const llvm::Triple &triple, llvm::StringRef cpu,
                                                llvm::StringRef features,
                                                const llvm::TargetOptions &options,
                                                llvm::CodeGenOptLevel level) {
#if LLVM_VERSION_MAJOR >= 21
  return target.createTargetMachine(triple, cpu, features, options, llvm::Reloc::PIC_, std::nullopt,
                                    level);
#else
  return target.createTargetMachine(triple.str(), cpu, features, options, llvm::Reloc::PIC_,
                                    std::nullopt, level);
#endif
}

inline llvm::Function *intrinsic(llvm::Module &module, llvm::Intrinsic::ID id,
                                 llvm::ArrayRef<llvm::Type *> types) {
#if LLVM_VERSION_MAJOR >= 20
  return llvm::Intrinsic::getOrInsertDeclaration(&module, id, types);
#else
  return llvm::Intrinsic::getDeclaration(&module, id, types);
#endif
}

} // namespace apr::compat
