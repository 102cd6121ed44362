// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/expansions/activations.h"
#include "ir/expansions/angle.h"
#include "ir/expansions/arc.h"
#include "ir/expansions/erfinv.h"
#include "ir/expansions/formulas.h"
#include "ir/expansions/pow.h"
#include "test/unit/functions/scalar_values.h"
#include "tools/exhaustive/reference.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace apr {
namespace {

using exhaustive::atan2ErrorInUlps;
using exhaustive::powErrorInUlps;
using exhaustive::Reference;
using scalar::F64;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Function {
  OpKind kind;
  F64 (*formula)(F64);
  double low, high; ///< where it is interesting
};

const Function kFunctions[] = {
    {OpKind::Exp, expansions::exp, -746, 711},
    {OpKind::Expm1, expansions::expm1, -3, 3},
    {OpKind::Log, expansions::log, 0.2, 4},
    {OpKind::Log1p, expansions::log1p, -1, 3},
    {OpKind::Tanh, expansions::tanh, -4, 4},
    {OpKind::Sigmoid, expansions::sigmoid, -45, 40},
    {OpKind::Erf, expansions::erf, -6, 6},
    {OpKind::Sin, expansions::sin, -100, 100},
    {OpKind::Cos, expansions::cos, -100, 100},
    {OpKind::Rsqrt, expansions::rsqrt, 0, 10},
    {OpKind::Exp2, expansions::exp2, -1076, 1025},
    {OpKind::Log2, expansions::log2, 0.2, 4},
    {OpKind::Tan, expansions::tan, -100, 100},
    {OpKind::Asin, expansions::asin, -1, 1},
    {OpKind::Acos, expansions::acos, -1, 1},
    {OpKind::Atan, expansions::atan, -10, 10},
    {OpKind::Sinh, expansions::sinh, -5, 5},
    {OpKind::Cosh, expansions::cosh, -5, 5},
    {OpKind::ErfInv, expansions::erfinv, -1, 1},
    {OpKind::Softplus, expansions::softplus, -50, 70},
    {OpKind::Silu, expansions::silu, -50, 70},
    {OpKind::Gelu, expansions::gelu, -40, 10},
    {OpKind::GeluTanh, expansions::geluTanh, -25, 10},
};

void expectWithinOneUlp(const Function &function, Reference &reference, double x) {
  double result = function.formula(F64{x}).value;
  ASSERT_LE(reference.errorInUlps(x, result), 1)
      << opInfo(function.kind).mnemonic << std::hexfloat << "(" << x << ") gives " << result;
}

TEST(Formulas, AreWithinOneUlp) {
  std::mt19937_64 random(3);
  for (const Function &function : kFunctions) {
    Reference reference(function.kind);
    std::uniform_real_distribution<double> uniform(function.low, function.high);
    for (int i = 0; i < 8000; ++i) {
      expectWithinOneUlp(function, reference, uniform(random));
      expectWithinOneUlp(function, reference, std::bit_cast<double>(random()));
      int exponent = static_cast<int>(random() % 60);
      expectWithinOneUlp(function, reference, std::ldexp(uniform(random), -exponent));
    }
  }
}

TEST(Formulas, AreRightAtTheEdges) {
  for (const Function &function : kFunctions) {
    Reference reference(function.kind);
    for (double x :
         {0.0, 1.0, 0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp1023, kInfinity, 709.782712893384,
          709.7827128933841, 745.1332191019411, 745.1332191019412, 0.84, 6.0, 40.0,
          // pi/2 and pi rounded, and the f64 closest to a multiple of pi/2
          0x1.921fb54442d18p0, 0x1.921fb54442d18p1, 0x1.6ac5b262ca1ffp849,
          // ends of the ranges of asin, erfinv, sinh, exp2 and the activations
          0.5, 0x1.fffffffffffffp-1, 0x1.fffffffffffffp-2, 0.99, 710.4758600739439,
          710.475860073944, 1024.0, 1074.0, 1075.0, 21.3, 22.0, 38.4, 39.5, 60.0, 0x1p-30,
          0x1p-600})
      for (double sign : {1.0, -1.0})
        expectWithinOneUlp(function, reference, sign * x);
    EXPECT_TRUE(std::isnan(function.formula(F64{kNaN}).value));
  }
}

double power(double x, double y) { return expansions::pow(F64{x}, F64{y}).value; }

TEST(Formulas, PowHasTheSpecialCasesOfTheStandard) {
  const double special[] = {0.0,
                            -0.0,
                            1.0,
                            -1.0,
                            2,
                            -2,
                            3,
                            -3,
                            0.5,
                            -0.5,
                            1.5,
                            kInfinity,
                            -kInfinity,
                            kNaN,
                            0x1p-1074,
                            -0x1p-1074,
                            0x1p53,
                            0x1p53 + 2,
                            0x1.fffffffffffffp1023,
                            1 - 0x1p-53,
                            1 + 0x1p-52,
                            1024,
                            -1074,
                            -1075};
  for (double x : special)
    for (double y : special)
      EXPECT_LE(powErrorInUlps(x, y, power(x, y)), 1)
          << std::hexfloat << "pow(" << x << ", " << y << ") gives " << power(x, y);
}

TEST(Formulas, PowIsWithinOneUlp) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> unit(0, 1);
  auto check = [](double x, double y) {
    ASSERT_LE(powErrorInUlps(x, y, power(x, y)), 1)
        << std::hexfloat << "pow(" << x << ", " << y << ") gives " << power(x, y);
  };
  for (int i = 0; i < 8000; ++i) {
    check(std::exp(20 * (unit(random) - 0.5)), 200 * (unit(random) - 0.5));
    double x = std::exp(1400 * (unit(random) - 0.5));
    check(x, 1490 * (unit(random) - 0.5) / std::log(x)); // the whole range of results
    check(0.9 + 0.2 * unit(random), 15000 * (unit(random) - 0.5));
    check(0.999, static_cast<double>(random() % 100000)); // bias corrections
  }
}

double angle(double y, double x) { return expansions::atan2(F64{y}, F64{x}).value; }

TEST(Formulas, Atan2HasTheSpecialCasesOfTheStandard) {
  const double special[] = {0.0,       -0.0,       1.0,
                            -1.0,      1.5,        -1.5,
                            kInfinity, -kInfinity, kNaN,
                            0x1p-1074, -0x1p-1074, 0x1.fffffffffffffp1023,
                            0x1p-1022, -0x1p-1022, -0x1.fffffffffffffp1023,
                            0x1p500,   0x1p-300,   0x1.8p501};
  for (double y : special)
    for (double x : special)
      EXPECT_LE(atan2ErrorInUlps(y, x, angle(y, x)), 1)
          << std::hexfloat << "atan2(" << y << ", " << x << ") gives " << angle(y, x);
}

TEST(Formulas, Atan2IsWithinOneUlp) {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<double> unit(-1, 1);
  auto check = [](double y, double x) {
    if (std::isnan(x) || std::isnan(y))
      return;
    ASSERT_LE(atan2ErrorInUlps(y, x, angle(y, x)), 1)
        << std::hexfloat << "atan2(" << y << ", " << x << ") gives " << angle(y, x);
  };
  for (int i = 0; i < 8000; ++i) {
    check(unit(random), unit(random));
    check(std::bit_cast<double>(random()), std::bit_cast<double>(random()));
    double x = std::bit_cast<double>(random()); // quotients of every size
    check(x * std::ldexp(unit(random), static_cast<int>(random() % 160) - 80), x);
  }
}

/// The reduction multiplies by 2521/65536 in place of a division by 26.
TEST(Formulas, AngleWindowIsTheQuotient) {
  for (int64_t above = 0; above <= 1022; ++above)
    EXPECT_EQ(above * 2521 >> 16, above / 26);
}

} // namespace
} // namespace apr
