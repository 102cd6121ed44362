// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The gradients of the parts of a batch, computed apart and added by the tree over the parts, give
// the state of the whole step, for any number of parts and rows.
#include "test/unit/relations/models.h"
#include "test/unit/relations/program.h"
#include "tools/ir_runs/tensor_text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace apr::test {
namespace {

using Key = std::pair<ResultRole, std::string>;

void addTo(Tensor &to, const Tensor &from) {
  ASSERT_EQ(to.dtype, from.dtype);
  if (to.dtype == DType::F32)
    std::ranges::transform(to.elements<float>(), from.elements<float>(),
                           to.elements<float>().begin(), std::plus<>());
  else if (to.dtype == DType::I32)
    std::ranges::transform(to.elements<int32_t>(), from.elements<int32_t>(),
                           to.elements<int32_t>().begin(), std::plus<>());
  else if (to.dtype == DType::Bool)
    std::ranges::transform(to.elements<uint8_t>(), from.elements<uint8_t>(),
                           to.elements<uint8_t>().begin(), std::bit_or<>());
  else
    FAIL() << "a gradient of another dtype";
}

/// Neighbours level by level, an odd last one moving up.
Named addByTree(std::vector<Named> parts) {
  while (parts.size() > 1) {
    std::vector<Named> level;
    for (size_t i = 0; i < parts.size(); i += 2) {
      if (i + 1 < parts.size())
        for (auto &[key, tensor] : parts[i])
          addTo(tensor, parts[i + 1].at(key));
      level.push_back(std::move(parts[i]));
    }
    parts = std::move(level);
  }
  return std::move(parts.front());
}

/// Arguments of a call by role and name.
using Arguments = std::map<std::pair<ArgumentRole, std::string>, Tensor>;

Arguments byName(const Function &function, const std::vector<Tensor> &tensors) {
  Arguments arguments;
  for (size_t i = 0; i < tensors.size(); ++i)
    arguments[{function.arguments[i].role, function.arguments[i].name}] = tensors[i];
  return arguments;
}

Tensor rowsOfPart(const Tensor &whole, int64_t part, int64_t parts) {
  Tensor tensor = whole;
  tensor.shape[0] /= parts;
  const auto bytes = int64_t(whole.data.size()) / parts;
  tensor.data.assign(whole.data.begin() + part * bytes, whole.data.begin() + (part + 1) * bytes);
  return tensor;
}

std::vector<Tensor> argumentsOfPart(const Function &grad, const Arguments &whole, int64_t part,
                                    int64_t parts, int64_t rows) {
  std::vector<Tensor> arguments;
  for (const Argument &argument : grad.arguments) {
    if (argument.role == ArgumentRole::Input)
      arguments.push_back(rowsOfPart(whole.at({argument.role, argument.name}), part, parts));
    else if (argument.role == ArgumentRole::Exec)
      arguments.push_back(Tensor::scalar<int64_t>(DType::I64, part * rows / parts));
    else
      arguments.push_back(whole.at({argument.role, argument.name}));
  }
  return arguments;
}

std::vector<Tensor> argumentsOfApply(const Function &apply, const Arguments &whole,
                                     const Named &gradients) {
  std::vector<Tensor> arguments;
  for (const Argument &argument : apply.arguments)
    arguments.push_back(argument.role == ArgumentRole::Gradient
                            ? gradients.at({ResultRole::Gradient, argument.name})
                            : whole.at({argument.role, argument.name}));
  return arguments;
}

struct ShardsCase {
  Model model;
  int parts;
  Way way;
};

void PrintTo(const ShardsCase &c, std::ostream *out) {
  *out << c.model.name << " in " << c.parts << ", " << str(c.way);
}

class Shards : public testing::TestWithParam<ShardsCase> {
protected:
  void expectPartsGiveTheStep(const Program &program, int64_t rowsPerPart) {
    const int parts = GetParam().parts;
    const int64_t rows = rowsPerPart * parts;
    const DimBindings dims = dimsOf(GetParam().model, rows);
    auto arguments = drawArguments(program.module(), "step", dims, uint64_t(rows));
    Arguments whole = byName(program.function("step"), arguments);
    // The parts say where they lie in a batch that begins at row 0.
    for (size_t i = 0; i < arguments.size(); ++i)
      if (program.function("step").arguments[i].role == ArgumentRole::Exec)
        arguments[i] = Tensor::scalar<int64_t>(DType::I64, 0);
    const Named step = program.runNamed("step", arguments, dims);

    std::vector<Named> ofParts;
    for (int part = 0; part < parts; ++part)
      ofParts.push_back(program.runNamed(
          "step.grad", argumentsOfPart(program.function("step.grad"), whole, part, parts, rows),
          dims));
    const Named sum = addByTree(std::move(ofParts));
    Named apart = program.runNamed(
        "step.apply", argumentsOfApply(program.function("step.apply"), whole, sum), dims);
    apart[{ResultRole::Result, "loss"}] = sum.at({ResultRole::Result, "loss"});
    for (const auto &[key, tensor] : step) {
      if (apart.contains(key)) {
        auto where = run::firstDifference(apart.at(key), tensor);
        EXPECT_FALSE(where) << key.second << " of " << rows << " rows: " << *where;
      } else {
        EXPECT_NE(key.first, ResultRole::Update) << key.second << " has no counterpart";
      }
    }
  }
};

TEST_P(Shards, GiveTheStepOfTheWhole) {
  const Module source = compile(withShards(GetParam().model, GetParam().parts));
  const Program program(source, GetParam().way);
  for (int64_t rowsPerPart : {1, 2, 5})
    expectPartsGiveTheStep(program, rowsPerPart);
}

std::vector<ShardsCase> allCases() {
  std::vector<ShardsCase> cases;
  for (const Model &model : allModels())
    for (int parts : {2, 3, 5})
      cases.push_back({model, parts, interpreted()});
  for (const Model &model : allModels())
    cases.push_back({model, 3, native()});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Models, Shards, testing::ValuesIn(allCases()));

} // namespace
} // namespace apr::test
