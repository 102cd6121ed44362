// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/exhaustive/reference_functions.h"

#include <vector>

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

  /// An operand that MPFR decided, and how far the true value is from the nearest number halfway
  /// between two floats, in units in the last place.
  struct Decision {
    size_t index;
    double distance;
  };
  /// The same of many operands; the decisions are those that MPFR made, in order.
  const std::vector<Decision> &round(std::span<const float> operands, std::span<float> results);

  /// How far an f64 result is from the true value, in units in the last place of that value;
  /// infinity where one is NaN, infinite or of another sign and the other is not.
  double errorInUlps(double x, double result);

  /// How far the true value, normal and finite, is from the nearest f64 or from halfway between
  /// two, in units in the last place.
  double roundingDistance(double x);

private:
  float decide(float x, double near);
  double distanceFromBoundary(float rounded);

  ReferenceFunctions functions_;
  mpfr_t operand_, value_, difference_;
  std::vector<double> near_;
  std::vector<Decision> decisions_;
};

/// The same distance for functions of two operands.
double powErrorInUlps(double x, double y, double result);
double atan2ErrorInUlps(double y, double x, double result);
double powErrorInFloatUlps(float x, float y, float result);
double atan2ErrorInFloatUlps(float y, float x, float result);

} // namespace apr::exhaustive
