// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/expansions/angle.h"
#include "ir/expansions/arc.h"
#include "ir/expansions/pow.h"
#include "ir/interp/exact_math.h"
#include "tools/exhaustive/f64_errors.h"
#include "tools/exhaustive/reference.h"
#include "tools/exhaustive/scalar_values.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

namespace apr {
namespace {

using exhaustive::F64BinaryFunction;
using exhaustive::f64BinaryFunctions;
using exhaustive::F64Error;
using exhaustive::F64Function;
using exhaustive::f64Functions;
using exhaustive::Reference;
using scalar::F64;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The input and the error in units in the last place.
std::string describe(const F64Error &error) {
  return fmt::format("{:.4f} at {:a}, {:a}", error.ulps, error.x, error.y);
}

TEST(Formulas, AreWithinTheirBounds) {
  for (const F64Function &function : f64Functions()) {
    F64Error error = measure(function, 12000, 3);
    EXPECT_LE(error.ulps, function.bound) << opInfo(function.kind).mnemonic << describe(error);
    EXPECT_GE(error.inputs, 12000u);
  }
  for (const F64BinaryFunction &function : f64BinaryFunctions()) {
    F64Error error = measure(function, 60000, 4);
    EXPECT_LE(error.ulps, function.bound) << opInfo(function.kind).mnemonic << describe(error);
  }
}

TEST(Formulas, BoundsAreBelowOneUlp) {
  for (const F64Function &function : f64Functions())
    EXPECT_LE(function.bound, 1) << opInfo(function.kind).mnemonic;
  for (const F64BinaryFunction &function : f64BinaryFunctions())
    EXPECT_LE(function.bound, 1) << opInfo(function.kind).mnemonic;
}

/// Every f64 function but sqrt, which is an instruction, has a bound, and the documents state it.
TEST(Formulas, BoundsAreDocumented) {
  std::ifstream file(APR_SOURCE_DIR "/docs/design/elementary_functions.md");
  std::stringstream text;
  text << file.rdbuf();
  std::set<OpKind> bounded;
  auto expectRow = [&](OpKind kind, double bound) {
    bounded.insert(kind);
    std::string row = fmt::format("| {} | {:.2f} |", opInfo(kind).mnemonic, bound);
    EXPECT_NE(text.str().find(row), std::string::npos) << row;
  };
  for (const F64Function &function : f64Functions())
    expectRow(function.kind, function.bound);
  for (const F64BinaryFunction &function : f64BinaryFunctions())
    expectRow(function.kind, function.bound);
  for (OpKind kind : allOps())
    EXPECT_EQ(bounded.contains(kind), (hasExactElementary(kind) && kind != OpKind::Sqrt) ||
                                          opInfo(kind).family == OpFamily::BinaryFloat)
        << opInfo(kind).mnemonic;
}

TEST(Formulas, KeepNaN) {
  for (const F64Function &function : f64Functions())
    EXPECT_TRUE(std::isnan(function.evaluate(kNaN))) << opInfo(function.kind).mnemonic;
}

/// 1 where the value has no neighbours to be between.
double distanceFromBoundary(OpKind kind, double x) {
  auto functions = f64Functions();
  auto function = std::ranges::find(functions, kind, &F64Function::kind);
  double value = function->evaluate(x);
  return std::isnormal(value) ? Reference(kind).roundingDistance(x) : 1;
}

/// The lists of hard cases are such: values that lie within 2^-36 units in the last place of a
/// number or of a boundary between two.
TEST(Formulas, HardCasesAreHard) {
  const std::vector<OpKind> users[] = {{OpKind::Exp, OpKind::Expm1, OpKind::Cosh},
                                       {OpKind::Log, OpKind::Log1p},
                                       {OpKind::Sin, OpKind::Cos}};
  for (const std::vector<OpKind> &kinds : users) {
    auto functions = f64Functions();
    auto cases = std::ranges::find(functions, kinds[0], &F64Function::kind)->hardCases;
    EXPECT_GE(cases.size(), 5u);
    for (double x : cases) {
      double distance = 1;
      for (OpKind kind : kinds)
        distance =
            std::min({distance, distanceFromBoundary(kind, x), distanceFromBoundary(kind, -x)});
      EXPECT_LT(distance, 0x1p-36) << opInfo(kinds[0]).mnemonic << std::hexfloat << " " << x;
    }
  }
}

double power(double x, double y) { return expansions::pow(F64{x}, F64{y}).value; }

struct SpecialCase {
  double x, y, result;
};

void expectSpecialCases(double (*function)(double, double), std::span<const SpecialCase> cases) {
  for (const auto &[x, y, result] : cases) {
    double found = function(x, y);
    EXPECT_TRUE(std::isnan(result) ? std::isnan(found)
                                   : found == result && std::signbit(found) == std::signbit(result))
        << "f(" << x << ", " << y << ") gives " << found << ", not " << result;
  }
}

/// The list of IEEE 754, 9.2.1, and of C, Annex F.10.4.4.
TEST(Formulas, PowHasTheSpecialCasesOfTheStandard) {
  const double inf = kInfinity, nan = kNaN;
  const SpecialCase cases[] = {
      // pow(±0, y), y an odd integer < 0: ±inf
      {0.0, -1, inf},
      {-0.0, -1, -inf},
      {0.0, -3, inf},
      {-0.0, -3, -inf},
      {-0.0, -0x1.fffffffffffffp52, -inf},
      // pow(±0, y), y < 0 finite and no odd integer, or -inf: +inf
      {0.0, -2, inf},
      {-0.0, -2, inf},
      {0.0, -0.5, inf},
      {-0.0, -0.5, inf},
      {-0.0, -0x1p53, inf},
      {0.0, -inf, inf},
      {-0.0, -inf, inf},
      // pow(±0, y), y an odd integer > 0: ±0
      {0.0, 3, 0.0},
      {-0.0, 3, -0.0},
      {-0.0, 0x1.fffffffffffffp52, -0.0},
      // pow(±0, y), y > 0 and no odd integer: +0
      {0.0, 2, 0.0},
      {-0.0, 2, 0.0},
      {-0.0, 0.5, 0.0},
      {-0.0, inf, 0.0},
      {-0.0, 0x1p53, 0.0},
      // pow(-1, ±inf) is 1
      {-1, inf, 1},
      {-1, -inf, 1},
      // pow(1, y) is 1 for any y, even NaN; pow(x, ±0) is 1 for any x, even NaN
      {1, nan, 1},
      {1, inf, 1},
      {1, -inf, 1},
      {1, 0x1p1000, 1},
      {nan, 0.0, 1},
      {nan, -0.0, 1},
      {inf, 0.0, 1},
      {-inf, -0.0, 1},
      {0.0, 0.0, 1},
      {-0.0, -0.0, 1},
      // Other NaN operands
      {nan, 1, nan},
      {nan, inf, nan},
      {nan, nan, nan},
      {2, nan, nan},
      {-1, nan, nan},
      {0.0, nan, nan},
      {inf, nan, nan},
      // pow(x, y), x < 0 finite and y finite, no integer: NaN
      {-1, 0.5, nan},
      {-2, 1.5, nan},
      {-0x1p-1074, -0.5, nan},
      {-0x1.fffffffffffffp1023, 0x1.8p51 + 0.5, nan},
      // pow(x, -inf) and pow(x, +inf) by |x|
      {0.5, -inf, inf},
      {-0.5, -inf, inf},
      {2, -inf, 0.0},
      {-2, -inf, 0.0},
      {0.5, inf, 0.0},
      {-0.5, inf, 0.0},
      {2, inf, inf},
      {-2, inf, inf},
      {1 - 0x1p-53, inf, 0.0},
      {1 + 0x1p-52, inf, inf},
      {inf, inf, inf},
      {-inf, inf, inf},
      {inf, -inf, 0.0},
      {-inf, -inf, 0.0},
      // pow(-inf, y)
      {-inf, -3, -0.0},
      {-inf, -2, 0.0},
      {-inf, -0.5, 0.0},
      {-inf, 3, -inf},
      {-inf, 2, inf},
      {-inf, 0.5, inf},
      // pow(+inf, y)
      {inf, -0.5, 0.0},
      {inf, 0.5, inf},
      {inf, -3, 0.0},
      {inf, 3, inf},
      // Signs, overflow and underflow of odd integers
      {-2, 3, -8},
      {-2, 4, 16},
      {-2, 1025, -inf},
      {-2, -1075, -0.0},
      {-2, -1074, 0x1p-1074},
      {2, -1074, 0x1p-1074},
      {2, 1023, 0x1p1023},
      {2, 1024, inf},
      {-0x1.fffffffffffffp1023, 0x1.fffffffffffffp52, -inf},
      {-0x1.fffffffffffffp1023, -0x1.fffffffffffffp52, -0.0},
      // Exact results
      {3, 33, 5559060566555523},
      {5, 22, 2384185791015625},
      {10, 22, 1e22},
      {4, 0.5, 2},
      {0x1p-1074, 0.5, 0x1p-537},
      {9, -0.5, 1.0 / 3},
  };
  expectSpecialCases(power, cases);
}

double angle(double y, double x) { return expansions::atan2(F64{y}, F64{x}).value; }

/// The list of IEEE 754, 9.2.1, and of C, Annex F.10.1.4; first the ordinate.
TEST(Formulas, Atan2HasTheSpecialCasesOfTheStandard) {
  const double inf = kInfinity, nan = kNaN;
  const double pi = 0x1.921fb54442d18p1;
  const double threeQuarters = 0x1.2d97c7f3321d2p1; // of pi, correctly rounded
  std::vector<SpecialCase> cases;
  for (double sign : {1.0, -1.0})
    for (const SpecialCase &c : std::initializer_list<SpecialCase>{
             // atan2(±0, x): ±pi left of the ordinate, ±0 right of it, by the sign of a zero too
             {0.0, -0.0, pi},
             {0.0, 0.0, 0.0},
             {0.0, -1, pi},
             {0.0, -0x1p-1074, pi},
             {0.0, 1, 0.0},
             {0.0, 0x1p-1074, 0.0},
             {0.0, inf, 0.0},
             {0.0, -inf, pi},
             // atan2(y, ±0)
             {1, 0.0, pi / 2},
             {1, -0.0, pi / 2},
             {0x1p-1074, 0.0, pi / 2},
             {0x1p-1074, -0.0, pi / 2},
             // Infinities
             {1, -inf, pi},
             {1, inf, 0.0},
             {0x1.fffffffffffffp1023, inf, 0.0},
             {inf, 1, pi / 2},
             {inf, -1, pi / 2},
             {inf, 0.0, pi / 2},
             {inf, -0.0, pi / 2},
             {inf, -inf, threeQuarters},
             {inf, inf, pi / 4},
             // The diagonals, from end to end of the range
             {1, 1, pi / 4},
             {1, -1, threeQuarters},
             {0x1p-1074, 0x1p-1074, pi / 4},
             {0x1.fffffffffffffp1023, 0x1.fffffffffffffp1023, pi / 4},
             {0x1.fffffffffffffp1023, -0x1.fffffffffffffp1023, threeQuarters},
             // Quotients that underflow
             {0x1p-1074, 1, 0x1p-1074},
             {0x1p-1074, 2, 0.0},
             {0x1p-1074, 0x1.fffffffffffffp1023, 0.0},
             {0x1p-1074, -1, pi}})
      cases.push_back({sign * c.x, c.y, sign * c.result});
  for (double other : {0.0, 1.0, -1.0, inf, -inf, nan})
    cases.insert(cases.end(), {{nan, other, nan}, {other, nan, nan}});
  expectSpecialCases(angle, cases);
}

/// The f32 forms round the f64 result: correct but where that lies next to a boundary.
TEST(Formulas, F32OfTwoOperandsIsWithinHalfAnUlp) {
  std::mt19937_64 random(8);
  for (const F64BinaryFunction &function : f64BinaryFunctions())
    for (int i = 0; i < 20000; ++i) {
      auto x = std::bit_cast<float>(static_cast<uint32_t>(random()));
      auto y = std::bit_cast<float>(static_cast<uint32_t>(random()));
      if (i % 2 != 0) { // results of ordinary size
        x = std::ldexp(x, -std::ilogb(x) + static_cast<int>(random() % 8));
        y = std::ldexp(y, -std::ilogb(y) + static_cast<int>(random() % 8));
      }
      auto result = static_cast<float>(function.evaluate(x, y));
      double error = function.kind == OpKind::Pow ? exhaustive::powErrorInFloatUlps(x, y, result)
                                                  : exhaustive::atan2ErrorInFloatUlps(x, y, result);
      ASSERT_LE(error, 0.5 + 0x1p-28) << opInfo(function.kind).mnemonic << std::hexfloat << "(" << x
                                      << ", " << y << ") gives " << result;
    }
}

/// The reduction multiplies by 2521/65536 in place of a division by 26.
TEST(Formulas, AngleWindowIsTheQuotient) {
  for (int64_t above = 0; above <= 1022; ++above)
    EXPECT_EQ(above * 2521 >> 16, above / 26);
}

} // namespace
} // namespace apr
