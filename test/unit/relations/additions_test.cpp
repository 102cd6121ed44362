// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reports and entries are looked at, not computed with: adding them changes no bit of the state, of
// a gradient or of another result.
#include "test/unit/relations/models.h"
#include "test/unit/relations/program.h"
#include "test/unit/relations/random_modules.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

class Additions : public testing::TestWithParam<Model> {
protected:
  static void expectNothingElseChanges(const Model &more, const Way &way) {
    const Program plain(compile(GetParam()), way), changed(compile(more), way);
    ASSERT_GT(changed.module().functions.size() + changed.function("step").results.size(),
              plain.module().functions.size() + plain.function("step").results.size());
    expectSameBits(changed, plain, dimsOf(GetParam(), 18));
  }
};

TEST_P(Additions, OfReportsChangeNothingElse) {
  expectNothingElseChanges(withReport(GetParam()), interpreted());
}

TEST_P(Additions, OfEntriesChangeNothingElse) {
  expectNothingElseChanges(withEntry(GetParam()), interpreted());
}

TEST_P(Additions, ChangeNothingElseInNativeCode) {
  expectNothingElseChanges(withEntry(withReport(GetParam())), native());
}

INSTANTIATE_TEST_SUITE_P(Models, Additions, testing::ValuesIn(allModels()),
                         [](const auto &info) { return info.param.name; });

/// Every value of a function of the source is a result too.
void reportEverything(Function &function) {
  for (const Op &op : function.graph.ops())
    for (ValueId v : op.results) {
      function.results.push_back(
          {ResultRole::Result, "report" + std::to_string(v), ResultKind::Tensor});
      function.graph.results.push_back(v);
    }
}

TEST(AdditionsRandom, OfReportsChangeNothingElse) {
  forRandomModules(60, 5, [](const fuzz::Generated &generated, uint64_t index) {
    Module source = generated.module;
    for (Function &function : source.functions)
      reportEverything(function);
    expectSameBits(Program(source, interpreted()), Program(generated.module, interpreted()),
                   generated.dims, index % 2 ? run::Values::Edges : run::Values::Ordinary);
  });
}

} // namespace
} // namespace apr::test
