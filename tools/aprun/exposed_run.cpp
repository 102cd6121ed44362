// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/exposed_run.h"

#include "codegen/compile.h"
#include "passes/pass_manager.h"
#include "runtime/train/error.h"
#include "runtime/train/instance.h"
#include "tools/aprun/jit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

constexpr const char *exposedName = "exposed";

std::string resultName(ValueId value) { return fmt::format("value{}", value); }

/// The function as a plain entry that returns the values and writes nothing.
Module exposedModule(const Module &module, const Function &function,
                     std::span<const ValueId> values) {
  Module exposed = module;
  exposed.functions.clear();
  exposed.trainBlocks.clear();
  Function entry = function;
  entry.name = exposedName;
  entry.kind = FunctionKind::Entry;
  entry.trainBlock.clear();
  entry.shards.reset();
  entry.results.clear();
  entry.graph.results.assign(values.begin(), values.end());
  for (const ValueId value : values)
    entry.results.push_back({ResultRole::Result, resultName(value), ResultKind::Tensor});
  exposed.functions.push_back(std::move(entry));
  return exposed;
}

std::vector<std::string> passesAfterMeaning(OptimizationLevel level) {
  auto passes = makePipeline(level);
  const auto end = std::find(passes.begin(), passes.end(), "fix-reduction-orders");
  passes.erase(passes.begin(), end + (end == passes.end() ? 0 : 1));
  return passes;
}

std::unique_ptr<LinkedObject> compileExposed(Module module, const ModelRequest &request) {
  const auto level = passLevel(request);
  Diagnostics diagnostics;
  runPasses(module, passesAfterMeaning(level), makePassOptions(level), {}, diagnostics);
  if (diagnostics.hasErrors())
    throw Error(ErrorKind::Internal, "the function does not compile with its values as results");
  CompileOptions options;
  options.target = targetOptions(request);
  auto compiled = compileModule(module, options);
  if (!compiled)
    throw Error(ErrorKind::Internal, compiled.error());
  return linkObject(std::move(compiled->object), "the function with its values as results");
}

/// The memory of one call: the state block, hyperparameters and inputs of the arguments.
class ExposedCall {
public:
  ExposedCall(const aprt_model &table, const FunctionCall &call)
      : instance_(table, 1), call_(call), entry_(instance_.model().entry(exposedName)),
        caller_(instance_, entry_) {
    for (std::size_t i = 0; i < call.arguments.size(); ++i)
      bind(call.function->arguments[i], call.arguments[i]);
  }

  std::map<ValueId, Tensor> run(std::span<const ValueId> values) {
    std::vector<std::int64_t> dims;
    for (std::uint32_t i = 0; i < entry_.dim_count; ++i)
      dims.push_back(call_.dims.find(entry_.dims[i])->second);
    caller_.setDims(dims);
    std::vector<const void *> inputs;
    for (std::uint32_t i = 0; i < entry_.input_count; ++i)
      inputs.push_back(inputs_.at(entry_.inputs[i].name)->data.data());
    caller_.run(inputs, 0);
    std::map<ValueId, Tensor> results;
    for (std::size_t i = 0; i < values.size(); ++i)
      results.emplace(values[i], tensorOf(values[i], caller_.result(i)));
    return results;
  }

private:
  void bind(const Argument &argument, const Tensor &tensor) {
    if (argument.role == ArgumentRole::Input)
      inputs_[argument.name] = &tensor;
    if (argument.role == ArgumentRole::State && !tensor.data.empty())
      std::memcpy(instance_.values(*instance_.model().tensor(argument.name)), tensor.data.data(),
                  tensor.data.size());
    if (argument.role == ArgumentRole::Hyper)
      instance_.setHyper(argument.name,
                         tensor.dtype == DType::I32
                             ? static_cast<double>(tensor.elements<std::int32_t>()[0])
                             : tensor.elements<double>()[0]);
  }

  Tensor tensorOf(ValueId value, const train::ResultView &view) const {
    Tensor tensor = Tensor::zeros(call_.function->graph.type(value).dtype,
                                  {view.shape.begin(), view.shape.end()});
    if (!tensor.data.empty())
      std::memcpy(tensor.data.data(), view.values, tensor.data.size());
    return tensor;
  }

  train::Instance instance_;
  const FunctionCall &call_;
  const aprt_entry &entry_;
  train::EntryCall caller_;
  std::map<std::string, const Tensor *> inputs_;
};

} // namespace

std::map<ValueId, Tensor> runExposed(const Module &module, const FunctionCall &call,
                                     const ModelRequest &request, std::span<const ValueId> values) {
  const auto object = compileExposed(exposedModule(module, *call.function, values), request);
  return ExposedCall(object->model(), call).run(values);
}

std::map<ValueId, Tensor> traceCall(const FunctionCall &call) {
  std::map<ValueId, Tensor> trace;
  InterpreterOptions options;
  options.observe = [&](ValueId value, const Tensor &tensor) { trace[value] = tensor; };
  const auto results = interpretFunction(*call.function, call.arguments, call.dims, options);
  if (!results)
    throw Error(ErrorKind::Data, fmt::format("the interpreter stopped: {}", results.error()));
  return trace;
}

} // namespace apr::aprun
