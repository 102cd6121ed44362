// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/interpreter.h"

namespace apr::run {

/// Inputs for comparing implementations, the same for a seed everywhere: NaN, infinities, zeros of
/// both signs, denormals and huge values among ordinary ones; small, extreme and any integers.
class RandomInputs {
public:
  explicit RandomInputs(uint64_t seed) : state_(seed) {}

  void fill(Tensor &tensor);
  /// Mostly zeros of both signs, ones, infinities, NaN and other edge values.
  void fillEdges(Tensor &tensor);
  /// Floats from `low` to 1/2, integers from 0 to 10.
  void fillOrdinary(Tensor &tensor, double low);
  /// Integers in [0, limit), limit >= 1.
  void fillIndices(Tensor &tensor, int64_t limit);
  /// A size around vector widths and chunk lengths, mostly small.
  int64_t size();
  uint64_t bits();
  /// A number below `count`.
  uint64_t below(uint64_t count) { return bits() % count; }

private:
  template <typename T> T edgeFloat();
  template <typename T> T anyFloat(uint64_t style);
  template <typename T> T anyInteger();
  uint64_t state_;
};

} // namespace apr::run
