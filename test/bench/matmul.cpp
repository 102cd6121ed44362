// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Speed of matrix products, and of an Adam update, on one thread: best of many runs, operands warm.
#include "ir/builder.h"
#include "test/bench/kernel_timer.h"

#include <cstdio>

namespace apr {
namespace {

double measure(const Graph &graph, const DimBindings &dims, const std::string &cpu) {
  return bench::KernelTimer(graph, dims, cpu).best();
}

struct Product {
  int64_t m, k, n;
  bool transposeA, transposeB;
};

/// The batch (rows of the left operand, or the contracted axis where it is transposed) is open.
void measureProduct(const Product &p, const std::string &cpu) {
  Graph graph;
  const Dim batch = Dim::variable("B");
  const Dim m = p.transposeA ? Dim(p.m) : batch, k = p.transposeA ? batch : Dim(p.k);
  ValueId x = graph.addArgument({DType::F32, p.transposeA ? Shape{k, m} : Shape{m, k}});
  ValueId y = graph.addArgument({DType::F32, p.transposeB ? Shape{p.n, k} : Shape{k, p.n}});
  Builder builder(graph);
  graph.results = {builder.matmul(x, y, p.transposeA, p.transposeB)};
  const double seconds = measure(graph, {{"B", p.transposeA ? p.k : p.m}}, cpu);
  const double flops = 2.0 * double(p.m) * double(p.k) * double(p.n);
  std::printf("%-10s %5ld x %4ld x %4ld %c%c %9.1f us %7.1f GFLOP/s\n", cpu.c_str(), long(p.m),
              long(p.k), long(p.n), p.transposeA ? 'T' : 'N', p.transposeB ? 'T' : 'N',
              seconds * 1e6, flops / seconds * 1e-9);
}

void measureAdam(const std::string &cpu) {
  Graph graph;
  const Type type{DType::F32, {784, 512}};
  ValueId p = graph.addArgument(type), m = graph.addArgument(type), v = graph.addArgument(type);
  ValueId g = graph.addArgument(type), lr = graph.addArgument({DType::F32, {}});
  Builder b(graph);
  ValueId m2 = b.add(b.mul(m, b.splat(type, 0.9)), b.mul(g, b.splat(type, 0.1)));
  ValueId v2 = b.add(b.mul(v, b.splat(type, 0.999)), b.mul(b.mul(g, g), b.splat(type, 0.001)));
  ValueId step = b.div(m2, b.add(b.unary(OpKind::Sqrt, v2), b.splat(type, 1e-8)));
  graph.results = {b.sub(p, b.mul(b.broadcast(lr, type.shape, {}), step)), m2, v2};
  const double seconds = measure(graph, {}, cpu);
  std::printf("%-10s adam 784 x 512       %9.1f us %7.3f ns/element\n", cpu.c_str(), seconds * 1e6,
              seconds * 1e9 / (784 * 512));
}

constexpr Product kProducts[] = {
    {64, 784, 512, false, false}, {64, 784, 512, false, true},  {784, 64, 512, true, false},
    {64, 512, 784, false, true},  {64, 512, 10, false, false},  {512, 64, 10, true, false},
    {32, 64, 128, false, false},  {64, 32, 128, true, false},   {512, 512, 512, false, false},
    {512, 512, 512, false, true}, {512, 512, 512, true, false}, {1, 784, 512, false, false}};

} // namespace
} // namespace apr

int main() {
  for (const char *cpu : {"x86-64-v3", "x86-64-v4"}) {
    if (!apr::test::canRun(cpu))
      continue;
    for (const auto &product : apr::kProducts)
      apr::measureProduct(product, cpu);
    apr::measureAdam(cpu);
  }
}
