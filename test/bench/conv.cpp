// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Speed of convolutions and of their gradients on one thread: best of many runs, operands warm. The
// batch is open. Multiply-adds of the padding and of interleaved results are not counted.
#include "ir/convolution.h"
#include "test/bench/kernel_timer.h"

#include <cstdio>

namespace apr {
namespace {

struct Layer {
  const char *name;
  int64_t batch, size, kernel, groups, inputs, outputs, stride; ///< size: with its padding
};

Attributes withOrder(Attributes attributes) {
  attributes.set(AttrKey::Order, defaultContractionOrder());
  return attributes;
}

enum class Part : uint8_t { Forward, Input, Weight };
constexpr const char *kPartNames[] = {"forward", "dx", "dw"};

Graph build(const Layer &layer, Part part) {
  Graph graph;
  Builder b(graph);
  const Dim batch = Dim::variable("B");
  const int64_t places = (layer.size - layer.kernel) / layer.stride + 1;
  const Shape spatial(2, Dim(layer.size));
  Type x{DType::F32, {batch, layer.size, layer.size, layer.groups, layer.inputs}};
  Type w{DType::F32, {layer.kernel, layer.kernel, layer.groups, layer.inputs, layer.outputs}};
  Type y{DType::F32, {batch, places, places, layer.groups, layer.outputs}};
  const std::vector<int64_t> stride(2, layer.stride), dilation(2, 1);
  Attributes attributes = withOrder(convAttributes(stride, dilation));
  if (part == Part::Forward) {
    ValueId first = graph.addArgument(x), second = graph.addArgument(w);
    graph.results = {b.create(OpKind::Conv, {first, second}, attributes)};
  } else if (part == Part::Input) {
    ValueId first = graph.addArgument(y), second = graph.addArgument(w);
    graph.results = {buildConvTranspose(b, first, second, spatial, stride, dilation)};
    for (size_t i = 0; i < graph.ops().size(); ++i)
      if (graph.ops()[i].kind == OpKind::Conv)
        graph.op(i).attributes = withOrder(graph.ops()[i].attributes);
  } else {
    ValueId first = graph.addArgument(x), second = graph.addArgument(y);
    attributes.set(AttrKey::Size, std::vector<int64_t>(2, layer.kernel));
    graph.results = {b.create(OpKind::ConvWeight, {first, second}, attributes)};
  }
  return graph;
}

void measure(const Layer &layer, Part part, const std::string &cpu) {
  const double seconds = bench::KernelTimer(build(layer, part), {{"B", layer.batch}}, cpu).best();
  const int64_t places = (layer.size - layer.kernel) / layer.stride + 1;
  const double flops = 2.0 * double(layer.batch * places * places * layer.kernel * layer.kernel *
                                    layer.groups * layer.inputs * layer.outputs);
  std::printf("%-10s %-12s %-8s %9.1f us %7.1f GFLOP/s\n", cpu.c_str(), layer.name,
              kPartNames[size_t(part)], seconds * 1e6, flops / seconds * 1e-9);
  std::fflush(stdout);
}

constexpr Layer kLayers[] = {
    {"1->6@28", 32, 32, 5, 1, 1, 6, 1},       {"6->16@14", 32, 14, 5, 1, 6, 16, 1},
    {"3->32@32", 16, 34, 3, 1, 3, 32, 1},     {"32->32@32", 8, 34, 3, 1, 32, 32, 1},
    {"64->64@16", 8, 18, 3, 1, 64, 64, 1},    {"64->128/2", 8, 18, 3, 1, 64, 128, 2},
    {"1x1 64->128", 8, 16, 1, 1, 64, 128, 1}, {"groups 4x16", 8, 18, 3, 4, 16, 16, 1},
    {"depth 64@32", 8, 34, 3, 64, 1, 1, 1}};

} // namespace
} // namespace apr

int main(int argc, char **argv) {
  const char *only = argc > 1 ? argv[1] : nullptr;
  for (const char *cpu : {"x86-64-v3", "x86-64-v4"}) {
    if (!apr::test::canRun(cpu) || (only && std::string(only) != cpu))
      continue;
    for (const auto &layer : apr::kLayers)
      for (auto part : {apr::Part::Forward, apr::Part::Input, apr::Part::Weight})
        apr::measure(layer, part, cpu);
  }
}
