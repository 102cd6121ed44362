// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/relations/program.h"

#include "codegen/compile.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"
#include "tools/ir_runs/tensor_text.h"
#include "tools/native_runs/native_call.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace apr::test {
namespace {

std::string firstMessage(const Diagnostics &diagnostics) {
  return diagnostics.all().empty() ? std::string() : diagnostics.all().front().message;
}

Named byName(const Function &function, std::vector<Tensor> results) {
  Named named;
  for (size_t i = 0; i < results.size(); ++i)
    named[{function.results[i].role, function.results[i].name}] = std::move(results[i]);
  return named;
}

} // namespace

Way interpreted() { return {}; }
// -O1 compiles faster; the levels are compared elsewhere.
Way native() {
  return {.backend = Way::Backend::Native, .target{.cpu = "native", .level = CodegenLevel::O1}};
}

std::string str(const Way &way) {
  std::string text = way.backend == Way::Backend::Native ? "native" : "interpreted";
  for (const std::string &pass : way.disabled)
    text += " --disable-pass=" + pass;
  if (!way.fuses)
    text += " --no-fuse";
  if (way.target.blockWork != 0)
    text += fmt::format(" --block-work={}", way.target.blockWork);
  for (const auto &[name, size] : way.dims)
    text += fmt::format(" --dim {}={}", name, size);
  return text;
}

Program::Program(Module source, const Way &way) : module_(std::move(source)) {
  PassManagerOptions manager;
  manager.disabled = way.disabled;
  PassOptions options;
  options.fuse = way.fuses;
  options.dims = way.dims;
  Diagnostics diagnostics;
  if (!runPasses(module_, makePipeline(OptimizationLevel::Default), options, manager, diagnostics))
    throw std::runtime_error("the pipeline refuses the module: " + firstMessage(diagnostics));
  if (way.backend == Way::Backend::Interpreter)
    return;
  auto compiled = compileModule(module_, {.target = way.target});
  if (!compiled)
    throw std::runtime_error(compiled.error());
  bytes_ = compiled->object;
  auto linked = linkObject(bytes_, module_.name);
  if (!linked)
    throw std::runtime_error(linked.error());
  object_ = std::move(*linked);
}

const Function &Program::function(const std::string &name) const {
  const Function *found = module_.findFunction(name);
  if (!found)
    throw std::runtime_error("there is no function @" + name);
  return *found;
}

run::Outcome Program::call(const std::string &name, std::span<const Tensor> arguments,
                           const DimBindings &dims) const {
  // Blocks in the reverse order show what depends on who computes a part.
  if (object_)
    return run::callNative(object_->model(), function(name), arguments, dims,
                           run::workersOf(run::Schedule::Backwards));
  return interpretFunction(function(name), arguments, dims);
}

std::vector<Tensor> Program::run(const std::string &name, std::span<const Tensor> arguments,
                                 const DimBindings &dims) const {
  run::Outcome outcome = call(name, arguments, dims);
  if (!outcome)
    throw std::runtime_error(fmt::format("@{} is refused: {}", name, outcome.error()));
  return std::move(*outcome);
}

Named Program::runNamed(const std::string &name, std::span<const Tensor> arguments,
                        const DimBindings &dims) const {
  return byName(function(name), run(name, arguments, dims));
}

void runPassList(Module &module, const std::vector<std::string> &passes) {
  Diagnostics diagnostics;
  if (!runPasses(module, passes, {}, {}, diagnostics))
    throw std::runtime_error("a pass refuses the module: " + firstMessage(diagnostics));
}

Module meaningOf(Module source) {
  std::vector<std::string> passes = makePipeline(OptimizationLevel::Default);
  passes.erase(std::next(std::ranges::find(passes, "fix-reduction-orders")), passes.end());
  runPassList(source, passes);
  return source;
}

std::vector<Tensor> drawArguments(const Module &module, const std::string &function,
                                  const DimBindings &dims, uint64_t seed, run::Values values) {
  const Function *found = module.findFunction(function);
  run::RandomInputs random(seed);
  auto arguments = found ? run::drawArguments(module, *found, dims, random, values) : std::nullopt;
  if (!arguments)
    throw std::runtime_error("no arguments for @" + function);
  return std::move(*arguments);
}

std::vector<std::string> functionNames(const Module &module) {
  std::vector<std::string> names;
  for (const Function &function : module.functions)
    names.push_back(function.name);
  return names;
}

void expectSameBits(const Program &changed, const Program &plain, const DimBindings &dims,
                    run::Values values) {
  for (const std::string &name : functionNames(plain.module())) {
    auto arguments = drawArguments(plain.module(), name, dims, 5, values);
    run::Outcome expected = plain.call(name, arguments, dims);
    run::Outcome found = changed.call(name, arguments, dims);
    ASSERT_EQ(bool(found), bool(expected))
        << name << ": " << (found ? expected.error() : found.error());
    if (!expected) {
      ASSERT_NE(values, run::Values::Ordinary) << name << ": " << expected.error();
      continue;
    }
    ASSERT_EQ(difference(byName(changed.function(name), std::move(*found)),
                         byName(plain.function(name), std::move(*expected))),
              "")
        << name;
  }
}

std::string difference(const Named &found, const Named &expected) {
  for (const auto &[key, tensor] : expected) {
    auto here = found.find(key);
    if (here == found.end())
      return "there is no " + key.second;
    if (auto where = run::firstDifference(here->second, tensor))
      return key.second + ": " + *where;
  }
  return {};
}

} // namespace apr::test
