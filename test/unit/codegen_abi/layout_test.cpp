// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/state_layout.h"
#include "passes/workspace_arena.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

StateTensor tensorOf(std::string name, DType dtype, Shape shape) {
  StateTensor tensor;
  tensor.name = std::move(name);
  tensor.type = {dtype, std::move(shape)};
  return tensor;
}

TEST(StateLayout, AlignsEveryTensorTo64Bytes) {
  Module module;
  module.state = {tensorOf("a", DType::F32, {3}), tensorOf("b", DType::I64, {}),
                  tensorOf("c", DType::F64, {8, 8}), tensorOf("d", DType::Bool, {65})};
  const BlockLayout layout = layoutState(module);
  EXPECT_EQ(layout.offsets, (std::vector<uint64_t>{0, 64, 128, 640}));
  EXPECT_EQ(layout.bytes, 768u);
  EXPECT_FALSE(layout.isTooLarge());
}

TEST(StateLayout, ReportsSizesThatDoNotFit) {
  Module module;
  for (int i = 0; i < 5; ++i)
    module.state.push_back(tensorOf("a", DType::F32, {int64_t(1) << 43}));
  EXPECT_TRUE(layoutState(module).isTooLarge());
  module.state = {tensorOf("a", DType::F32, {Dim::variable("B")})};
  EXPECT_TRUE(layoutState(module).isTooLarge());
}

TEST(StateLayout, HyperparametersHaveNaturalAlignment) {
  Module module;
  for (DType dtype : {DType::I32, DType::F64, DType::I32, DType::I32, DType::I32}) {
    Hyperparameter hyper;
    hyper.dtype = dtype;
    module.hypers.push_back(hyper);
  }
  const HyperLayout layout = layoutHypers(module);
  EXPECT_EQ(layout.offsets, (std::vector<uint32_t>{8, 16, 24, 28, 32}));
  EXPECT_EQ(layout.reservedOffset, 40u);
  EXPECT_EQ(layout.bytes, 56u);
}

TEST(WorkspaceArena, ReusesWhatIsProvablyLargeEnough) {
  const Dim b = Dim::variable("B");
  WorkspaceArena arena;
  const Dim first = arena.allocate(b * Dim(256));
  EXPECT_EQ(first, Dim(0));
  arena.release(first);
  EXPECT_EQ(arena.allocate(b * Dim(40)), Dim(0)) << "40 B fit in 256 B whatever B is";
  EXPECT_EQ(arena.allocate(Dim(64)), b * Dim(256)) << "64 may not fit behind it where B is 0";
}

TEST(WorkspaceArena, SplitsAndMergesConstantSizes) {
  WorkspaceArena arena;
  const Dim whole = arena.allocate(Dim(1024));
  arena.release(whole);
  const Dim a = arena.allocate(Dim(100)), b = arena.allocate(Dim(100));
  EXPECT_EQ(a, Dim(0));
  EXPECT_EQ(b, Dim(128));
  arena.release(a);
  arena.release(b);
  EXPECT_EQ(arena.allocate(Dim(1024)), Dim(0));
  EXPECT_EQ(arena.totalBytes(), Dim(1024));
}

TEST(WorkspaceArena, GrowsItsEndInsteadOfLeavingAGap) {
  WorkspaceArena arena;
  const Dim small = arena.allocate(Dim(64));
  arena.release(small);
  EXPECT_EQ(arena.allocate(Dim(640)), Dim(0));
  EXPECT_EQ(arena.totalBytes(), Dim(640));
}

TEST(WorkspaceArena, RoundsUpToTheAlignment) {
  const Dim b = Dim::variable("B");
  EXPECT_EQ(roundUpToAlignment(Dim(1)), Dim(64));
  EXPECT_EQ(roundUpToAlignment(Dim(64)), Dim(64));
  EXPECT_EQ(roundUpToAlignment(b * Dim(128)), b * Dim(128));
  EXPECT_EQ(roundUpToAlignment(b * Dim(4)).evaluate({{"B", 17}}), 128);
}

} // namespace
} // namespace apr
