// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What exactness costs, on one thread: reductions in the order of the IR beside the fastest order,
// correctly rounded functions beside those of vector libraries, counted random numbers beside drawn
// ones, the guard of the floating-point environment, and what all of it is of a training step.
// Medians of rounds in which both sides take turns; docs/cost_of_exactness.md discusses a run.
#include "ir/builder.h"
#include "test/bench/exactness/loops.h"
#include "test/bench/exactness/medians.h"
#include "test/bench/exactness/train_step.h"
#include "test/bench/kernel_timer.h"

#include <cmath>
#include <cstdio>
#include <dlfcn.h>
#include <fmt/format.h>
#include <random>
#include <xmmintrin.h>

namespace apr::bench {
namespace {

/// The results of calls whose time alone matters.
volatile float sink;

struct Level {
  const char *cpu;
  const FreeLoops *free;
};

std::unique_ptr<KernelTimer> timerOf(const Level &level, const std::vector<Type> &arguments,
                                     const std::function<ValueId(Builder &, const Graph &)> &make) {
  Graph graph;
  for (const Type &type : arguments)
    graph.addArgument(type);
  Builder builder(graph);
  const ValueId result = make(builder, graph);
  graph.results = {result};
  return std::make_unique<KernelTimer>(graph, DimBindings{}, level.cpu);
}

void printRow(const std::string &name, double ours, double free) {
  std::printf("  %-34s %9.3f %9.3f %7.2f x\n", name.c_str(), ours, free, ours / free);
}

/// Costs that the share of a step is reckoned with, in ns per element.
struct Costs {
  struct Pair {
    double exact = 0;
    double free = 0;
  };
  std::map<OpKind, Pair> functions;
  Pair sum;
  Pair random;
  double guard = 0;
};

/// Ends the program where the other side computes something else: then there is nothing to compare.
void requireAlike(const std::string &what, const KernelTimer &ours, std::span<const float> other) {
  const auto *exact = static_cast<const float *>(ours.result());
  for (size_t i = 0; i < other.size(); ++i)
    if (!(std::abs(exact[i] - other[i]) <= 1e-4f + 1e-5f * std::abs(exact[i]))) {
      std::fprintf(stderr, "%s: element %zu is %.9g here, %.9g there\n", what.c_str(), i,
                   double(exact[i]), double(other[i]));
      std::exit(1);
    }
}

// ---- reductions ----

ValueId sumInOrder(Builder &b, ValueId x, int64_t axis, const Order &order) {
  Attributes attributes;
  attributes.set(AttrKey::Axes, std::vector<int64_t>{axis});
  attributes.set(AttrKey::Order, order);
  return b.create(OpKind::Sum, {x}, attributes);
}

void measureSums(const Level &level, Costs &costs) {
  std::printf("sums, ns per term               the order of the IR, any order, ratio\n");
  for (int64_t count : {64, 512, 4096, 65536, 1048576}) {
    auto ordered = timerOf(level, {{DType::F32, {count}}}, [](Builder &b, const Graph &g) {
      return sumInOrder(b, g.arguments()[0], 0, defaultSumOrder(LastAxis::Reduced));
    });
    auto chain = timerOf(level, {{DType::F32, {count}}}, [](Builder &b, const Graph &g) {
      return sumInOrder(b, g.arguments()[0], 0, Order::seq());
    });
    const auto *x = static_cast<const float *>(ordered->argument(0));
    const auto times =
        medians({[&] { ordered->run(); }, [&] { sink = level.free->sum(x, long(count)); },
                 [&] { chain->run(); }});
    const float total = level.free->sum(x, long(count));
    requireAlike("a sum", *ordered, {&total, 1});
    requireAlike("a sum left to right", *chain, {&total, 1});
    const double terms = double(count) * 1e-9;
    printRow("all of " + std::to_string(count), times[0] / terms, times[1] / terms);
    if (count == 512)
      costs.sum = {times[0] / terms, times[1] / terms};
    printRow("  left to right", times[2] / terms, times[1] / terms);
  }
  for (auto [rows, columns] :
       {std::pair<int64_t, int64_t>{32, 128}, std::pair<int64_t, int64_t>{768, 512},
        std::pair<int64_t, int64_t>{4096, 64}}) {
    auto ordered = timerOf(level, {{DType::F32, {rows, columns}}}, [](Builder &b, const Graph &g) {
      return sumInOrder(b, g.arguments()[0], 0, defaultSumOrder(LastAxis::Kept));
    });
    const auto *x = static_cast<const float *>(ordered->argument(0));
    std::vector<float> y(static_cast<size_t>(columns));
    const auto times =
        medians({[&] { ordered->run(); },
                 [&] { level.free->sumRows(x, y.data(), long(rows), long(columns)); }});
    requireAlike("a sum of rows", *ordered, y);
    const double terms = double(rows * columns) * 1e-9;
    printRow("rows of " + std::to_string(rows) + " x " + std::to_string(columns), times[0] / terms,
             times[1] / terms);
  }
}

/// sgemm of a BLAS of this machine, or null; on one thread.
using Sgemm = void(int, int, int, int, int, int, float, const float *, int, const float *, int,
                   float, float *, int);
Sgemm *findSgemm() {
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return nullptr;
  if (auto *setThreads =
          reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads")))
    setThreads(1);
  return reinterpret_cast<Sgemm *>(dlsym(library, "cblas_sgemm"));
}

struct Sizes {
  int64_t m, k, n;
};

void measureProduct(const Level &level, const Sizes &s, Sgemm *sgemm) {
  const std::vector<Type> types{{DType::F32, {s.m, s.k}}, {DType::F32, {s.k, s.n}}};
  auto product = [&](const Order &order) {
    return timerOf(level, types, [&](Builder &b, const Graph &g) {
      Attributes attributes;
      attributes.set(AttrKey::Order, order);
      return b.create(OpKind::MatMul, {g.arguments()[0], g.arguments()[1]}, attributes);
    });
  };
  auto ordered = product(defaultContractionOrder());
  auto chain = product(Order::seq());
  const auto *x = static_cast<const float *>(ordered->argument(0));
  const auto *y = static_cast<const float *>(ordered->argument(1));
  std::vector<float> z(static_cast<size_t>(s.m * s.n));
  std::vector<std::function<void()>> calls{[&] { ordered->run(); }, [&] { chain->run(); }};
  const bool isDot = s.m == 1 && s.n == 1;
  if (isDot)
    calls.push_back([&] { z[0] = level.free->dot(x, y, long(s.k)); });
  else if (sgemm)
    calls.push_back([&] {
      sgemm(101, 111, 111, int(s.m), int(s.n), int(s.k), 1, x, int(s.k), y, int(s.n), 0, z.data(),
            int(s.n));
    });
  const auto times = medians(calls);
  if (calls.size() > 2)
    requireAlike("a product", *ordered, z);
  const double products = double(s.m) * double(s.k) * double(s.n) * 1e-9;
  const std::string name = fmt::format("{} x {} x {}", s.m, s.k, s.n);
  printRow(name + ", one chain each", times[0] / products, times[1] / products);
  if (times.size() > 2)
    printRow(name + (isDot ? ", any order" : ", OpenBLAS"), times[0] / products,
             times[2] / products);
}

void measureProducts(const Level &level) {
  std::printf("products, ns per multiply-add   the order of the IR, another, ratio\n");
  Sgemm *sgemm = findSgemm();
  for (const Sizes &sizes : {Sizes{32, 64, 128}, Sizes{128, 784, 512}, Sizes{768, 128, 512},
                             Sizes{128, 4096, 128}, Sizes{1, 4096, 64}, Sizes{1, 65536, 1}})
    measureProduct(level, sizes, sgemm);
}

// ---- functions ----

void measureFunctions(const Level &level, Costs &costs) {
  constexpr int64_t kCount = 4096;
  std::printf(
      "f32 functions, ns per element   correctly rounded, vector libm (up to 4 ulp), ratio; "
      "SLEEF (1 ulp), ratio\n");
  for (const FreeFunction &function : level.free->functions) {
    const OpKind kind = *findOp(function.name);
    auto exact = timerOf(level, {{DType::F32, {kCount}}}, [&](Builder &b, const Graph &g) {
      return b.unary(kind, g.arguments()[0]);
    });
    // Where all of them are defined and none takes a way out for large arguments.
    auto *x = static_cast<float *>(exact->argument(0));
    for (int64_t i = 0; i < kCount; ++i)
      x[i] = 0.01f + float(i) * (4.0f / kCount);
    std::vector<float> y(kCount);
    std::vector<std::function<void()>> calls{[&] { exact->run(); },
                                             [&] { function.vectorLibm(x, y.data(), kCount); }};
    if (function.sleef)
      calls.push_back([&] { function.sleef(x, y.data(), kCount); });
    const auto times = medians(calls);
    function.vectorLibm(x, y.data(), kCount);
    requireAlike(function.name, *exact, y);
    if (function.sleef) {
      function.sleef(x, y.data(), kCount);
      requireAlike(function.name, *exact, y);
    }
    const double each = kCount * 1e-9;
    std::printf("  %-34s %9.3f %9.3f %7.2f x", function.name, times[0] / each, times[1] / each,
                times[0] / times[1]);
    if (function.sleef)
      std::printf(" %9.3f %7.2f x", times[2] / each, times[0] / times[2]);
    std::printf("\n");
    costs.functions[kind] = {times[0] / each, times[1] / each};
  }
}

// ---- random numbers ----

void measureDraws(const Level &level, Costs &costs) {
  constexpr int64_t kCount = 4096;
  std::printf(
      "random numbers, ns per element  counted (Philox4x32-10), drawn (Mersenne Twister)\n");
  std::mt19937 twister(1);
  std::vector<uint32_t> words(kCount);
  std::vector<float> y(kCount);
  auto draw = [&] {
    for (uint32_t &word : words)
      word = uint32_t(twister());
  };
  for (OpKind kind : {OpKind::Uniform, OpKind::Normal}) {
    const std::vector<Type> scalars(3, Type{DType::I64, {}});
    auto counted = timerOf(level, scalars, [&](Builder &b, const Graph &g) {
      Attributes attributes;
      attributes.set(AttrKey::Stream, std::string("bench"));
      return b.create(kind, g.arguments(), attributes, Type{DType::F32, {kCount}});
    });
    auto *take = kind == OpKind::Uniform ? level.free->uniform : level.free->normal;
    const auto times = medians({[&] { counted->run(); },
                                [&] {
                                  draw();
                                  take(words.data(), y.data(), kCount);
                                }});
    const double each = kCount * 1e-9;
    printRow(std::string(opInfo(kind).mnemonic), times[0] / each, times[1] / each);
    if (kind == OpKind::Uniform)
      costs.random = {times[0] / each, times[1] / each};
  }
}

// ---- the floating-point environment ----

void measureGuard(Costs &costs) {
  const auto times = medians({[] {
    for (int i = 0; i < 64; ++i) {
      const unsigned saved = _mm_getcsr();
      _mm_setcsr(0x1f80);
      _mm_setcsr(saved);
    }
  }});
  costs.guard = times[0] / 64 * 1e9;
  std::printf("guard of the environment: %.1f ns an entry or task\n", costs.guard);
}

// ---- a whole step ----

void measureStep(const Level &level, const Costs &costs, const char *name, const char *path,
                 const DimBindings &dims) {
  TrainStep step(path, level.cpu, dims);
  for (int i = 0; i < 3; ++i)
    step.run();
  const double time = medians({[&] { step.run(); }})[0] * 1e9;
  double exact = 0, free = 0;
  for (const auto &[kind, pair] : costs.functions)
    if (auto found = step.work().elements.find(kind); found != step.work().elements.end()) {
      exact += found->second * pair.exact;
      free += found->second * pair.free;
    }
  const double draws = step.work().elements.contains(OpKind::RandomBits)
                           ? step.work().elements.at(OpKind::RandomBits)
                           : 0;
  auto share = [&](double ns) { return 100 * ns / time; };
  std::printf("%s: %.1f us a step, of which about\n", name, time * 1e-3);
  std::printf("  functions      %6.2f %%, with a vector libm %6.2f %%\n", share(exact),
              share(free));
  std::printf("  sums           %6.2f %%, in any order       %6.2f %%\n",
              share(step.work().summed * costs.sum.exact),
              share(step.work().summed * costs.sum.free));
  std::printf("  random numbers %6.2f %%, drawn              %6.2f %%\n",
              share(draws * costs.random.exact), share(draws * costs.random.free));
  std::printf("  guards         %6.2f %%\n", share((step.work().tasks + 1) * costs.guard));
}

void measureLevel(const Level &level) {
  std::printf("\n==== %s ====\n", level.cpu);
  Costs costs;
  measureSums(level, costs);
  measureProducts(level);
  measureFunctions(level, costs);
  measureDraws(level, costs);
  measureGuard(costs);
  measureStep(level, costs, "digits, 32 rows", APR_EXAMPLES "/digits/digits.apr", {{"B", 32}});
  measureStep(level, costs, "GPT, 12 x 64 characters", APR_EXAMPLES "/gpt/gpt.apr",
              {{"B", 12}, {"T", 64}});
}

} // namespace
} // namespace apr::bench

int main() {
  using namespace apr;
  for (const bench::Level &level : {bench::Level{"x86-64-v3", &bench::freeLoopsV3},
                                    bench::Level{"x86-64-v4", &bench::freeLoopsV4}})
    if (test::canRun(level.cpu))
      bench::measureLevel(level);
}
