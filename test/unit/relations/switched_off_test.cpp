// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Optimizations change no bit: every pass that can be disabled, fusion, and writing new state over
// the old. (Nothing recomputes values to save memory, so there is no such switch.)
#include "test/unit/relations/models.h"
#include "test/unit/relations/program.h"
#include "test/unit/relations/random_modules.h"

#include "passes/pass.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

std::vector<std::string> passesThatCanBeDisabled() {
  std::vector<std::string> names;
  for (const PassInfo &pass : allPasses())
    if (pass.passClass == PassClass::BitPreserving)
      names.emplace_back(pass.name);
  return names;
}

/// Without each pass, without fusion, without anything.
std::vector<Way> waysFrom(const Way &plain) {
  std::vector<Way> ways;
  for (const std::string &pass : passesThatCanBeDisabled())
    ways.emplace_back(plain).disabled = {pass};
  ways.emplace_back(plain).fuses = false;
  ways.emplace_back(plain).disabled = passesThatCanBeDisabled();
  ways.emplace_back(ways.back()).fuses = false;
  return ways;
}

/// As it is, and without anything.
std::vector<Way> nativeWays() { return {native(), waysFrom(native()).back()}; }

class SwitchedOff : public testing::TestWithParam<Model> {};

TEST_P(SwitchedOff, PassesChangeNoBitInTheInterpreter) {
  const Module source = compile(GetParam());
  const Program plain(source, interpreted());
  std::vector<Way> ways = waysFrom(interpreted());
  ways.erase(ways.begin(), ways.end() - 3); // without one pass each: on random modules
  for (const Way &way : ways) {
    SCOPED_TRACE(str(way));
    expectSameBits(Program(source, way), plain, dimsOf(GetParam(), 5));
  }
}

TEST_P(SwitchedOff, PassesChangeNoBitOfNativeCode) {
  const Module source = compile(GetParam());
  const Program plain(source, interpreted());
  for (const Way &way : nativeWays()) {
    SCOPED_TRACE(str(way));
    const Program changed(source, way);
    expectSameBits(changed, plain, dimsOf(GetParam(), 5));
    expectSameBits(changed, plain, dimsOf(GetParam(), 2), run::Values::Edges);
  }
}

/// The step as an entry that gives the new state as results of its own, so that nothing is written
/// over the old.
void addStepApart(Module &module) {
  Function apart = *module.findFunction("step");
  apart.name = "step_apart";
  apart.kind = FunctionKind::Entry;
  apart.trainBlock.clear();
  for (FunctionResult &result : apart.results)
    result = {ResultRole::Result,
              result.role == ResultRole::Update ? "new." + result.name : result.name,
              ResultKind::Tensor};
  module.functions.push_back(std::move(apart));
}

TEST_P(SwitchedOff, WritingInPlaceChangesNoBit) {
  Module source = meaningOf(compile(GetParam()));
  addStepApart(source);
  const DimBindings dims = dimsOf(GetParam(), 7);
  for (const Way &way : {interpreted(), native()}) {
    const Program program(source, way);
    auto arguments = drawArguments(program.module(), "step", dims, 6);
    auto inPlace = program.run("step", arguments, dims);
    auto apart = program.run("step_apart", arguments, dims);
    ASSERT_EQ(inPlace.size(), apart.size());
    for (size_t i = 0; i < apart.size(); ++i)
      EXPECT_EQ(inPlace[i].data, apart[i].data) << program.function("step").results[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SwitchedOff, testing::ValuesIn(allModels()),
                         [](const auto &info) { return info.param.name; });

TEST(SwitchedOffRandom, PassesChangeNoBit) {
  forRandomModules(40, 4, [](const fuzz::Generated &generated, uint64_t index) {
    const Program plain(generated.module, interpreted());
    for (const Way &way : waysFrom(interpreted())) {
      SCOPED_TRACE(str(way));
      expectSameBits(Program(generated.module, way), plain, generated.dims,
                     index % 2 ? run::Values::Edges : run::Values::Ordinary);
    }
  });
}

} // namespace
} // namespace apr::test
