// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <span>

namespace apr::bench {

using MapLoop = void(const float *x, float *y, long count);

struct FreeFunction {
  const char *name;
  MapLoop *vectorLibm; ///< a loop with the host's vector mathematics library
  MapLoop *sleef;      ///< SLEEF's function of 1.0 ulp, or null
};

/// The same work without the promise: compiled by the host's compiler with -O3 -ffast-math, so that
/// sums may be taken in any order and functions from the fastest library at hand.
struct FreeLoops {
  float (*sum)(const float *x, long count);
  void (*sumRows)(const float *x, float *y, long rows, long columns);
  float (*dot)(const float *x, const float *y, long count);
  /// Uniform and normal numbers of as many random words.
  void (*uniform)(const uint32_t *words, float *y, long count);
  void (*normal)(const uint32_t *words, float *y, long count);
  std::span<const FreeFunction> functions;
};

/// For one CPU level each.
extern const FreeLoops freeLoopsV3;
extern const FreeLoops freeLoopsV4;

} // namespace apr::bench
