// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "random_graph.h"

#include "ir/text.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace apr::test {
namespace {

std::string readFile(const std::filesystem::path &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(PassList, ParsesNames) {
  auto passes = parsePassList("cse, dce");
  ASSERT_TRUE(passes);
  EXPECT_EQ(*passes, std::vector<std::string>({"cse", "dce"}));
  EXPECT_TRUE(parsePassList("")->empty());
}

TEST(PassList, SuggestsACloseName) {
  auto passes = parsePassList("cse,simplify-exakt");
  ASSERT_FALSE(passes);
  EXPECT_EQ(passes.error(), "unknown pass 'simplify-exakt'; did you mean 'simplify-exact'?");
}

TEST(PassList, RefusesToDisableMeaning) {
  std::vector<std::string> good{"cse", "dce"}, bad{"cse", "fix-reduction-orders"};
  EXPECT_FALSE(findDisableProblem(good));
  EXPECT_TRUE(findDisableProblem(bad));
}

TEST(PassList, EveryPipelineHasKnownPasses) {
  for (OptimizationLevel level : {OptimizationLevel::O0, OptimizationLevel::Default})
    for (const std::string &name : makePipeline(level))
      EXPECT_NE(findPass(name), nullptr) << name;
}

TEST(PassList, EveryPassHasATestWithItsName) {
  for (const PassInfo &pass : allPasses()) {
    std::string stem(pass.name);
    std::ranges::replace(stem, '-', '_');
    std::filesystem::path root(APR_SOURCE_DIR);
    EXPECT_TRUE(std::filesystem::exists(root / "passes" / (stem + ".h"))) << stem;
    EXPECT_TRUE(std::filesystem::exists(root / "test" / "passes" / (stem + ".apir"))) << stem;
  }
}

TEST(PassManager, NamesTheCulpritAndWritesTheIrBefore) {
  Module module = makeRandomModule(1);
  // A value whose type contradicts its op: dce copies it, the verifier refuses it.
  Graph &graph = module.functions.front().graph;
  ValueId wrong = graph.ops().back().result();
  graph.value(wrong).type.shape.push_back(Dim(7));
  graph.results.front() = wrong;
  std::string before = print(module);

  PassManagerOptions manager;
  manager.verifyEach = true;
  manager.dumpDirectory = testing::TempDir() + "/culprit";
  Diagnostics diagnostics;
  std::vector<std::string> passes{"dce"};
  try {
    runPasses(module, passes, {}, manager, diagnostics);
    FAIL() << "the verifier accepted a wrong type";
  } catch (const InternalError &error) {
    EXPECT_NE(std::string(error.what()).find("pass 'dce'"), std::string::npos) << error.what();
  }
  EXPECT_EQ(readFile(manager.dumpDirectory + "/before-dce.apir"), before);
}

TEST(PassManager, StopsAfterAnError) {
  Module module = makeRandomModule(2);
  PassOptions options;
  options.dims = {{"NoSuchDim", 3}};
  Diagnostics diagnostics;
  std::vector<PassTiming> timings;
  PassManagerOptions manager;
  manager.timings = &timings;
  std::vector<std::string> passes{"cse", "bind-dims", "dce"};
  EXPECT_FALSE(runPasses(module, passes, options, manager, diagnostics));
  EXPECT_EQ(timings.size(), 2u);
}

TEST(PassManager, PrintsNothingUnlessAsked) {
  Module module = makeRandomModule(3);
  Diagnostics diagnostics;
  std::string written;
  PassManagerOptions manager;
  manager.log = [&](std::string_view text) { written += text; };
  std::vector<std::string> passes{"cse", "dce"};
  EXPECT_TRUE(runPasses(module, passes, {}, manager, diagnostics));
  EXPECT_EQ(written, "");
}

} // namespace
} // namespace apr::test
