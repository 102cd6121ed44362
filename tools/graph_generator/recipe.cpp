// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/graph_generator/coverage.h"
#include "tools/graph_generator/generate.h"
#include "tools/ir_runs/random_inputs.h"

namespace apr::fuzz {

std::string_view name(Mode mode) {
  switch (mode) {
  case Mode::Forward:
    return "forward";
  case Mode::Gradient:
    return "gradient";
  case Mode::Train:
    return "train";
  }
  return "";
}

namespace {

std::vector<OpKind> differentiableOps() {
  std::vector<OpKind> kinds;
  for (OpKind kind : allOps())
    if (canHaveDerivative(kind))
      kinds.push_back(kind);
  return kinds;
}

} // namespace

Recipe recipeOf(uint64_t runSeed, uint64_t index) {
  static constexpr Mode kModes[] = {Mode::Forward,  Mode::Gradient, Mode::Forward, Mode::Train,
                                    Mode::Gradient, Mode::Forward,  Mode::Gradient};
  static const std::vector<OpKind> all(allOps().begin(), allOps().end());
  static const std::vector<OpKind> differentiable = differentiableOps();
  Recipe recipe;
  recipe.seed = run::RandomInputs(run::RandomInputs(runSeed).bits() + index).bits();
  const uint64_t round = index / std::size(kModes), place = index % std::size(kModes);
  recipe.mode = kModes[place];
  run::RandomInputs random(recipe.seed);
  const auto &favoured = recipe.mode == Mode::Forward ? all : differentiable;
  for (uint64_t i = 0; i < 2; ++i)
    recipe.focus.push_back(favoured[(2 * round + i + 17 * place) % favoured.size()]);
  recipe.focus.push_back(all[random.below(all.size())]);
  recipe.ops = 2 + random.below(recipe.mode == Mode::Forward ? 8 : 4);
  return recipe;
}

} // namespace apr::fuzz
