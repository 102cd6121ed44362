// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"

namespace apr::exhaustive {

/// An f64 function whose meaning is an expansion (ir/expansions): the formula over plain doubles.
struct F64Function {
  OpKind kind;
  double (*evaluate)(double);
  double low, high; ///< where its values are neither constant nor the operand
  /// No error in units in the last place may exceed this: what long runs have seen, rounded up.
  double bound;
  std::span<const double> hardCases;
};
std::span<const F64Function> f64Functions();

struct F64BinaryFunction {
  OpKind kind;
  double (*evaluate)(double, double);
  double (*errorInUlps)(double, double, double result);
  double bound;
};
std::span<const F64BinaryFunction> f64BinaryFunctions();

} // namespace apr::exhaustive
