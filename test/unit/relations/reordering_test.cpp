// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that do not depend on each other may stand in any order, once the orders of sums are fixed.
// (Before, the order of a value's uses is the order in which its gradient adds up.)
#include "test/unit/relations/models.h"
#include "test/unit/relations/program.h"
#include "test/unit/relations/random_modules.h"

#include "ir/rewrite.h"
#include "ir/text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace apr::test {
namespace {

/// The graph with its ops in another order in which definitions precede uses.
Graph reordered(const Graph &source, run::RandomInputs &random) {
  Graph target;
  GraphRewriter rewriter(source, target);
  for (ValueId v : source.arguments())
    rewriter.map(v, target.addArgument(source.type(v), source.value(v).name));
  std::vector<const Op *> waiting;
  for (const Op &op : source.ops())
    waiting.push_back(&op);
  while (!waiting.empty()) {
    std::vector<size_t> ready;
    for (size_t i = 0; i < waiting.size(); ++i)
      if (std::ranges::all_of(waiting[i]->operands,
                              [&](ValueId v) { return rewriter.isMapped(v); }))
        ready.push_back(i);
    // Late ones are as likely as early ones.
    const size_t chosen = ready[random.below(ready.size())];
    rewriter.copy(*waiting[chosen]);
    waiting.erase(waiting.begin() + int64_t(chosen));
  }
  for (ValueId v : source.results)
    target.results.push_back(rewriter(v));
  return target;
}

Module reordered(Module module, uint64_t seed) {
  run::RandomInputs random(seed);
  for (Function &function : module.functions)
    function.graph = transformEveryGraph(
        function.graph, [&](const Graph &graph) { return reordered(graph, random); });
  return module;
}

TEST(Reordering, ChangesNoBitOfModels) {
  for (const Model &model : allModels()) {
    SCOPED_TRACE(model.name);
    const Module meaning = meaningOf(compile(model));
    const DimBindings dims = dimsOf(model, 9);
    const Program plain(meaning, interpreted());
    for (uint64_t seed = 1; seed <= 2; ++seed) {
      const Module changed = reordered(meaning, seed);
      ASSERT_NE(print(changed), print(meaning));
      expectSameBits(Program(changed, interpreted()), plain, dims);
    }
    if (model.name == "attention")
      continue; // takes LLVM longest
    expectSameBits(Program(reordered(meaning, 4), native()), plain, dims);
  }
}

TEST(Reordering, ChangesNoBitOfRandomModules) {
  forRandomModules(80, 2, [](const fuzz::Generated &generated, uint64_t index) {
    const Module meaning = meaningOf(generated.module);
    const Program plain(meaning, interpreted());
    expectSameBits(Program(reordered(meaning, index), interpreted()), plain, generated.dims,
                   index % 2 ? run::Values::Edges : run::Values::Ordinary);
  });
}

// What no gradient runs through may be reordered in the source.
TEST(Reordering, ChangesNoBitOfForwardSources) {
  forRandomModules(80, 3, [](const fuzz::Generated &generated, uint64_t index) {
    for (const Function &function : generated.module.functions)
      if (run::hasGradientOp(function.graph))
        return;
    const Program plain(generated.module, interpreted());
    expectSameBits(Program(reordered(generated.module, index), interpreted()), plain,
                   generated.dims, run::Values::Edges);
  });
}

} // namespace
} // namespace apr::test
