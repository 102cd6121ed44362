// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/graph_generator/generate.h"

#include "ir/rewrite.h"
#include "tools/graph_generator/function_maker.h"
#include "tools/ir_runs/random_arguments.h"

#include <algorithm>

namespace apr::fuzz {
namespace {

/// Sizes for the shapes of a module: two open dims and a few numbers.
Style drawStyle(Random &random, Mode mode) {
  static constexpr int64_t kSmall[] = {0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 11, 13};
  static constexpr int64_t kVector[] = {7,  8,  9,  15, 16, 17, 23, 24, 31, 32,
                                        33, 37, 47, 48, 63, 64, 65, 67, 96, 100};
  static constexpr int64_t kLong[] = {127,  128,  129,  255,  257,  511,  512,  513,  517,
                                      1023, 1024, 1025, 2049, 4095, 4096, 4097, 4129, 5000};
  Style style;
  const uint64_t profile = random.below(16);
  const bool isLong = profile == 0, isVector = profile < 7;
  style.maximumElements = isLong ? 6000 : isVector ? 800 : 250;
  style.maximumTerms = isLong ? 20000 : 12000;
  auto small = [&] { return random.pick(kSmall); };
  auto special = [&] {
    return isLong ? random.pick(kLong) : isVector ? random.pick(kVector) : small();
  };
  const bool isSpecial = (isLong || isVector) && random.oneIn(2);
  style.dims = {{"N", isSpecial ? special() : small()}, {"M", small()}};
  style.sizes = {Dim(random.between(1, 4)), Dim(small()), Dim(special())};
  if (!random.oneIn(3))
    style.sizes.insert(style.sizes.end(), {Dim::variable("N"), Dim::variable("N")});
  if (random.oneIn(3))
    style.sizes.push_back(Dim::variable("M"));
  style.derivatives = mode == Mode::Forward ? Derivatives::NotAsked : Derivatives::Asked;
  return style;
}

/// One module.
class ModuleMaker {
public:
  explicit ModuleMaker(const Recipe &recipe)
      : recipe_(recipe), random_(recipe.seed), style_(drawStyle(random_, recipe.mode)) {
    module_.name = "random";
  }

  Generated make() {
    switch (recipe_.mode) {
    case Mode::Forward:
      makeForward();
      break;
    case Mode::Gradient:
      if (random_.oneIn(2))
        makeGradientEntry();
      else
        makeGrad("t.grad");
      break;
    case Mode::Train:
      makeGrad("t.grad");
      makeApply();
      break;
    }
    return {std::move(module_), style_.dims};
  }

private:
  /// Ops of the recipe's kinds between others.
  std::vector<ValueId> growFocused(FunctionMaker &maker) {
    GraphGrower &grower = maker.grower();
    std::vector<ValueId> made;
    for (OpKind kind : recipe_.focus) {
      grower.grow(grower.graph().ops().size() + random_.below(recipe_.ops / 2 + 1));
      for (int attempt = 0; attempt < 8; ++attempt)
        if (grower.add(kind)) {
          made.push_back(grower.values().back());
          break;
        }
    }
    grower.grow(grower.graph().ops().size() + random_.below(recipe_.ops / 2 + 1));
    return made;
  }

  void makeForward() {
    FunctionMaker maker(module_, random_, style_, {"f", FunctionKind::Entry});
    growFocused(maker);
    maker.addResults();
    maker.addUpdates();
    maker.finish();
  }

  void makeGradientEntry() {
    FunctionMaker maker(module_, random_, style_, {"f", FunctionKind::Entry});
    maker.addParameters();
    auto made = growFocused(maker);
    auto gradients = maker.addGradient(maker.addLoss(made));
    if (random_.oneIn(6))
      maker.addGradient(maker.addLoss(gradients));
    maker.grower().grow(maker.grower().graph().ops().size() + random_.below(3));
    maker.addResults();
    maker.finish();
  }

  void makeGrad(const std::string &name) {
    if (module_.trainBlocks.empty())
      module_.trainBlocks = {"t"};
    FunctionMaker maker(module_, random_, style_, {name, FunctionKind::Grad, "t"});
    maker.addParameters();
    auto made = growFocused(maker);
    const ValueId loss = maker.addLoss(made);
    auto gradients = maker.addGradient(loss);
    maker.addGradientResults(gradients);
    maker.addResult("loss", loss, ResultKind::Scalar);
    if (random_.oneIn(3))
      maker.addResults();
    maker.finish();
  }

  void makeApply() {
    const Function grad = module_.functions.back();
    FunctionMaker maker(module_, random_, style_, {"t.apply", FunctionKind::Apply, "t"});
    maker.addOptimizer(grad);
    maker.finish();
  }

  const Recipe &recipe_;
  Random random_;
  Style style_;
  Module module_;
};

} // namespace

Generated generate(const Recipe &recipe) { return ModuleMaker(recipe).make(); }

std::vector<Tensor> makeArguments(const Module &module, const Function &function,
                                  const DimBindings &dims, uint64_t seed) {
  Random random(seed);
  auto arguments = run::drawArguments(module, function, dims, random);
  if (!arguments)
    throw InternalError("a generated function has no shapes for its own sizes");
  for (size_t i = 0; i < arguments->size(); ++i)
    if (function.arguments[i].role == ArgumentRole::Exec && random.oneIn(2))
      (*arguments)[i].elements<int64_t>()[0] = random.between(0, 1000);
  return std::move(*arguments);
}

} // namespace apr::fuzz
