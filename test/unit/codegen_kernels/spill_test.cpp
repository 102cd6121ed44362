// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "harness.h"
#include "ir/convolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace apr::test {
namespace {

/// The innermost loop with the most fused multiply-adds.
std::vector<std::string> hottestLoop(const std::string &assembly) {
  std::vector<std::string> best, current;
  auto count = [](const std::vector<std::string> &lines) {
    return std::count_if(lines.begin(), lines.end(), [](const std::string &line) {
      return line.find("vfmadd") != std::string::npos;
    });
  };
  std::istringstream stream(assembly);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(".LBB")) {
      current.clear();
      continue;
    }
    current.push_back(line);
    if (line.find("\tj") != std::string::npos) {
      if (count(current) > count(best))
        best = current;
      current.clear();
    }
  }
  return best;
}

/// A tile that does not stay in registers is slower by half and more.
TEST(MatMulCode, TilesStayInRegisters) {
  for (const char *cpu : {"x86-64-v3", "x86-64-v4"})
    for (bool isOpen : {false, true})
      for (bool isTransposed : {false, true}) {
        Graph graph;
        const Dim open = Dim::variable("M");
        const Dim m = isOpen && !isTransposed ? open : Dim(64);
        const Dim k = isOpen && isTransposed ? open : Dim(784);
        ValueId x = graph.addArgument({DType::F32, isTransposed ? Shape{k, m} : Shape{m, k}});
        ValueId y = graph.addArgument({DType::F32, {k, 512}});
        Builder b(graph);
        graph.results = {b.matmul(x, y, isTransposed, false)};
        const auto loop = hottestLoop(assemblyOf(graph, {cpu, false, Division::OneKernel}, {"M"}));
        const auto products = std::count_if(loop.begin(), loop.end(), [](const std::string &line) {
          return line.find("vfmadd") != std::string::npos;
        });
        EXPECT_GE(products, 12) << cpu;
        for (const std::string &line : loop)
          EXPECT_EQ(line.find("(%rsp)"), std::string::npos) << cpu << ": " << line;
      }
}

/// The rows of a convolution are found through pointers, which may lie in memory; products may not.
TEST(ConvCode, TilesStayInRegisters) {
  for (const char *cpu : {"x86-64-v3", "x86-64-v4"}) {
    const Dim batch = Dim::variable("B");
    Graph graph;
    ValueId x = graph.addArgument({DType::F32, {batch, 34, 34, 32}});
    ValueId w = graph.addArgument({DType::F32, {288, 32}});
    Builder b(graph);
    ValueId windows = buildWindow(b, x, {1, 2}, {3, 3}, {1, 1}, {1, 1});
    ValueId rows = b.reshape(windows, {batch * Dim(32 * 32), 288});
    graph.results = {b.matmul(rows, w, false, false)};
    const auto loop = hottestLoop(assemblyOf(graph, {cpu, false, Division::OneKernel}, {"B"}));
    EXPECT_GE(std::ranges::count_if(
                  loop, [](const auto &line) { return line.find("vfmadd") != std::string::npos; }),
              48)
        << cpu;
    for (const std::string &line : loop) {
      const bool isVectorSpill =
          line.find("(%rsp)") != std::string::npos && line.find("mm") != std::string::npos;
      EXPECT_FALSE(isVectorSpill) << cpu << ": " << line;
    }
  }
}

} // namespace
} // namespace apr::test
