// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled once for each CPU level, with -O3 -ffast-math; APR_LOOPS is the name of the table.
// Nothing here may instantiate what another unit has as well: the linker keeps one copy, of one
// level.
#include "test/bench/exactness/loops.h"

#include <cmath>
#include <cstring>

#ifdef APR_SLEEF
#include <immintrin.h>
#include <sleef.h>
#endif

namespace apr::bench {
namespace {

#ifdef __AVX512F__
constexpr long kLanes = 16;
#else
constexpr long kLanes = 8;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

Lanes load(const float *x) {
  Lanes lanes;
  std::memcpy(&lanes, x, sizeof(lanes));
  return lanes;
}

/// Eight registers of partial sums: enough to hide the latency of an addition.
template <typename Term> float sumOf(long count, Term term) {
  constexpr long kChains = 8;
  Lanes chains[kChains] = {};
  long i = 0;
  for (; i + kChains * kLanes <= count; i += kChains * kLanes)
    for (long chain = 0; chain < kChains; ++chain)
      chains[chain] += term.lanes(i + chain * kLanes);
  for (long chain = 1; chain < kChains; ++chain)
    chains[0] += chains[chain];
  float total = 0;
  for (long lane = 0; lane < kLanes; ++lane)
    total += chains[0][lane];
  for (; i < count; ++i)
    total += term.one(i);
  return total;
}

struct Element {
  const float *x;
  Lanes lanes(long i) const { return load(x + i); }
  float one(long i) const { return x[i]; }
};
struct Product {
  const float *x;
  const float *y;
  Lanes lanes(long i) const { return load(x + i) * load(y + i); }
  float one(long i) const { return x[i] * y[i]; }
};

float sum(const float *x, long count) { return sumOf(count, Element{x}); }
float dot(const float *x, const float *y, long count) { return sumOf(count, Product{x, y}); }

/// Four rows at a time, so that a partial sum is loaded and stored a quarter as often.
void sumRows(const float *x, float *y, long rows, long columns) {
  std::memset(y, 0, static_cast<size_t>(columns) * sizeof(float));
  long row = 0;
  for (; row + 4 <= rows; row += 4) {
    const float *a = x + row * columns, *b = a + columns, *c = b + columns, *d = c + columns;
    for (long i = 0; i < columns; ++i)
      y[i] += (a[i] + b[i]) + (c[i] + d[i]);
  }
  for (; row < rows; ++row)
    for (long i = 0; i < columns; ++i)
      y[i] += x[row * columns + i];
}

float unit(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

void uniform(const uint32_t *words, float *y, long count) {
  for (long i = 0; i < count; ++i)
    y[i] = unit(words[i]);
}

void normal(const uint32_t *words, float *y, long count) {
  const long half = count / 2;
  for (long i = 0; i < half; ++i) {
    const float radius = sqrtf(-2.0f * logf(1.0f - unit(words[i])));
    const float angle = 6.2831853f * unit(words[half + i]);
    y[i] = radius * cosf(angle);
    y[half + i] = radius * sinf(angle);
  }
}

#define APR_LOOP(name, expression)                                                                 \
  void name(const float *__restrict from, float *__restrict to, long count) {                      \
    for (long i = 0; i < count; ++i) {                                                             \
      const float x = from[i];                                                                     \
      to[i] = expression;                                                                          \
    }                                                                                              \
  }

APR_LOOP(loopExp, expf(x))
APR_LOOP(loopExpm1, expm1f(x))
APR_LOOP(loopLog, logf(x))
APR_LOOP(loopLog1p, log1pf(x))
APR_LOOP(loopTanh, tanhf(x))
APR_LOOP(loopSigmoid, 1.0f / (1.0f + expf(-x)))
APR_LOOP(loopSilu, x / (1.0f + expf(-x)))
APR_LOOP(loopSoftplus, (x > 0 ? x : 0) + log1pf(expf(-fabsf(x))))
APR_LOOP(loopErf, erff(x))
APR_LOOP(loopGelu, 0.5f * x * (1.0f + erff(0.70710678f * x)))
APR_LOOP(loopSin, sinf(x))
APR_LOOP(loopCos, cosf(x))
APR_LOOP(loopTan, tanf(x))
APR_LOOP(loopAtan, atanf(x))
APR_LOOP(loopRsqrt, 1.0f / sqrtf(x))
#undef APR_LOOP

#ifdef APR_SLEEF
#ifdef __AVX512F__
using Register = __m512;
#define APR_SLEEF_FUNCTION(name) Sleef_##name##f16_u10avx512f
Register loadRegister(const float *x) { return _mm512_loadu_ps(x); }
void store(float *y, Register value) { _mm512_storeu_ps(y, value); }
#else
using Register = __m256;
#define APR_SLEEF_FUNCTION(name) Sleef_##name##f8_u10avx2
Register loadRegister(const float *x) { return _mm256_loadu_ps(x); }
void store(float *y, Register value) { _mm256_storeu_ps(y, value); }
#endif
template <auto function> void sleefLoop(const float *x, float *y, long count) {
  for (long i = 0; i + kLanes <= count; i += kLanes)
    store(y + i, function(loadRegister(x + i)));
}
#define APR_SLEEF_LOOP(name) sleefLoop<APR_SLEEF_FUNCTION(name)>
#else
#define APR_SLEEF_LOOP(name) nullptr
#endif

constexpr FreeFunction kFunctions[] = {
    {"exp", loopExp, APR_SLEEF_LOOP(exp)},
    {"expm1", loopExpm1, APR_SLEEF_LOOP(expm1)},
    {"log", loopLog, APR_SLEEF_LOOP(log)},
    {"log1p", loopLog1p, APR_SLEEF_LOOP(log1p)},
    {"tanh", loopTanh, APR_SLEEF_LOOP(tanh)},
    {"sigmoid", loopSigmoid, nullptr},
    {"silu", loopSilu, nullptr},
    {"softplus", loopSoftplus, nullptr},
    {"erf", loopErf, APR_SLEEF_LOOP(erf)},
    {"gelu", loopGelu, nullptr},
    {"sin", loopSin, APR_SLEEF_LOOP(sin)},
    {"cos", loopCos, APR_SLEEF_LOOP(cos)},
    {"tan", loopTan, APR_SLEEF_LOOP(tan)},
    {"atan", loopAtan, APR_SLEEF_LOOP(atan)},
    {"rsqrt", loopRsqrt, nullptr},
};

} // namespace

extern const FreeLoops APR_LOOPS;
const FreeLoops APR_LOOPS = {sum, sumRows, dot, uniform, normal, kFunctions};

} // namespace apr::bench
