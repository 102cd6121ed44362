// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/reference_functions.h"

#include "ir/graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace apr::exhaustive {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A number of the precision of a result, with room to spare.
class Temporary {
public:
  explicit Temporary(const mpfr_t like) { mpfr_init2(value_, mpfr_get_prec(like) + 64); }
  ~Temporary() { mpfr_clear(value_); }
  Temporary(const Temporary &) = delete;
  Temporary &operator=(const Temporary &) = delete;
  operator mpfr_ptr() { return value_; }

private:
  mpfr_t value_;
};

/// IEEE 754 has 1/sqrt(-0) = -inf, MPFR +inf.
int mpfrRsqrt(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  if (mpfr_zero_p(x))
    return mpfr_ui_div(result, 1, x, mode);
  return mpfr_rec_sqrt(result, x, mode);
}

/// numerator / (1 + e^-x).
int divideByOnePlusExp(mpfr_t result, const mpfr_t numerator, const mpfr_t x, mpfr_rnd_t mode) {
  Temporary divisor(result);
  mpfr_neg(divisor, x, mode);
  mpfr_exp(divisor, divisor, mode);
  mpfr_add_ui(divisor, divisor, 1, mode);
  return mpfr_div(result, numerator, divisor, mode);
}

int mpfrSigmoid(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  Temporary one(result);
  mpfr_set_ui(one, 1, mode);
  return divideByOnePlusExp(result, one, x, mode);
}

/// What an activation x f(x) with f from 0 to 1 is at the ends; true if x is one.
bool setActivationEnd(mpfr_t result, const mpfr_t x) {
  if (mpfr_inf_p(x) && mpfr_sgn(x) < 0)
    mpfr_set_zero(result, -1);
  else if (mpfr_inf_p(x) || mpfr_zero_p(x))
    mpfr_set(result, x, MPFR_RNDN);
  else
    return false;
  return true;
}

/// The activations near zero, where next to x/2 + slope x^2 nothing counts: half of a denormal is a
/// tie, so that this decides millions of operands. True if x is so small.
bool setTinyActivation(mpfr_t result, const mpfr_t x, const mpfr_t slope) {
  if (mpfr_get_exp(x) > -120)
    return false;
  mpfr_mul(result, x, slope, MPFR_RNDN);
  mpfr_add_d(result, result, 0.5, MPFR_RNDN);
  mpfr_mul(result, result, x, MPFR_RNDN);
  return true;
}

int mpfrSilu(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  if (setActivationEnd(result, x))
    return 0;
  Temporary slope(result);
  mpfr_set_d(slope, 0.25, mode);
  return setTinyActivation(result, x, slope) ? 0 : divideByOnePlusExp(result, x, x, mode);
}

/// The density of the normal distribution at 0, the slope of both forms of gelu: computed once, for
/// millions of operands ask.
class Density {
public:
  Density() {
    mpfr_init2(value_, 400);
    mpfr_const_pi(value_, MPFR_RNDN);
    mpfr_mul_2ui(value_, value_, 1, MPFR_RNDN);
    mpfr_rec_sqrt(value_, value_, MPFR_RNDN);
  }
  ~Density() { mpfr_clear(value_); }
  Density(const Density &) = delete;
  Density &operator=(const Density &) = delete;

  static mpfr_srcptr get() {
    thread_local Density density;
    return density.value_;
  }

private:
  mpfr_t value_;
};

/// x erfc(-x / sqrt(2)) / 2.
int mpfrGelu(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  if (setActivationEnd(result, x))
    return 0;
  if (setTinyActivation(result, x, Density::get()))
    return 0;
  Temporary share(result);
  mpfr_sqrt_ui(share, 2, mode);
  mpfr_div(share, x, share, mode);
  mpfr_neg(share, share, mode);
  mpfr_erfc(share, share, mode);
  mpfr_mul(result, share, x, mode);
  return mpfr_div_2ui(result, result, 1, mode);
}

/// (1 + tanh(u)) / 2 = 1 / (1 + e^-2u), 2u = sqrt(8/pi) (x + 0.044715 x^3).
int mpfrGeluTanh(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  if (setActivationEnd(result, x))
    return 0;
  if (setTinyActivation(result, x, Density::get()))
    return 0;
  Temporary exponent(result), factor(result);
  mpfr_sqr(exponent, x, mode);
  mpfr_mul_ui(exponent, exponent, 44715, mode);
  mpfr_div_ui(exponent, exponent, 1000000, mode);
  mpfr_add_ui(exponent, exponent, 1, mode);
  mpfr_mul(exponent, exponent, x, mode);
  mpfr_const_pi(factor, mode);
  mpfr_ui_div(factor, 8, factor, mode);
  mpfr_sqrt(factor, factor, mode);
  mpfr_mul(exponent, exponent, factor, mode);
  return divideByOnePlusExp(result, x, exponent, mode);
}

int mpfrSoftplus(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  Temporary low(result);
  mpfr_abs(low, x, mode);
  mpfr_neg(low, low, mode);
  mpfr_exp(low, low, mode);
  mpfr_log1p(low, low, mode);
  if (mpfr_sgn(x) <= 0)
    return mpfr_set(result, low, mode);
  return mpfr_add(result, x, low, mode);
}

/// Within 1/100 of the inverse of erf on [0, 1]: its series, and Winitzki's formula.
double roughInverseErf(double x) {
  double z = x * x;
  if (x < 0.3)
    return x * (0.886226925452758 + z * (0.232013666534655 + z * 0.127556175305598));
  double level = std::log1p(-z), sum = 4.3307467508 + level / 2;
  return std::sqrt(std::sqrt(sum * sum - level / 0.147) - sum);
}

constexpr double kTwoOverSqrtPi = 1.1283791670955126;

/// Halley's method; erfc keeps the distance from 1.
double inverseErf(double x) {
  double magnitude = std::fabs(x);
  if (!(magnitude < 1))
    return magnitude == 1 ? x * kInfinity : std::numeric_limits<double>::quiet_NaN();
  if (magnitude < 0x1p-12) { // two terms are exact to 2^-46
    double z = x * x;
    return x * (0.8862269254527580 + z * (0.23201366653465450 + z * 0.1275561753055980));
  }
  double y = roughInverseErf(magnitude);
  for (int i = 0; i < 3; ++i) {
    double error = magnitude < 0.5 ? std::erf(y) - magnitude : (1 - magnitude) - std::erfc(y);
    double newton = error / (kTwoOverSqrtPi * std::exp(-y * y));
    y -= newton / (1 + y * newton);
  }
  return std::copysign(y, x);
}

/// Newton's method from the f64 value doubles its digits in each of three steps.
int mpfrInverseErf(mpfr_t result, const mpfr_t x, mpfr_rnd_t mode) {
  double start = inverseErf(mpfr_get_d(x, MPFR_RNDN));
  mpfr_set_d(result, start, mode);
  if (mpfr_zero_p(x) || !std::isfinite(start))
    return 0;
  Temporary y(result), error(result), slope(result);
  mpfr_set_d(y, start, mode);
  for (int i = 0; i < 3; ++i) {
    mpfr_erf(error, y, mode);
    mpfr_sub(error, error, x, mode);
    mpfr_sqr(slope, y, mode);
    mpfr_exp(slope, slope, mode);
    mpfr_mul(error, error, slope, mode);
    mpfr_const_pi(slope, mode);
    mpfr_sqrt(slope, slope, mode);
    mpfr_mul(error, error, slope, mode);
    mpfr_div_2ui(error, error, 1, mode);
    mpfr_sub(y, y, error, mode);
  }
  return mpfr_set(result, y, mode);
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// x f(x), where f(-inf) = 0 and its product with -inf counts as -0.
double activation(double x, double share) { return x == -kInfinity ? -0.0 : x * share; }

/// `function` of every operand.
template <auto function> void each(std::span<const float> operands, double *results) {
  for (size_t i = 0; i < operands.size(); ++i)
    results[i] = function(operands[i]);
}

} // namespace

ReferenceFunctions findReferenceFunctions(OpKind kind) {
  switch (kind) {
  case OpKind::Sqrt:
    return {mpfr_sqrt, each<[](double x) { return std::sqrt(x); }>};
  case OpKind::Rsqrt:
    return {mpfrRsqrt, each<[](double x) { return 1 / std::sqrt(x); }>};
  case OpKind::Exp:
    return {mpfr_exp, each<[](double x) { return std::exp(x); }>};
  case OpKind::Exp2:
    return {mpfr_exp2, each<[](double x) { return std::exp2(x); }>};
  case OpKind::Expm1:
    return {mpfr_expm1, each<[](double x) { return std::expm1(x); }>};
  case OpKind::Log:
    return {mpfr_log, each<[](double x) { return std::log(x); }>};
  case OpKind::Log2:
    return {mpfr_log2, each<[](double x) { return std::log2(x); }>};
  case OpKind::Log1p:
    return {mpfr_log1p, each<[](double x) { return std::log1p(x); }>};
  case OpKind::Sin:
    return {mpfr_sin, each<[](double x) { return std::sin(x); }>};
  case OpKind::Cos:
    return {mpfr_cos, each<[](double x) { return std::cos(x); }>};
  case OpKind::Tan:
    return {mpfr_tan, each<[](double x) { return std::tan(x); }>};
  case OpKind::Asin:
    return {mpfr_asin, each<[](double x) { return std::asin(x); }>};
  case OpKind::Acos:
    return {mpfr_acos, each<[](double x) { return std::acos(x); }>};
  case OpKind::Atan:
    return {mpfr_atan, each<[](double x) { return std::atan(x); }>};
  case OpKind::Sinh:
    return {mpfr_sinh, each<[](double x) { return std::sinh(x); }>};
  case OpKind::Cosh:
    return {mpfr_cosh, each<[](double x) { return std::cosh(x); }>};
  case OpKind::Tanh:
    return {mpfr_tanh, each<[](double x) { return std::tanh(x); }>};
  case OpKind::Sigmoid:
    return {mpfrSigmoid, each<[](double x) { return logistic(x); }>};
  case OpKind::Erf:
    return {mpfr_erf, each<[](double x) { return std::erf(x); }>};
  case OpKind::ErfInv:
    return {mpfrInverseErf, each<[](double x) { return inverseErf(x); }>, 0x1p-42};
  case OpKind::Softplus:
    return {mpfrSoftplus,
            each<[](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }>};
  case OpKind::Silu:
    return {mpfrSilu, each<[](double x) { return activation(x, logistic(x)); }>};
  case OpKind::Gelu:
    return {mpfrGelu,
            each<[](double x) { return activation(x, 0.5 * std::erfc(x * -0.70710678118654752)); }>,
            0x1p-40};
  case OpKind::GeluTanh:
    return {mpfrGeluTanh, each<[](double x) {
              return activation(x,
                                logistic(x * (1.5957691216057308 + 0.071354816272600254 * x * x)));
            }>,
            0x1p-40};
  default:
    throw InternalError("findReferenceFunctions: not an elementary function");
  }
}

} // namespace apr::exhaustive
