// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/relations/random_modules.h"

#include "passes/pass_manager.h"
#include "passes/pipeline.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

bool isAccepted(Module module) {
  Diagnostics diagnostics;
  return runPasses(module, makePipeline(OptimizationLevel::O0), {}, {}, diagnostics);
}

} // namespace

void forRandomModules(uint64_t count, uint64_t seed,
                      const std::function<void(const fuzz::Generated &, uint64_t index)> &check) {
  uint64_t checked = 0;
  for (uint64_t i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    fuzz::Generated generated = fuzz::generate(fuzz::recipeOf(seed, i));
    if (!isAccepted(generated.module))
      continue;
    SCOPED_TRACE("random module " + std::to_string(i));
    check(generated, i);
    ++checked;
  }
  EXPECT_GE(checked + testing::Test::HasFailure() * count, count * 3 / 4);
}

} // namespace apr::test
