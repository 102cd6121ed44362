// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/reference.h"

#include "ir/graph.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace apr::exhaustive {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

int mpfrSigmoid(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  mpfr_neg(result, x, mode);
  mpfr_exp(result, result, mode);
  mpfr_add_ui(result, result, 1, mode);
  return mpfr_ui_div(result, 1, result, mode);
}

/// IEEE 754 has 1/sqrt(-0) = -inf, MPFR +inf.
int mpfrRsqrt(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  if (mpfr_zero_p(x))
    return mpfr_ui_div(result, 1, x, mode);
  return mpfr_rec_sqrt(result, x, mode);
}

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

struct Functions {
  int (*exact)(mpfr_t, const mpfr_t, mpfr_rnd_t);
  double (*approximate)(double);
};

Functions findFunctions(OpKind kind) {
  switch (kind) {
  case OpKind::Sqrt:
    return {mpfr_sqrt, [](double x) { return std::sqrt(x); }};
  case OpKind::Rsqrt:
    return {mpfrRsqrt, [](double x) { return 1 / std::sqrt(x); }};
  case OpKind::Exp:
    return {mpfr_exp, [](double x) { return std::exp(x); }};
  case OpKind::Expm1:
    return {mpfr_expm1, [](double x) { return std::expm1(x); }};
  case OpKind::Log:
    return {mpfr_log, [](double x) { return std::log(x); }};
  case OpKind::Log1p:
    return {mpfr_log1p, [](double x) { return std::log1p(x); }};
  case OpKind::Sin:
    return {mpfr_sin, [](double x) { return std::sin(x); }};
  case OpKind::Cos:
    return {mpfr_cos, [](double x) { return std::cos(x); }};
  case OpKind::Tanh:
    return {mpfr_tanh, [](double x) { return std::tanh(x); }};
  case OpKind::Sigmoid:
    return {mpfrSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }};
  case OpKind::Erf:
    return {mpfr_erf, [](double x) { return std::erf(x); }};
  default:
    throw InternalError("Reference: not an elementary function");
  }
}

} // namespace

Reference::Reference(OpKind kind) {
  Functions functions = findFunctions(kind);
  exact_ = functions.exact;
  approximate_ = functions.approximate;
  mpfr_init2(operand_, 53);
  mpfr_init2(value_, 240);
  mpfr_init2(difference_, 300);
}

Reference::~Reference() { mpfr_clears(operand_, value_, difference_, nullptr); }

float Reference::rounded(float x) {
  double near = approximate_(x);
  if (std::isnan(near))
    return std::numeric_limits<float>::quiet_NaN();
  if (near == 0 || std::isinf(near))
    return static_cast<float>(near);
  double margin = std::fabs(near) * 0x1p-46;
  auto below = static_cast<float>(near - margin), above = static_cast<float>(near + margin);
  if (std::bit_cast<uint32_t>(below) == std::bit_cast<uint32_t>(above))
    return below;
  ++hardCases_;
  mpfr_set_flt(operand_, x, MPFR_RNDN);
  exact_(value_, operand_, MPFR_RNDN);
  float result = mpfr_get_flt(value_, MPFR_RNDN);
  return result == 0 ? std::copysign(0.0f, static_cast<float>(near)) : result;
}

double Reference::errorInUlps(double x, double result) {
  mpfr_set_d(operand_, x, MPFR_RNDN);
  exact_(value_, operand_, MPFR_RNDN);
  return distanceInUlps(value_, difference_, result);
}

double powErrorInUlps(double x, double y, double result) {
  mpfr_t base, exponent, value, difference;
  mpfr_inits2(53, base, exponent, nullptr);
  mpfr_inits2(240, value, difference, nullptr);
  mpfr_set_d(base, x, MPFR_RNDN);
  mpfr_set_d(exponent, y, MPFR_RNDN);
  mpfr_pow(value, base, exponent, MPFR_RNDN);
  double distance = distanceInUlps(value, difference, result);
  mpfr_clears(base, exponent, value, difference, nullptr);
  return distance;
}

} // namespace apr::exhaustive
