// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ir_runs/stages.h"
#include "tools/ir_runs/tensor_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::run {

namespace {

std::string describe(const Function &function, const Outcome &outcome) {
  if (!outcome)
    return "the error '" + outcome.error() + "'";
  std::string text;
  for (size_t i = 0; i < outcome->size(); ++i)
    text += fmt::format("{}{} = {}", i ? ", " : "", function.results[i].name, str((*outcome)[i]));
  return text;
}

} // namespace

bool hasGradientOp(const Graph &graph) {
  return std::any_of(graph.ops().begin(), graph.ops().end(), [](const Op &op) {
    return op.kind == OpKind::Gradient || (op.region && hasGradientOp(*op.region));
  });
}

std::vector<Variant> interpreterVariants(const std::vector<Stage> &stages) {
  std::vector<Variant> variants;
  for (const Stage &stage : stages) {
    Variant variant{"interpreter after " + stage.name, false, {}};
    variant.mayDiffer = stage.name == "derive-index-limits" || stage.name == "derive-dim-checks" ||
                        stage.name == "rewrite-values";
    variant.run = [&stage](const Function &function, std::span<const Tensor> arguments,
                           const DimBindings &dims) -> std::optional<Outcome> {
      const Function *here = stage.module.findFunction(function.name);
      if (!here || hasGradientOp(here->graph))
        return std::nullopt;
      return interpretFunction(*here, arguments, dims);
    };
    variants.push_back(std::move(variant));
  }
  return variants;
}

std::optional<std::string> difference(const Function &function, const Outcome &found,
                                      const Outcome &expected) {
  if (!found && !expected)
    return std::nullopt;
  if (!found || !expected)
    return fmt::format("gives {}, expected {}", describe(function, found),
                       describe(function, expected));
  if (found->size() != expected->size())
    return fmt::format("gives {} results, expected {}", found->size(), expected->size());
  for (size_t i = 0; i < found->size(); ++i)
    if (auto where = firstDifference((*found)[i], (*expected)[i]))
      return fmt::format("{}: {}", function.results[i].name, *where);
  return std::nullopt;
}

Comparison compareVariants(const std::vector<Variant> &variants, const Function &function,
                           std::span<const Tensor> arguments, const DimBindings &dims,
                           const std::function<std::string(const Outcome &)> &problemOfMeaning) {
  Comparison comparison;
  std::optional<Outcome> last;
  bool isMeaningKnown = false;
  auto settleMeaning = [&] {
    if (isMeaningKnown || !last)
      return true;
    isMeaningKnown = true;
    comparison.meaning = *last;
    comparison.problem = problemOfMeaning(*last);
    return comparison.problem.empty();
  };
  for (const Variant &variant : variants) {
    if (variant.name == "interpreter after rewrite-values" && !settleMeaning())
      return comparison;
    auto outcome = variant.run(function, arguments, dims);
    if (!outcome)
      continue;
    ++comparison.variantsRun;
    if (last && !variant.mayDiffer)
      if (auto problem = difference(function, *outcome, *last)) {
        comparison.problem = variant.name + ": " + *problem;
        return comparison;
      }
    last = std::move(outcome);
  }
  settleMeaning();
  return comparison;
}

} // namespace apr::run
