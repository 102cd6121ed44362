// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ir_runs/check_bits.h"

#include "ir/interp/eval.h"
#include "ir/text.h"
#include "tools/ir_runs/interpreter_work.h"
#include "tools/ir_runs/random_arguments.h"
#include "tools/ir_runs/tensor_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::run {
namespace {

std::string describe(const DimBindings &dims) {
  std::string text;
  for (const auto &[name, size] : dims)
    text += fmt::format("{}={}, ", name, size);
  return text;
}

std::string describe(const FunctionResult &result) {
  switch (result.role) {
  case ResultRole::Result:
    return "result " + result.name;
  case ResultRole::Gradient:
    return "the gradient of " + result.name;
  case ResultRole::Update:
    return "the new state " + result.name;
  }
  return {};
}

/// "[2,0]": the coordinates of an element.
std::string coordinates(const Tensor &tensor, size_t index) {
  std::vector<int64_t> at(tensor.shape.size());
  auto rest = static_cast<int64_t>(index);
  for (size_t axis = at.size(); axis-- > 0;) {
    at[axis] = rest % tensor.shape[axis];
    rest /= tensor.shape[axis];
  }
  return at.empty() ? std::string() : interp::str(at);
}

/// Functions draw apart from each other. FNV-1a.
uint64_t hashOf(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// Smaller sizes until the work fits; those that are given stay. False where nothing helps.
bool shrinkToWork(const Function &function, const DimBindings &given, double maximumWork,
                  DimBindings &dims) {
  auto isFree = [&](const auto &dim) { return dim.second > 1 && !given.contains(dim.first); };
  while (!(interpreterWork(function.graph, dims) <= maximumWork)) {
    if (std::ranges::none_of(dims, isFree))
      return false;
    for (auto &dim : dims)
      if (isFree(dim))
        dim.second /= 2;
  }
  return true;
}

/// How the results differ, beginning with which; empty where they do not.
std::string findDifference(const Function &after, const Outcome &found,
                           const std::vector<Tensor> &expected) {
  if (!found)
    return fmt::format("the run is refused: {}; before it is not", found.error());
  if (found->size() != expected.size())
    return fmt::format("there are {} results, {} before", found->size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const Tensor &now = (*found)[i], &then = expected[i];
    std::string what = describe(after.results[i]);
    if (now.dtype != then.dtype || now.shape != then.shape)
      return fmt::format("{}: {}", what, *firstDifference(now, then));
    if (auto at = firstDifferentElement(now, then))
      return fmt::format("{}{} (element {}) is {} ({}), {} ({}) before", what,
                         coordinates(now, *at), *at, elementText(now, *at), elementBits(now, *at),
                         elementText(then, *at), elementBits(then, *at));
  }
  return {};
}

} // namespace

bool BitChecker::isChecked(const PassInfo &pass) const {
  return options_.passes == CheckedPasses::All || keepsBits(pass);
}

Result<std::vector<BitChecker::Case>> BitChecker::drawCases(const Module &module,
                                                            const Function &function) const {
  // Checks of dims refuse some draws, so there are more than are asked for.
  constexpr int64_t kDrawsPerCase = 16;
  constexpr Values kValues[] = {Values::Ordinary, Values::MostlyEdges, Values::Edges};
  RandomInputs random(options_.seed + hashOf(function.name));
  std::vector<Case> cases;
  std::string refusal = "no case is asked for";
  for (int64_t draw = 0; draw < options_.cases * kDrawsPerCase; ++draw) {
    if (int64_t(cases.size()) == options_.cases)
      break;
    Case drawn{drawDims(function, random), {}, {}};
    for (auto &[name, size] : drawn.dims)
      if (auto given = options_.dims.find(name); given != options_.dims.end())
        size = given->second;
    if (!shrinkToWork(function, options_.dims, options_.maximumWork, drawn.dims))
      return Error{fmt::format("{}a run takes about {:.1e} scalar operations, the limit is {:.1e}",
                               describe(drawn.dims), interpreterWork(function.graph, drawn.dims),
                               options_.maximumWork)};
    auto arguments =
        drawArguments(module, function, drawn.dims, random, kValues[draw % std::ssize(kValues)]);
    if (!arguments) {
      refusal = "the arguments are too large";
      continue;
    }
    drawn.arguments = std::move(*arguments);
    auto results = interpretFunction(function, drawn.arguments, drawn.dims);
    if (!results) {
      refusal = results.error();
      continue;
    }
    drawn.results = std::move(*results);
    cases.push_back(std::move(drawn));
  }
  if (cases.empty())
    return Error{"every drawn case is refused: " + refusal};
  return cases;
}

void BitChecker::beforePass(const PassInfo &pass, const Module &module) {
  textBefore_ = print(module);
  if (!isChecked(pass))
    return;
  for (const Function &function : module.functions)
    if (!casesOf_.contains(function.name) && !hasGradientOp(function.graph)) {
      auto cases = drawCases(module, function);
      casesOf_[function.name] = cases ? std::move(*cases) : std::vector<Case>();
      if (!cases)
        refusals_.emplace(function.name, cases.error());
    }
}

void BitChecker::compare(const PassInfo &pass, const Function &after, const Case &drawn,
                         size_t number) const {
  Outcome found = interpretFunction(after, drawn.arguments, drawn.dims);
  std::string difference = findDifference(after, found, drawn.results);
  if (!difference.empty())
    throw BitDifference(fmt::format("pass '{}' changes bits of @{}: {}; {}seed {}, case {}",
                                    pass.name, after.name, difference, describe(drawn.dims),
                                    options_.seed, number));
}

void BitChecker::afterPass(const PassInfo &pass, const Module &module) {
  if (print(module) == textBefore_)
    return;
  if (!isChecked(pass)) {
    casesOf_.clear();
    return;
  }
  for (const auto &[name, cases] : casesOf_) {
    const Function *after = module.findFunction(name);
    if (!after)
      throw BitDifference(fmt::format("pass '{}' drops @{}", pass.name, name));
    for (size_t i = 0; i < cases.size(); ++i)
      compare(pass, *after, cases[i], i);
  }
}

} // namespace apr::run
