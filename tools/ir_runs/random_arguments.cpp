// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ir_runs/random_arguments.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::run {

namespace {
/// Larger tensors have no place in a test, and a typing error should not fill the memory.
constexpr int64_t kMaximumElements = int64_t(1) << 26;

/// True for variances and other running figures, which are no negative numbers.
bool isUntrained(const Module &module, const Argument &argument) {
  const StateTensor *state = module.findState(argument.name);
  return argument.role == ArgumentRole::State && state && state->role != StateRole::Parameter;
}

void fillValues(Tensor &tensor, const Module &module, const Argument &argument, Values values,
                RandomInputs &random) {
  switch (values) {
  case Values::Edges:
    return random.fill(tensor);
  case Values::MostlyEdges:
    return random.fillEdges(tensor);
  case Values::Ordinary:
    return random.fillOrdinary(tensor, isUntrained(module, argument) ? 0.0 : -0.5);
  }
}

} // namespace

Result<std::vector<int64_t>> bindShape(const Type &type, const DimBindings &dims) {
  std::vector<int64_t> shape;
  int64_t count = 1;
  for (const Dim &dim : type.shape) {
    auto size = dim.evaluate(dims);
    if (!size)
      return Error{fmt::format("{} needs a value for {}", str(type), dim.str())};
    // A negative size is a test of the entry's own check; it has no elements here.
    shape.push_back(std::max<int64_t>(*size, 0));
    if (__builtin_mul_overflow(count, shape.back(), &count) || count > kMaximumElements)
      return Error{fmt::format("{} has too many elements for a test", str(type))};
  }
  return shape;
}

DimBindings drawDims(const Function &function, RandomInputs &random) {
  DimBindings dims;
  for (const std::string &dim : function.dims)
    dims[dim] = random.size();
  return dims;
}

std::optional<std::vector<Tensor>> drawArguments(const Module &module, const Function &function,
                                                 const DimBindings &dims, RandomInputs &random,
                                                 Values values) {
  std::vector<Tensor> arguments;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const Argument &argument = function.arguments[i];
    const Type &type = function.graph.type(function.graph.arguments()[i]);
    auto shape = bindShape(type, dims);
    if (!shape)
      return std::nullopt;
    Tensor tensor = Tensor::zeros(type.dtype, *shape);
    auto limit = argument.indexLimit ? argument.indexLimit->evaluate(dims) : std::nullopt;
    if (limit && *limit >= 1 && (values == Values::Ordinary || random.below(16) != 0))
      random.fillIndices(tensor, *limit);
    else if (argument.role == ArgumentRole::Exec)
      tensor.elements<int64_t>()[0] = static_cast<int64_t>(random.below(2) * random.below(1000));
    else
      fillValues(tensor, module, argument, values, random);
    if (const auto *hyper = module.findHyper(argument.name);
        hyper && argument.role == ArgumentRole::Hyper)
      tensor.data = Literal::splat(hyper->dtype, hyper->defaultValue).bytes;
    arguments.push_back(std::move(tensor));
  }
  return arguments;
}

} // namespace apr::run
