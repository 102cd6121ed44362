// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/entry_context.h"

#include <fmt/format.h>
#include <llvm/Target/TargetMachine.h>

namespace apr {

void EntryContext::setCode(llvm::Function &function, FunctionCode code) const {
  function.addFnAttr(llvm::Attribute::NoUnwind);
  if (code == FunctionCode::Full) {
    function.addFnAttr("target-cpu", target.machine().getTargetCPU());
    if (!target.machine().getTargetFeatureString().empty())
      function.addFnAttr("target-features", target.machine().getTargetFeatureString());
    return;
  }
  // Vector registers would be a quick way to clear a struct, but not before the CPU is known.
  function.addFnAttr(llvm::Attribute::NoImplicitFloat);
  switch (target.kernels().arch) {
  case KernelTarget::Arch::X86:
    function.addFnAttr("target-cpu", "x86-64");
    break;
  case KernelTarget::Arch::AArch64:
    function.addFnAttr("target-cpu", "generic");
    break;
  case KernelTarget::Arch::RiscV:
    function.addFnAttr("target-cpu", "generic-rv64");
    function.addFnAttr("target-features", target.machine().getTargetFeatureString());
    break;
  }
}

llvm::Function *EntryContext::createFunction(const std::string &name, llvm::Type *result,
                                             llvm::ArrayRef<llvm::Type *> parameters,
                                             llvm::GlobalValue::LinkageTypes linkage,
                                             FunctionCode code) const {
  auto *type = llvm::FunctionType::get(result, parameters, false);
  auto *function = llvm::Function::Create(type, linkage, name, module);
  setCode(*function, code);
  // Time is spent in kernels, which do not come from here.
  function->addFnAttr(llvm::Attribute::OptimizeForSize);
  // RISC-V passes 32-bit integers sign-extended whatever their type; the others do not look.
  for (unsigned i = 0; i < parameters.size(); ++i) {
    if (parameters[i]->isIntegerTy(32))
      function->addParamAttr(i, llvm::Attribute::SExt);
    else if (parameters[i]->isIntegerTy(8))
      function->addParamAttr(i, llvm::Attribute::ZExt);
  }
  if (result->isIntegerTy(32))
    function->addRetAttr(llvm::Attribute::SExt);
  llvm::BasicBlock::Create(context(), "entry", function);
  return function;
}

llvm::Constant *EntryContext::string(std::string_view text) const {
  llvm::Constant *data =
      llvm::ConstantDataArray::getString(context(), llvm::StringRef(text.data(), text.size()));
  auto *global = new llvm::GlobalVariable(module, data->getType(), true,
                                          llvm::GlobalValue::PrivateLinkage, data, "text");
  // Lets the linker merge equal texts.
  global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  global->setAlignment(llvm::Align(1));
  return global;
}

llvm::Constant *EntryContext::array(llvm::Type *element, llvm::ArrayRef<llvm::Constant *> elements,
                                    const std::string &name) const {
  if (elements.empty())
    return null();
  auto *type = llvm::ArrayType::get(element, elements.size());
  auto *global = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::PrivateLinkage,
                                          llvm::ConstantArray::get(type, elements), name);
  global->setAlignment(llvm::Align(8));
  return global;
}

std::string EntryContext::internalName(const EntryDescription &entry, std::string_view part) const {
  return fmt::format("{}.{}", entry.symbol, part);
}

llvm::Value *addressOf(llvm::IRBuilderBase &builder, llvm::Value *base, uint64_t bytes) {
  if (bytes == 0)
    return base;
  return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), base, bytes);
}

llvm::Value *loadField(llvm::IRBuilderBase &builder, llvm::Type *type, llvm::Value *base,
                       uint64_t bytes, const char *name) {
  return builder.CreateLoad(type, addressOf(builder, base, bytes), name);
}

} // namespace apr
