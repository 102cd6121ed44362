// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adding a report, an entry or a dump changes no other bit: the value-changing passes look only at
// an op and its operands, never at who else uses them.
#include "random_graph.h"

#include "ir/builder.h"
#include "ir/text.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace apr::test {
namespace {

constexpr std::string_view kModel = R"(module m
state w: f32[6,5] parameter
state b: f32[5] parameter
hyper step.lr: f64 = 0.1
train step

func @step.grad as grad(step) dims(B) (%x: f32[B,6], %y: i32[B]) state(%w: f32[6,5], %b: f32[5]) {
  %h: f32[B,5] = matmul %x, %w
  %bb: f32[B,5] = broadcast %b {axes = [1]}
  %z: f32[B,5] = add %h, %bb
  %two: f32[B,5] = constant {value = 2}
  %z2: f32[B,5] = pow %z, %two
  %e: f32[B,5] = exp %z
  %s: f32[B] = sum %e {axes = [1]}
  %ls: f32[B] = log %s
  %lsb: f32[B,5] = broadcast %ls {axes = [0]}
  %lp: f32[B,5] = sub %z, %lsb
  %p: f32[B] = pick %lp, %y
  %q: f32[B] = sum %z2 {axes = [1]}
  %r: f32[B] = sub %q, %p
  %loss: f32 = sum %r {axes = [0]}
  %dw: f32[6,5], %db: f32[5] = gradient %loss, %w, %b
  return loss: scalar = %loss
  gradient w = %dw, b = %db
}

func @step.apply as apply(step) () state(%w: f32[6,5], %b: f32[5]) hyper(%step.lr: f64) gradient(%w~2: f32[6,5], %b~2: f32[5]) {
  %lr: f32 = convert %step.lr
  %lw: f32[6,5] = broadcast %lr {axes = []}
  %u: f32[6,5] = mul %lw, %w~2
  %w2: f32[6,5] = sub %w, %u
  %lb: f32[5] = broadcast %lr {axes = []}
  %v: f32[5] = mul %lb, %b~2
  %b2: f32[5] = sub %b, %v
  update w = %w2, b = %b2
}
)";

Module parse() {
  SourceManager sources;
  Diagnostics diagnostics;
  auto module = parseModule(sources, sources.add("m.apir", std::string(kModel)), diagnostics);
  for (const Diagnostic &diagnostic : diagnostics.all())
    ADD_FAILURE() << diagnostic.message;
  return module ? std::move(*module) : Module();
}

std::vector<std::string> untilFusion() {
  std::vector<std::string> passes = makePipeline(OptimizationLevel::Default);
  passes.erase(std::ranges::find(passes, "fuse-elementwise"), passes.end());
  return passes;
}

void compile(Module &module, const PassManagerOptions &manager = {}) {
  Diagnostics diagnostics;
  ASSERT_TRUE(runPasses(module, untilFusion(), {}, manager, diagnostics));
}

using NamedTensors = std::map<std::string, Tensor>;

const DimBindings kDims{{"B", 7}};

/// Numbers that depend on the argument's name alone.
Tensor makeArgument(const Type &type, const std::string &name) {
  std::vector<int64_t> shape;
  for (const Dim &dim : type.shape)
    shape.push_back(dim.evaluate(kDims).value());
  Tensor tensor = Tensor::zeros(type.dtype, shape);
  for (size_t j = 0; j < size_t(tensor.count()); ++j) {
    double value = std::sin(double(31 * name.back()) + double(j) * 0.7);
    if (type.dtype == DType::F32)
      tensor.elements<float>()[j] = float(value);
    else if (type.dtype == DType::F64)
      tensor.elements<double>()[j] = value;
    else
      tensor.elements<int32_t>()[j] = int32_t(j % 5);
  }
  return tensor;
}

/// The results of a function by name; `gradients` are its arguments of that role.
NamedTensors run(const Module &module, std::string_view name, const NamedTensors &gradients = {}) {
  const Function *function = module.findFunction(name);
  EXPECT_NE(function, nullptr) << name;
  std::vector<Tensor> arguments;
  for (size_t i = 0; i < function->arguments.size(); ++i) {
    const Argument &argument = function->arguments[i];
    arguments.push_back(
        argument.role == ArgumentRole::Gradient
            ? gradients.at(argument.name)
            : makeArgument(function->graph.type(function->graph.arguments()[i]), argument.name));
  }
  auto results = interpretFunction(*function, arguments, kDims);
  EXPECT_TRUE(results) << (results ? "" : results.error());
  NamedTensors byName;
  for (size_t i = 0; results && i < results->size(); ++i)
    byName[function->results[i].name] = (*results)[i];
  return byName;
}

/// Every result of `before` has the same bits in `after`.
void expectSameBits(const NamedTensors &before, const NamedTensors &after) {
  ASSERT_FALSE(before.empty());
  for (const auto &[name, tensor] : before)
    EXPECT_EQ(tensor.data, after.at(name).data) << name;
}

void expectUnchanged(const Module &changed) {
  Module plain = parse();
  compile(plain);
  expectSameBits(run(plain, "step"), run(changed, "step"));
}

Function &gradOf(Module &module) { return module.functions.front(); }

/// Reports every value that the grad function computes.
void reportEverything(Module &module) {
  Function &grad = gradOf(module);
  size_t count = grad.graph.ops().size();
  for (size_t i = 0; i < count; ++i)
    for (ValueId v : grad.graph.ops()[i].results) {
      grad.results.push_back(
          {ResultRole::Result, "report" + std::to_string(v), ResultKind::Tensor});
      grad.graph.results.push_back(v);
    }
}

TEST(Independence, ReportsChangeNoOtherBit) {
  Module module = parse();
  reportEverything(module);
  compile(module);
  expectUnchanged(module);
}

// A metric that computes with the values of the loss gives CSE and hoisting something to share.
TEST(Independence, MetricsChangeNoOtherBit) {
  Module module = parse();
  Function &grad = gradOf(module);
  Builder b(grad.graph);
  std::deque<Op> ops = grad.graph.ops();
  for (const Op &op : ops) {
    if (op.kind != OpKind::Exp && op.kind != OpKind::Pow && op.kind != OpKind::MatMul)
      continue;
    ValueId again = b.create(op.kind, op.operands, op.attributes);
    grad.results.push_back(
        {ResultRole::Result, "metric" + std::to_string(again), ResultKind::Tensor});
    grad.graph.results.push_back(again);
    ValueId half = b.mul(again, b.splat(b.type(again), 0.5));
    grad.results.push_back(
        {ResultRole::Result, "metric" + std::to_string(half), ResultKind::Scalar});
    grad.graph.results.push_back(b.sum(half, {0, 1}));
  }
  compile(module);
  expectUnchanged(module);
}

TEST(Independence, EntriesChangeNoOtherBit) {
  Module module = parse();
  Function entry = gradOf(module);
  entry.name = "predict";
  entry.kind = FunctionKind::Entry;
  entry.trainBlock.clear();
  for (FunctionResult &result : entry.results)
    result = {ResultRole::Result, "r_" + result.name, ResultKind::Tensor};
  module.functions.insert(module.functions.begin(), std::move(entry));
  compile(module);
  expectUnchanged(module);
}

TEST(Independence, DumpsChangeNoBit) {
  Module module = parse();
  PassManagerOptions manager;
  manager.dumpDirectory = testing::TempDir() + "/independence";
  manager.print = PrintPolicy::All;
  manager.verifyEach = true;
  compile(module, manager);
  expectUnchanged(module);
}

TEST(Independence, EveryPassThatCanBeDisabledPreservesBits) {
  for (const PassInfo &pass : allPasses()) {
    if (pass.passClass != PassClass::BitPreserving)
      continue;
    Module module = parse();
    PassManagerOptions manager;
    manager.disabled = {std::string(pass.name)};
    compile(module, manager);
    expectUnchanged(module);
  }
}

TEST(Independence, StepIsGradThenApply) {
  Module module = parse();
  compile(module);
  NamedTensors grad = run(module, "step.grad");
  NamedTensors apart = run(module, "step.apply", grad);
  apart["loss"] = grad["loss"];
  expectSameBits(run(module, "step"), apart);
}

} // namespace
} // namespace apr::test
