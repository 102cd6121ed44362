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
double distanceInUlps(const mpfr_t exact, mpfr_t difference, double result);

/// The same of an f32.
double distanceInUlps(const mpfr_t exact, mpfr_t difference, float result) {
  float nearest = mpfr_get_flt(exact, MPFR_RNDN);
  bool isEqual = nearest == result && std::signbit(nearest) == std::signbit(result);
  if (mpfr_nan_p(exact) || std::isnan(result) || std::isinf(nearest) || nearest == 0)
    return isEqual || (mpfr_nan_p(exact) && std::isnan(result)) ? 0 : kInfinity;
  int exponent = std::max(std::ilogb(nearest) - 23, -149);
  mpfr_sub_d(difference, exact, result, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, -exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference, MPFR_RNDN));
}

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
  float result = 0;
  round({&x, 1}, {&result, 1});
  return result;
}

const std::vector<Reference::Decision> &Reference::round(std::span<const float> operands,
                                                         std::span<float> results) {
  near_.resize(operands.size());
  functions_.approximate(operands, near_.data());
  decisions_.clear();
  for (size_t i = 0; i < operands.size(); ++i) {
    double near = near_[i], margin = std::fabs(near) * functions_.margin;
    auto below = static_cast<float>(near - margin), above = static_cast<float>(near + margin);
    if (std::isnan(near)) {
      results[i] = std::numeric_limits<float>::quiet_NaN();
    } else if (std::bit_cast<uint32_t>(below) == std::bit_cast<uint32_t>(above)) {
      results[i] = below;
    } else if (near == 0 || std::isinf(near)) {
      results[i] = static_cast<float>(near);
    } else {
      results[i] = decide(operands[i], near);
      decisions_.push_back({i, distanceFromBoundary(results[i])});
    }
  }
  return decisions_;
}

float Reference::decide(float x, double near) {
  mpfr_set_flt(operand_, x, MPFR_RNDN);
  functions_.exact(value_, operand_, MPFR_RNDN);
  float result = mpfr_get_flt(value_, MPFR_RNDN);
  return result == 0 ? std::copysign(0.0f, static_cast<float>(near)) : result;
}

double Reference::distanceFromBoundary(float rounded) {
  if (!std::isfinite(rounded))
    return 0;
  int exponent = rounded == 0 ? -149 : std::max(std::ilogb(rounded) - 23, -149);
  mpfr_sub_d(difference_, value_, rounded, MPFR_RNDN);
  mpfr_mul_2si(difference_, difference_, -exponent, MPFR_RNDN);
  mpfr_abs(difference_, difference_, MPFR_RNDN);
  mpfr_sub_d(difference_, difference_, 0.5, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference_, MPFR_RNDN));
}

double Reference::errorInUlps(double x, double result) {
  mpfr_set_d(operand_, x, MPFR_RNDN);
  functions_.exact(value_, operand_, MPFR_RNDN);
  return distanceInUlps(value_, difference_, result);
}

double Reference::roundingDistance(double x) {
  mpfr_set_d(operand_, x, MPFR_RNDN);
  functions_.exact(value_, operand_, MPFR_RNDN);
  double nearest = mpfr_get_d(value_, MPFR_RNDN);
  mpfr_sub_d(difference_, value_, nearest, MPFR_RNDN);
  mpfr_mul_2si(difference_, difference_, 52 - std::ilogb(nearest), MPFR_RNDN);
  mpfr_abs(difference_, difference_, MPFR_RNDN);
  double fromNumber = mpfr_get_d(difference_, MPFR_RNDN);
  mpfr_sub_d(difference_, difference_, 0.5, MPFR_RNDN);
  return std::min(fromNumber, std::fabs(mpfr_get_d(difference_, MPFR_RNDN)));
}

namespace {

/// The distance of `result` from a function of two operands.
template <class Float>
double binaryErrorInUlps(int (*exact)(mpfr_t, const mpfr_t, const mpfr_t, mpfr_rnd_t), double x,
                         double y, Float result) {
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

double powErrorInFloatUlps(float x, float y, float result) {
  return binaryErrorInUlps(mpfr_pow, x, y, result);
}

double atan2ErrorInFloatUlps(float y, float x, float result) {
  return binaryErrorInUlps(mpfr_atan2, y, x, result);
}

} // namespace apr::exhaustive
