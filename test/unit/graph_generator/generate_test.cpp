// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What apr-fuzz relies on: recipes give the same valid modules everywhere, and a stretch of them
// covers every op in every form.
#include "tools/graph_generator/generate.h"

#include "ir/text.h"
#include "ir/verifier.h"
#include "passes/pass_manager.h"
#include "tools/graph_generator/coverage.h"

#include <gtest/gtest.h>

namespace apr::fuzz {
namespace {

TEST(Generate, GivesTheSameModuleForARecipe) {
  for (uint64_t index : {0, 1, 3, 40}) {
    const Recipe recipe = recipeOf(11, index);
    EXPECT_EQ(print(generate(recipe).module), print(generate(recipe).module));
    EXPECT_NE(print(generate(recipe).module), print(generate(recipeOf(12, index)).module));
  }
}

TEST(Generate, GivesValidModulesThatCoverEveryOpForwardAndDifferentiated) {
  constexpr uint64_t kStretch = 1500;
  std::set<OpKind> made, differentiated;
  for (uint64_t index = 0; index < kStretch; ++index) {
    const Generated generated = generate(recipeOf(5, index));
    Diagnostics diagnostics;
    EXPECT_TRUE(verify(generated.module, diagnostics))
        << index << ": " << diagnostics.all().front().message;
    made.merge(opsOf(generated.module));
    differentiated.merge(differentiatedOpsOf(generated.module));
  }
  for (OpKind kind : allOps()) {
    EXPECT_TRUE(made.contains(kind)) << opInfo(kind).mnemonic;
    EXPECT_EQ(differentiated.contains(kind), canHaveDerivative(kind)) << opInfo(kind).mnemonic;
  }
}

/// Most graphs must compute something: not be refused, by a pass or for their sizes.
TEST(Generate, GivesGraphsThatRun) {
  constexpr int kGraphs = 300;
  int runs = 0;
  for (uint64_t index = 0; index < kGraphs; ++index) {
    Generated generated = generate(recipeOf(5, index));
    const std::vector<std::string> passes{"compose-steps", "derive-index-limits",
                                          "derive-dim-checks", "differentiate"};
    Diagnostics diagnostics;
    if (!runPasses(generated.module, passes, {}, {}, diagnostics))
      continue;
    bool isRun = true;
    for (const Function &function : generated.module.functions) {
      auto arguments = makeArguments(generated.module, function, generated.dims, index);
      isRun = isRun && interpretFunction(function, arguments, generated.dims);
    }
    runs += isRun ? 1 : 0;
  }
  EXPECT_GE(runs, kGraphs * 95 / 100);
}

} // namespace
} // namespace apr::fuzz
