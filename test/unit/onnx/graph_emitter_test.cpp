// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/export_entry.h"

#include <gtest/gtest.h>

namespace apr::onnx {
namespace {

Node node(std::string type, std::vector<std::string> inputs, std::string output) {
  return {std::move(type), std::move(inputs), {std::move(output)}, {}, {}};
}

std::vector<std::string> outputsOf(const onnx::Graph &graph) {
  std::vector<std::string> names;
  for (const Node &each : graph.nodes)
    names.push_back(each.outputs.front());
  return names;
}

TEST(GraphEmitter, RemovesWhatNothingUses) {
  onnx::Graph graph;
  graph.initializers = {{"w", DType::F32, {}, {}}, {"unused", DType::F32, {}, {}}};
  graph.nodes = {node("Neg", {"x"}, "a"), node("Neg", {"a"}, "dead"), node("Add", {"a", "w"}, "y"),
                 node("Exp", {"dead"}, "deader")};
  graph.outputs = {{"y", DType::F32, {}, {}}};
  removeUnused(graph);
  EXPECT_EQ(outputsOf(graph), (std::vector<std::string>{"a", "y"}));
  ASSERT_EQ(graph.initializers.size(), 1u);
  EXPECT_EQ(graph.initializers[0].name, "w");
}

TEST(GraphEmitter, KeepsWhatABodyReads) {
  auto body = std::make_shared<onnx::Graph>();
  body->nodes = {node("Add", {"step", "captured"}, "next")};
  body->outputs = {{"next", DType::F32, {}, {}}};
  onnx::Graph graph;
  graph.nodes = {node("Neg", {"x"}, "captured"), node("Scan", {"x"}, "y")};
  graph.nodes[1].attributes.push_back({"body", body});
  graph.outputs = {{"y", DType::F32, {}, {}}};
  removeUnused(graph);
  EXPECT_EQ(outputsOf(graph), (std::vector<std::string>{"captured", "y"}));
}

TEST(GraphEmitter, RenamesAResultWhereverItIsRead) {
  std::vector<Node> nodes = {node("Neg", {"x"}, "a"), node("Exp", {"a"}, "b")};
  EXPECT_TRUE(renameResult(nodes, "a", "out"));
  EXPECT_EQ(nodes[0].outputs.front(), "out");
  EXPECT_EQ(nodes[1].inputs.front(), "out");
  EXPECT_FALSE(renameResult(nodes, "x", "y"));
}

TEST(FileContext, SharesConstantsAndDims) {
  FileContext file([](Location) { return std::string(); });
  EXPECT_EQ(file.integers({1, 2}), file.integers({1, 2}));
  EXPECT_NE(file.integers({1, 2}), file.integers({1, 2, 3}));
  // The same bytes of another type or shape are another constant.
  EXPECT_NE(file.constant(DType::F32, {}, std::string(4, '\0'), "c"),
            file.constant(DType::I32, {}, std::string(4, '\0'), "c"));
  file.dimSources["B"] = {"x", 1};
  const Dim b = Dim::variable("B");
  EXPECT_EQ(file.dim(b + b + Dim(1)), file.dim(Dim(2) * b + Dim(1)));
  ASSERT_EQ(file.prologue.size(), 3u); // Shape, Mul, Add
  EXPECT_EQ(file.prologue[0].type, "Shape");
  EXPECT_TRUE(file.problems.empty());
  file.dim(Dim::variable("N"));
  EXPECT_EQ(file.problems.size(), 1u);
}

TEST(FileContext, MakesNamesUnique) {
  FileContext file([](Location) { return std::string(); });
  EXPECT_EQ(file.uniqueName("x"), "x");
  EXPECT_EQ(file.uniqueName("x_2"), "x_2");
  EXPECT_EQ(file.uniqueName("x"), "x_3");
}

} // namespace
} // namespace apr::onnx
