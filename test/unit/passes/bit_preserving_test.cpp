// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that keep every bit, on random graphs full of edge values: the optional ones, and those
// that write down what was meant anyway.
#include "random_graph.h"

#include "ir/text.h"
#include "ir/verifier.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

constexpr uint64_t kGraphCount = 300;

void runPassList(Module &module, const std::vector<std::string> &passes,
                 const PassOptions &options = {}) {
  PassManagerOptions manager;
  manager.verifyEach = true;
  Diagnostics diagnostics;
  EXPECT_TRUE(runPasses(module, passes, options, manager, diagnostics));
}

class BitPreserving : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(BitPreserving, KeepsTheBitsOfRandomGraphs) {
  for (uint64_t seed = 0; seed < kGraphCount; ++seed) {
    DimBindings dims{{"B", int64_t(seed % 4)}};
    Module module = makeRandomModule(seed);
    std::vector<Tensor> arguments = makeRandomArguments(module, dims, seed);
    std::vector<Tensor> before = runFunction(module, arguments, dims);
    std::string textBefore = print(module);
    runPassList(module, GetParam());
    ASSERT_TRUE(haveSameBits(before, runFunction(module, arguments, dims)))
        << "seed " << seed << "\n"
        << textBefore << "\n"
        << print(module);
  }
}

TEST_P(BitPreserving, IsIdempotent) {
  for (uint64_t seed = 0; seed < kGraphCount; ++seed) {
    Module module = makeRandomModule(seed);
    runPassList(module, GetParam());
    std::string once = print(module);
    runPassList(module, GetParam());
    ASSERT_EQ(once, print(module)) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Passes, BitPreserving,
                         testing::ValuesIn(std::vector<std::vector<std::string>>{
                             {"expand-functions"},
                             {"fix-reduction-orders"},
                             {"simplify-exact"},
                             {"fold-constants"},
                             {"cse"},
                             {"dce"},
                             {"fuse-elementwise"}}),
                         [](const auto &info) {
                           std::string name = info.param.front();
                           std::erase(name, '-');
                           return name;
                         });

// Whole pipelines, down to kernels and buffers, which the interpreter runs as nested graphs.
constexpr uint64_t kPipelineGraphCount = 60;

TEST(Pipeline, GivesTheBitsOfO0) {
  for (uint64_t seed = 0; seed < kPipelineGraphCount; ++seed) {
    DimBindings dims{{"B", int64_t(seed % 4)}};
    Module fast = makeRandomModule(seed), plain = fast;
    std::vector<Tensor> arguments = makeRandomArguments(fast, dims, seed);
    runPassList(fast, makePipeline(OptimizationLevel::Default));
    runPassList(plain, makePipeline(OptimizationLevel::O0), makePassOptions(OptimizationLevel::O0));
    ASSERT_TRUE(
        haveSameBits(runFunction(fast, arguments, dims), runFunction(plain, arguments, dims)))
        << "seed " << seed;
  }
}

TEST(Pipeline, GivesTheBitsOfOpenDimsForBoundOnes) {
  for (uint64_t seed = 0; seed < kPipelineGraphCount; ++seed) {
    DimBindings dims{{"B", int64_t(seed % 4)}};
    Module open = makeRandomModule(seed), bound = open;
    std::vector<Tensor> arguments = makeRandomArguments(open, dims, seed);
    runPassList(open, makePipeline(OptimizationLevel::Default));
    PassOptions options;
    options.dims = dims;
    runPassList(bound, makePipeline(OptimizationLevel::Default), options);
    ASSERT_TRUE(bound.functions.front().dims.empty());
    ASSERT_TRUE(haveSameBits(runFunction(open, arguments, dims), runFunction(bound, arguments, {})))
        << "seed " << seed;
  }
}

} // namespace
} // namespace apr::test
