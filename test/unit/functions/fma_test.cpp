// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"
#include "tools/exhaustive/native_code.h"

#include <gtest/gtest.h>
#include <mpfr.h>

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

/// a * b + c exactly, then rounded once: neither the host's fma nor ours.
template <class T> T roundedOnce(T a, T b, T c) {
  mpfr_t x, y, sum;
  mpfr_inits2(53, x, y, nullptr);
  mpfr_init2(sum, 4400); // more than from one end of the exponents of a product to the other
  mpfr_set_d(x, a, MPFR_RNDN);
  mpfr_set_d(y, b, MPFR_RNDN);
  mpfr_mul(sum, x, y, MPFR_RNDN);
  mpfr_set_d(x, c, MPFR_RNDN);
  int inexact = mpfr_add(sum, sum, x, MPFR_RNDN);
  EXPECT_EQ(inexact, 0);
  T result = sizeof(T) == 4 ? T(mpfr_get_flt(sum, MPFR_RNDN)) : T(mpfr_get_d(sum, MPFR_RNDN));
  mpfr_clears(x, y, sum, nullptr);
  return result;
}

/// Products halfway between two numbers, normal and subnormal, and an addend that decides although
/// it is below the last place of anything wider: rounding twice goes wrong on half of them.
/// Products that the addend cancels down to their last bit, or to what a product loses.
template <class T> Triples<T> hardTriples() {
  using Limits = std::numeric_limits<T>;
  constexpr int kDigits = Limits::digits;
  Triples<T> triples;
  std::mt19937_64 random(9);
  auto oddOfLength = [&](int length) {
    uint64_t top = uint64_t(1) << (length - 1);
    return static_cast<T>(top | (random() & (top - 1)) | 1);
  };
  auto sign = [&] { return random() % 2 ? T(1) : T(-1); };
  while (triples.a.size() < 64 * 3000) {
    // Lengths that give a product of digits + 1 bits or one fewer, odd: half a unit.
    int length = 2 + static_cast<int>(random() % (kDigits - 3));
    T x = oddOfLength(length), y = oddOfLength(kDigits + 1 - length);
    int exponent = static_cast<int>(random() % 60) - 30;
    T tiny = std::ldexp(T(1), exponent - static_cast<int>(random() % (2 * kDigits)));
    triples.add(sign() * std::ldexp(x, exponent), y, sign() * tiny);
    triples.add(sign() * std::ldexp(x, exponent), y, sign() * Limits::denorm_min());
    // Halfway between subnormals: the half of the smallest times an odd number.
    int short1 = 2 + static_cast<int>(random() % (kDigits / 2 - 2));
    int low = Limits::min_exponent - kDigits; // exponent of denorm_min
    T u = oddOfLength(short1), v = oddOfLength(short1);
    triples.add(std::ldexp(u, low / 2), std::ldexp(v, low - 1 - low / 2),
                sign() * std::ldexp(oddOfLength(short1), low));
    triples.add(std::ldexp(u, low / 2), std::ldexp(v, low - 1 - low / 2), sign() * T(0));
    // Full products, and what they round to taken away.
    T p = oddOfLength(kDigits), q = oddOfLength(kDigits);
    triples.add(p, q, -(p * q));
    triples.add(p, q, std::nextafter(-(p * q), T(random() % 2 ? 0 : -Limits::max())));
  }
  triples.a.resize(64 * 3000), triples.b.resize(64 * 3000), triples.c.resize(64 * 3000);
  return triples;
}

template <class T> void expectHardCases(DType dtype, const TargetOptions &options) {
  auto code = exhaustive::compileLanes(
      dtype, 3, options,
      [](llvm::IRBuilderBase &builder, const std::vector<llvm::Value *> &x, const Target &target) {
        return emitFma(builder, x[0], x[1], x[2], target.kernels());
      });
  Triples<T> triples = hardTriples<T>();
  std::vector<T> results(triples.a.size());
  code->run({triples.a.data(), triples.b.data(), triples.c.data()}, results.data(),
            static_cast<int64_t>(results.size()));
  int wrong = 0, roundedTwice = 0;
  for (size_t i = 0; i < results.size() && wrong < 5; ++i) {
    T expected = roundedOnce(triples.a[i], triples.b[i], triples.c[i]);
    wrong += results[i] != expected;
    EXPECT_EQ(results[i], expected)
        << std::hexfloat << triples.a[i] << " * " << triples.b[i] << " + " << triples.c[i];
    using Wide = std::conditional_t<sizeof(T) == 4, double, T>;
    roundedTwice +=
        static_cast<T>(Wide(triples.a[i]) * Wide(triples.b[i]) + Wide(triples.c[i])) != expected;
  }
  EXPECT_GT(roundedTwice, 10000); // the cases are hard
}

#if defined(__x86_64__)
TEST(SoftwareFma, HardCasesRoundOnce) {
  expectHardCases<float>(DType::F32, {.cpu = "x86-64-v2"});
  expectHardCases<double>(DType::F64, {.cpu = "x86-64-v2"});
}

TEST(SoftwareFma, F32RoundsOnce) { expectFused<float>(DType::F32, {.cpu = "x86-64-v2"}); }
TEST(SoftwareFma, F64RoundsOnce) { expectFused<double>(DType::F64, {.cpu = "x86-64-v2"}); }
TEST(SoftwareFma, RoundsOnceWithoutOptimization) {
  expectFused<float>(DType::F32, {.cpu = "x86-64-v2", .level = CodegenLevel::O0});
  expectFused<double>(DType::F64, {.cpu = "x86-64-v2", .level = CodegenLevel::O0});
}
#endif

} // namespace
} // namespace apr
