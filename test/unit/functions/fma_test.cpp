// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"
#include "tools/exhaustive/native_code.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <random>

namespace apr {
namespace {

template <class T> struct Triples {
  std::vector<T> a, b, c;

  void add(T x, T y, T z) {
    a.push_back(x);
    b.push_back(y);
    c.push_back(z);
  }
};

/// Every combination of special values, then random ones: any bit patterns, sums that cancel to
/// rounding ties, products that are or become denormal, exponents at the edge of each other's
/// reach.
template <class T> Triples<T> interestingTriples() {
  using Limits = std::numeric_limits<T>;
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  Triples<T> triples;
  const T eps = Limits::epsilon();
  std::vector<T> special;
  for (T x : {T(0), T(1), T(1.5), T(3), 1 + eps, 1 - eps / 2, Limits::min(), Limits::denorm_min(),
              Limits::min() - Limits::denorm_min(), Limits::max(), std::sqrt(Limits::max()),
              std::sqrt(Limits::min()), eps, Limits::infinity(), Limits::quiet_NaN()}) {
    special.push_back(x);
    special.push_back(-x);
  }
  for (T x : special)
    for (T y : special)
      for (T z : special)
        triples.add(x, y, z);

  std::mt19937_64 random(5);
  auto any = [&] { return std::bit_cast<T>(static_cast<Bits>(random())); };
  auto near1 = [&] { return T(1) + eps * T(random() % 4096) * T(random() % 2 ? 1 : 1024); };
  auto power = [&](int limit) { return static_cast<int>(random() % (2 * limit + 1)) - limit; };
  for (int i = 0; i < 200000; ++i) {
    triples.add(any(), any(), any());
    T x = near1(), y = near1();
    // The addend cancels the product, or sits within three mantissas of it.
    triples.add(x, y, std::nextafter(-(x * y), T(random() % 2 ? 10 : -10)));
    triples.add(x, -y, std::ldexp(near1(), power(3 * Limits::digits)));
    // Results around the smallest normal number.
    int low = Limits::min_exponent;
    triples.add(std::ldexp(x, low / 2 + power(4)), std::ldexp(y, low - low / 2 + power(4)),
                std::ldexp(random() % 2 ? near1() : -near1(), low + power(60)));
    int high = Limits::max_exponent;
    triples.add(std::ldexp(x, high / 2), std::ldexp(y, high - high / 2 - 1 + power(1)),
                std::ldexp(random() % 2 ? near1() : -near1(), high - 1));
  }
  while (triples.a.size() % 64 != 0)
    triples.add(0, 0, 0);
  return triples;
}

template <class T> void expectFused(DType dtype, const TargetOptions &options) {
  auto code = exhaustive::compileLanes(
      dtype, 3, options,
      [](llvm::IRBuilderBase &builder, const std::vector<llvm::Value *> &x, const Target &target) {
        return emitFma(builder, x[0], x[1], x[2], target.kernels());
      });
  EXPECT_TRUE(code->undefinedSymbols().empty());
  Triples<T> triples = interestingTriples<T>();
  std::vector<T> results(triples.a.size());
  code->run({triples.a.data(), triples.b.data(), triples.c.data()}, results.data(),
            static_cast<int64_t>(results.size()));
  int wrong = 0;
  for (size_t i = 0; i < results.size() && wrong < 5; ++i) {
    T expected = std::fma(triples.a[i], triples.b[i], triples.c[i]);
    bool isEqual = std::isnan(expected) ? std::isnan(results[i])
                                        : expected == results[i] &&
                                              std::signbit(expected) == std::signbit(results[i]);
    if (isEqual)
      continue;
    ++wrong;
    ADD_FAILURE() << std::hexfloat << triples.a[i] << " * " << triples.b[i] << " + " << triples.c[i]
                  << " gives " << results[i] << ", not " << expected;
  }
}

#if defined(__x86_64__)
TEST(SoftwareFma, F32RoundsOnce) { expectFused<float>(DType::F32, {.cpu = "x86-64-v2"}); }
TEST(SoftwareFma, F64RoundsOnce) { expectFused<double>(DType::F64, {.cpu = "x86-64-v2"}); }
TEST(SoftwareFma, RoundsOnceWithoutOptimization) {
  expectFused<float>(DType::F32, {.cpu = "x86-64-v2", .level = CodegenLevel::O0});
  expectFused<double>(DType::F64, {.cpu = "x86-64-v2", .level = CodegenLevel::O0});
}
#endif

} // namespace
} // namespace apr
