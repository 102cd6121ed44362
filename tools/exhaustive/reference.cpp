// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/reference.h"

#include "tools/exhaustive/reference_functions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace apr::exhaustive {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// |exact - result| in units in the last place of `exact` as an f64.
double distanceInUlps(const mpfr_t exact, mpfr_t difference, double result) {
  if (mpfr_nan_p(exact) || std::isnan(result))
    return mpfr_nan_p(exact) && std::isnan(result) ? 0 : kInfinity;
  double nearest = mpfr_get_d(exact, MPFR_RNDN);
  if (nearest == result)
    return std::signbit(nearest) == std::signbit(result) ? 0.5 : kInfinity;
  if (std::isinf(nearest) || std::isinf(result)) {
    double finite = std::isinf(result) ? nearest : result;
    bool isNextTo = std::fabs(finite) == std::numeric_limits<double>::max() &&
                    std::signbit(nearest) == std::signbit(result);
    return isNextTo ? 1 : kInfinity;
  }
  int exponent = nearest == 0 ? -1074 : std::max(std::ilogb(nearest) - 52, -1074);
  mpfr_sub_d(difference, exact, result, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, -exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference, MPFR_RNDN));
}

} // namespace

Reference::Reference(OpKind kind) {
  functions_ = findReferenceFunctions(kind);
  mpfr_init2(operand_, 53);
  mpfr_init2(value_, 240);
  mpfr_init2(difference_, 300);
}

Reference::~Reference() { mpfr_clears(operand_, value_, difference_, nullptr); }

float Reference::rounded(float x) {
  double near = functions_.approximate(x);
  if (std::isnan(near))
    return std::numeric_limits<float>::quiet_NaN();
  if (near == 0 || std::isinf(near))
    return static_cast<float>(near);
  double margin = std::fabs(near) * functions_.margin;
  auto below = static_cast<float>(near - margin), above = static_cast<float>(near + margin);
  if (std::bit_cast<uint32_t>(below) == std::bit_cast<uint32_t>(above))
    return below;
  ++hardCases_;
  mpfr_set_flt(operand_, x, MPFR_RNDN);
  functions_.exact(value_, operand_, MPFR_RNDN);
  float result = mpfr_get_flt(value_, MPFR_RNDN);
  return result == 0 ? std::copysign(0.0f, static_cast<float>(near)) : result;
}

double Reference::errorInUlps(double x, double result) {
  mpfr_set_d(operand_, x, MPFR_RNDN);
  functions_.exact(value_, operand_, MPFR_RNDN);
  return distanceInUlps(value_, difference_, result);
}

namespace {

/// The distance of `result` from a function of two operands.
double binaryErrorInUlps(int (*exact)(mpfr_t, const mpfr_t, const mpfr_t, mpfr_rnd_t), double x,
                         double y, double result) {
  mpfr_t first, second, value, difference;
  mpfr_inits2(53, first, second, nullptr);
  mpfr_inits2(240, value, difference, nullptr);
  mpfr_set_d(first, x, MPFR_RNDN);
  mpfr_set_d(second, y, MPFR_RNDN);
  exact(value, first, second, MPFR_RNDN);
  double distance = distanceInUlps(value, difference, result);
  mpfr_clears(first, second, value, difference, nullptr);
  return distance;
}

} // namespace

double powErrorInUlps(double x, double y, double result) {
  return binaryErrorInUlps(mpfr_pow, x, y, result);
}

double atan2ErrorInUlps(double y, double x, double result) {
  return binaryErrorInUlps(mpfr_atan2, y, x, result);
}

} // namespace apr::exhaustive
