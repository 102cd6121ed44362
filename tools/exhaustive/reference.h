// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/exhaustive/reference_functions.h"

namespace apr::exhaustive {

/// The correctly rounded values of one elementary function, from MPFR: the judge of the interpreter
/// and of compiled code, sharing nothing with either.
class Reference {
public:
  /// For the kinds of isElementary(); others are an internal error.
  explicit Reference(OpKind kind);
  ~Reference();
  Reference(const Reference &) = delete;
  Reference &operator=(const Reference &) = delete;

  /// The f32 result; NaN is canonical. The host's f64 function decides alone where its value is far
  /// from a rounding boundary (many times its error), MPFR everywhere else.
  float rounded(float x);

  /// How far an f64 result is from the true value, in units in the last place of that value;
  /// infinity where one is NaN, infinite or of another sign and the other is not.
  double errorInUlps(double x, double result);

  uint64_t hardCases() const { return hardCases_; }

private:
  ReferenceFunctions functions_;
  mpfr_t operand_, value_, difference_;
  uint64_t hardCases_ = 0;
};

/// The same distance for functions of two operands.
double powErrorInUlps(double x, double y, double result);
double atan2ErrorInUlps(double y, double x, double result);

} // namespace apr::exhaustive
