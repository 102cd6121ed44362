// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/module_checks.h"

#include "ir/graph.h"

#include <fmt/format.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Operator.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <iterator>

namespace apr {
namespace {

bool isTargetDependent(llvm::Intrinsic::ID id) {
  switch (id) {
  case llvm::Intrinsic::fmuladd:
  case llvm::Intrinsic::exp:
  case llvm::Intrinsic::exp2:
  case llvm::Intrinsic::log:
  case llvm::Intrinsic::log2:
  case llvm::Intrinsic::log10:
  case llvm::Intrinsic::sin:
  case llvm::Intrinsic::cos:
  case llvm::Intrinsic::pow:
  case llvm::Intrinsic::powi:
  case llvm::Intrinsic::minnum:
  case llvm::Intrinsic::maxnum:
  case llvm::Intrinsic::vector_reduce_fadd:
  case llvm::Intrinsic::vector_reduce_fmul:
    return true;
  default:
    return false;
  }
}

/// True of what reads the rounding mode or raises flags, as opposed to what moves floats.
bool computesWithFloats(const llvm::Instruction &instruction) {
  switch (instruction.getOpcode()) {
  case llvm::Instruction::FNeg:
  case llvm::Instruction::PHI:
  case llvm::Instruction::Select:
    return false;
  case llvm::Instruction::FPToSI:
  case llvm::Instruction::FPToUI:
  case llvm::Instruction::SIToFP:
  case llvm::Instruction::UIToFP:
  case llvm::Instruction::FPTrunc:
  case llvm::Instruction::FPExt:
    return true;
  default:
    return llvm::isa<llvm::FPMathOperator>(instruction);
  }
}

void checkInstruction(const llvm::Instruction &instruction, const llvm::Function &function) {
  auto refuse = [&](std::string_view why) {
    std::string text;
    llvm::raw_string_ostream(text) << instruction;
    throw InternalError(fmt::format("{} in {}:{}", why, function.getName().str(), text));
  };
  const auto *operation = llvm::dyn_cast<llvm::FPMathOperator>(&instruction);
  if (operation && operation->getFastMathFlags().any())
    refuse("fast-math flags");
  if (instruction.getMetadata(llvm::LLVMContext::MD_fpmath))
    refuse("a relaxed precision");
  const auto *intrinsic = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
  if (intrinsic && isTargetDependent(intrinsic->getIntrinsicID()))
    refuse("an operation whose result depends on the target");
  // Only what surrounds the guards is marked so (FunctionCode::Guarded).
  if (function.hasFnAttribute(llvm::Attribute::NoImplicitFloat) && computesWithFloats(instruction))
    refuse("arithmetic in the caller's floating-point environment");
}

} // namespace

void checkModule(const llvm::Module &module) {
  std::string problems;
  llvm::raw_string_ostream stream(problems);
  if (llvm::verifyModule(module, &stream))
    throw InternalError("LLVM refuses the module: " + stream.str());
  for (const llvm::Function &function : module)
    for (const llvm::Instruction &instruction : llvm::instructions(function))
      checkInstruction(instruction, function);
}

void checkObject(std::string_view object) {
  static constexpr std::string_view allowed[] = {"memcpy", "memset", "memmove",
                                                 "_GLOBAL_OFFSET_TABLE_"};
  llvm::MemoryBufferRef buffer(llvm::StringRef(object.data(), object.size()), "object");
  auto file = llvm::object::ObjectFile::createObjectFile(buffer);
  if (!file)
    throw InternalError("the emitted object cannot be read back: " +
                        llvm::toString(file.takeError()));
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags) {
      llvm::consumeError(flags.takeError());
      continue;
    }
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined))
      continue;
    auto symbolName = symbol.getName();
    if (!symbolName) {
      llvm::consumeError(symbolName.takeError());
      continue;
    }
    const std::string_view name(symbolName->data(), symbolName->size());
    if (!name.empty() && std::ranges::find(allowed, name) == std::end(allowed))
      throw InternalError(fmt::format("the emitted object needs '{}' from outside", name));
  }
}

} // namespace apr
