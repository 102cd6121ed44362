// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/native_runs/native.h"

#include "codegen/compile.h"
#include "codegen/jit.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"
#include "tools/native_runs/native_call.h"

namespace apr::run {

namespace {

/// The object stays linked while a variant can call it.
Result<std::shared_ptr<LinkedObject>> build(const Module &source, const SourceManager &sources,
                                            const std::string &cpu, OptimizationLevel level) {
  Module module = source;
  Diagnostics diagnostics;
  if (!runPasses(module, makePipeline(level), makePassOptions(level), {}, diagnostics))
    return Error{renderText(diagnostics.all().front(), sources, ColorMode::Plain)};
  CompileOptions options;
  options.target.cpu = cpu;
  options.target.level = level == OptimizationLevel::O0 ? CodegenLevel::O0 : CodegenLevel::O2;
  auto compiled = compileModule(module, options);
  if (!compiled)
    return Error{compiled.error()};
  auto linked = linkObject(compiled->object, module.name);
  if (!linked)
    return Error{linked.error()};
  return std::shared_ptr<LinkedObject>(std::move(*linked));
}

Variant makeVariant(std::string name, std::shared_ptr<LinkedObject> object, Schedule schedule) {
  Variant variant{std::move(name), false, {}};
  variant.run = [object, schedule](const Function &function, std::span<const Tensor> arguments,
                                   const DimBindings &dims) -> std::optional<Outcome> {
    return callNative(object->model(), function, arguments, dims, workersOf(schedule));
  };
  return variant;
}

} // namespace

Result<std::vector<Variant>> nativeVariants(const Module &source, const SourceManager &sources,
                                            const std::string &cpu) {
  auto fused = build(source, sources, cpu, OptimizationLevel::Default);
  if (!fused)
    return Error{fused.error()};
  auto plain = build(source, sources, cpu, OptimizationLevel::O0);
  if (!plain)
    return Error{plain.error()};
  return std::vector<Variant>{
      makeVariant("native code", *fused, Schedule::Serial),
      makeVariant("native code, blocks backwards", *fused, Schedule::Backwards),
      makeVariant("native code at -O0", *plain, Schedule::Serial)};
}

} // namespace apr::run
