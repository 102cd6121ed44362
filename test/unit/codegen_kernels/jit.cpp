// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "jit.h"

#include "codegen/llvm_compat.h"

#include <cstring>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Host.h>
#include <stdexcept>

namespace apr::test {
namespace {

template <typename T> T check(llvm::Expected<T> result) {
  if (!result)
    throw std::runtime_error(llvm::toString(result.takeError()));
  return std::move(*result);
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

llvm::SmallVector<char, 0> emit(llvm::Module &module, llvm::TargetMachine &machine,
                                llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    throw std::runtime_error("no object emission");
  passes.run(module);
  return bytes;
}

} // namespace

struct Jit::Impl {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

Jit::Jit(const std::string &cpu, CodegenLevel level,
         const std::function<void(llvm::Module &)> &build, std::string *assembly)
    : impl_(std::make_unique<Impl>()) {
  TargetOptions options;
  options.cpu = cpu;
  options.level = level;
  auto target = Target::create(options);
  if (!target)
    throw std::runtime_error(target.error());
  llvm::TargetMachine &machine = target->machine();

  llvm::LLVMContext context;
  llvm::Module module("test", context);
  compat::setTriple(module, machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  build(module);
  // The module is the test's program: everything may be looked up.
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::ExternalLinkage);
  std::string problems;
  llvm::raw_string_ostream stream(problems);
  if (llvm::verifyModule(module, &stream)) {
    module.print(stream, nullptr);
    throw std::runtime_error("broken module: " + stream.str());
  }
  if (level != CodegenLevel::O0)
    optimize(module, machine);
  if (assembly) {
    auto copy = emit(module, machine, llvm::CodeGenFileType::AssemblyFile);
    assembly->assign(copy.begin(), copy.end());
    return;
  }
  auto object = emit(module, machine, llvm::CodeGenFileType::ObjectFile);
  impl_->jit = check(llvm::orc::LLJITBuilder().create());
  // Nothing but what objects may need: a call of libm does not link.
  auto &library = impl_->jit->getMainJITDylib();
  llvm::orc::SymbolMap symbols;
  auto define = [&](const char *name, void *address) {
    symbols[impl_->jit->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                                  llvm::JITSymbolFlags::Exported};
  };
  define("memcpy", reinterpret_cast<void *>(&std::memcpy));
  define("memset", reinterpret_cast<void *>(&std::memset));
  define("memmove", reinterpret_cast<void *>(&std::memmove));
  llvm::cantFail(library.define(llvm::orc::absoluteSymbols(std::move(symbols))));
  if (auto error = impl_->jit->addObjectFile(
          std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(object), false)))
    throw std::runtime_error(llvm::toString(std::move(error)));
}

Jit::~Jit() = default;

void *Jit::find(const std::string &symbol) const {
  return check(impl_->jit->lookup(symbol)).toPtr<void *>();
}

bool canRun(const std::string &cpu) {
  const auto features = llvm::sys::getHostCPUFeatures();
  if (cpu == "x86-64-v4")
    return features.lookup("avx512vl") && features.lookup("avx512dq");
  return cpu != "x86-64-v3" || (features.lookup("avx2") && features.lookup("fma"));
}

} // namespace apr::test
