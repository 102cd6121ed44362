// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/compile.h"

#include "codegen/header.h"
#include "codegen/llvm_compat.h"
#include "codegen/manifest.h"
#include "codegen/module_checks.h"
#include "codegen/optimize.h"
#include "codegen/reflection.h"
#include "codegen/typed_functions.h"
#include "ir/float_environment.h"

#include <fmt/format.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/Utils/Cloning.h>

namespace apr {
namespace {

std::string compilerName() { return "aprc " APR_VERSION; }

std::string printModule(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

std::string generate(llvm::Module &module, const Target &target, llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (target.machine().addPassesToEmitFile(passes, stream, nullptr, type))
    throw InternalError("LLVM cannot write this kind of file for " + target.triple());
  passes.run(module);
  return {bytes.begin(), bytes.end()};
}

/// One compilation, from the planned module to bytes.
class Compilation {
public:
  Compilation(const ModelDescription &model, const CompileOptions &options, const Target &target)
      : model_(model), options_(options), target_(target),
        module_(model.module->name, llvmContext_), context_(module_, model_, target_) {}

  CompiledModel run() {
    const llvm::Triple triple(target_.triple());
    compat::setTriple(module_, triple);
    module_.setDataLayout(target_.machine().createDataLayout());
    module_.setPICLevel(llvm::PICLevel::BigPIC);
    emitModel();
    finishFunctions();
    checkModule(module_);
    if (options_.llvmText)
      compiled_.llvm = printModule(module_);
    optimizeModule(module_, target_);
    checkModule(module_);
    if (options_.optimizedLlvmText)
      compiled_.optimizedLlvm = printModule(module_);
    // Generating code changes the module.
    if (options_.assemblyText)
      compiled_.assembly =
          generate(*llvm::CloneModule(module_), target_, llvm::CodeGenFileType::AssemblyFile);
    compiled_.object = generate(module_, target_, llvm::CodeGenFileType::ObjectFile);
    checkObject(compiled_.object);
    return std::move(compiled_);
  }

private:
  void emitModel() {
    const SharedParts shared = emitSharedParts(context_);
    KernelCache kernels;
    std::vector<EntryPoint> points;
    for (const EntryDescription &entry : model_.entries) {
      points.push_back(emitEntryPoint(context_, shared, entry, kernels));
      emitTypedFunctions(context_, entry, points.back());
    }
    emitSizeFunctions(context_, points);
    compiled_.prefix = model_.prefix;
    compiled_.header = generateHeader(model_, compilerName());
    ManifestFacts facts{compilerName(), target_.triple(), target_.cpu(), options_.sourceHash, {}};
    for (const EntryPoint &point : points)
      facts.scratchBytes.push_back(point.scratchBytes);
    compiled_.manifest = generateManifest(model_, facts);
    emitReflection(context_, points,
                   {compilerName(), fmt::format("{} {}", target_.triple(), target_.cpu()),
                    options_.sourceHash, compiled_.manifest});
  }

  /// What kernels share, a software fma say, is emitted without attributes.
  void finishFunctions() {
    for (llvm::Function &function : module_)
      if (!function.isDeclaration() && !function.hasFnAttribute("target-cpu")) {
        function.setLinkage(llvm::GlobalValue::InternalLinkage);
        context_.setCode(function, FunctionCode::Full);
      }
  }

  const ModelDescription &model_;
  const CompileOptions &options_;
  const Target &target_;
  llvm::LLVMContext llvmContext_;
  llvm::Module module_;
  EntryContext context_;
  CompiledModel compiled_;
};

} // namespace

Result<CompiledModel> compileModule(const Module &module, const CompileOptions &options) {
  FloatEnvironment environment;
  for (const Function &function : module.functions)
    if (!function.workspaceBytes)
      throw InternalError(
          fmt::format("@{} comes to codegen without planned buffers", function.name));
  auto target = Target::create(options.target);
  if (!target)
    return Error{target.error()};
  auto model = describeModel(module);
  if (!model)
    return Error{model.error()};
  return Compilation(*model, options, *target).run();
}

} // namespace apr
