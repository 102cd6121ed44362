// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/f64_inputs.h"

#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace apr::exhaustive {
namespace {

using Random = std::mt19937_64;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLargest = std::numeric_limits<double>::max();

// Where something ends or changes, in one function or another.
constexpr double kEdges[] = {0.0,
                             0x1p-1074,
                             0x1p-1022,
                             0x1p-600,
                             0x1p-500,
                             0x1p-120,
                             0x1p-60,
                             0x1p-54,
                             0x1p-53,
                             0x1p-30,
                             0x1p-28,
                             0x1p-27,
                             0.25,
                             0.34657359027997264,
                             0.41421356237309503,
                             0.5,
                             0.70710678118654752,
                             0.84,
                             0.99,
                             1.0,
                             1.0397207708399179,
                             1.4142135623730951,
                             1.5707963267948966,
                             2.0,
                             2.414213562373095,
                             3.0,
                             3.1415926535897931,
                             4.0,
                             6.0,
                             9.0,
                             16.0,
                             19.06154746539849,
                             21.3,
                             22.0,
                             36.7,
                             37.5,
                             38.4,
                             38.57,
                             39.5,
                             40.0,
                             44.0,
                             54.0,
                             60.0,
                             708.39641853226408,
                             709.0895657128241,
                             709.782712893384,
                             710.4758600739439,
                             713.0,
                             720.0,
                             745.13321910194122,
                             746.0,
                             800.0,
                             1022.0,
                             1023.0,
                             1024.0,
                             1074.0,
                             1075.0,
                             1080.0,
                             0x1p26,
                             0x1p52,
                             0x1p53,
                             0x1p70,
                             0x1p400,
                             0x1p500,
                             0x1p996,
                             kLargest,
                             kInfinity};

double uniform(Random &random, double low, double high) {
  return low + (high - low) * (static_cast<double>(random() >> 11) * 0x1p-53);
}

double anyOf(Random &random, std::span<const double> values) {
  return values[random() % values.size()];
}

double withRandomSign(Random &random, double x) { return random() % 2 ? -x : x; }

/// The number so many steps of the last place away; zero and infinity end the way.
double stepped(double x, int64_t steps) {
  auto magnitude = std::bit_cast<int64_t>(std::fabs(x)) + steps;
  magnitude = std::clamp<int64_t>(magnitude, 0, std::bit_cast<int64_t>(kInfinity));
  return std::copysign(std::bit_cast<double>(magnitude), x);
}

/// A number as close to x as 2^-1 to 2^-52 of it.
double near(Random &random, double x) {
  auto reach = int64_t(1) << (random() % 52);
  return stepped(x, static_cast<int64_t>(random() % static_cast<uint64_t>(2 * reach + 1)) - reach);
}

/// Every exponent is as likely.
double anyNumber(Random &random) { return std::bit_cast<double>(random()); }

/// The f64 nearest to a random multiple of pi/2, up to 2^1023.
double multipleOfHalfPi(Random &random) {
  mpfr_t pi, product;
  mpfr_inits2(1200, pi, product, nullptr);
  mpfr_const_pi(pi, MPFR_RNDN);
  auto factor = std::ldexp(static_cast<double>(random() % 4096 + 1),
                           random() % 2 ? 0 : static_cast<int>(random() % 1010));
  mpfr_mul_d(product, pi, factor / 2, MPFR_RNDN);
  double result = mpfr_get_d(product, MPFR_RNDN);
  mpfr_clears(pi, product, nullptr);
  return withRandomSign(random, result);
}

} // namespace

void forEachF64Input(const F64Function &function, uint64_t count, uint64_t seed,
                     const std::function<void(double)> &visit) {
  uint64_t visited = 0;
  auto visitBoth = [&](double x) {
    visit(x);
    visit(-x);
    visited += 2;
  };
  for (double edge : kEdges)
    for (int64_t step = -3; step <= 3; ++step)
      visitBoth(stepped(edge, step));
  for (double x : function.hardCases)
    visitBoth(x);
  for (double end : {function.low, function.high})
    for (int64_t step = -3; step <= 3; ++step)
      visitBoth(stepped(end, step));
  visit(kNaN);
  Random random(seed);
  for (; visited < count; visited += 5) {
    visit(uniform(random, function.low, function.high));
    visit(uniform(random, function.low, function.high) *
          std::ldexp(1, -static_cast<int>(random() % 64)));
    visit(anyNumber(random));
    visit(near(random, withRandomSign(random, anyOf(random, kEdges))));
    visit(stepped(multipleOfHalfPi(random), static_cast<int64_t>(random() % 5) - 2));
  }
}

namespace {

// IEEE 754 and C Annex F name these, and what is next to them.
constexpr double kSpecial[] = {
    0.0,     -0.0,     1.0,        -1.0,       1.5,         -1.5,        2.0,
    -2.0,    3.0,      -3.0,       0.5,        -0.5,        kInfinity,   -kInfinity,
    kNaN,    kLargest, -kLargest,  0x1p-1074,  -0x1p-1074,  0x1p-1022,   -0x1p-1022,
    0x1p53,  -0x1p53,  0x1p53 - 1, 0x1p53 + 2, 1 - 0x1p-53, 1 + 0x1p-52, 1024.0,
    -1074.0, -1075.0,  0x1p500,    0x1p-300,   0x1.8p501,   -1023.0,     -1 - 0x1p-52};

/// A random sign and exponent too, where the result stays within reach.
void visitPower(Random &random, const std::function<void(double, double)> &visit) {
  double base = std::exp2(uniform(random, -1, 1) * (random() % 2 ? 1 : 1020));
  double logarithm = std::log2(base);
  visit(base, uniform(random, -1090, 1040) / logarithm);
  // Subnormal results, and those about to overflow.
  visit(base, uniform(random, -1080, -1015) / logarithm);
  visit(base, uniform(random, 1020, 1025) / logarithm);
  double close = near(random, 1.0);
  double closeLog = std::log2(close);
  visit(close, closeLog == 0 ? 0x1p60 : uniform(random, -1080, 1026) / closeLog);
  // Whole and half exponents: signs, and results that are exact or halfway.
  auto whole = static_cast<double>(static_cast<int64_t>(random() % 129) - 64);
  visit(withRandomSign(random, static_cast<double>(random() % 1000)), whole);
  visit(withRandomSign(random, uniform(random, 0, 4)), random() % 2 ? whole : whole / 2);
  visit(0.999, static_cast<double>(random() % 100000)); // bias corrections of optimizers
  visit(anyNumber(random), anyNumber(random));
}

void visitPoint(Random &random, const std::function<void(double, double)> &visit) {
  visit(uniform(random, -1, 1), uniform(random, -1, 1));
  visit(anyNumber(random), anyNumber(random));
  double x = anyNumber(random);
  visit(x * uniform(random, -2, 2), x);
  visit(x * std::ldexp(uniform(random, -1, 1), static_cast<int>(random() % 160) - 80), x);
  visit(near(random, x), withRandomSign(random, x));                        // diagonals
  visit(std::ldexp(uniform(random, -1, 1), -1000), uniform(random, -1, 1)); // the abscissa
  visit(uniform(random, -1, 1), std::ldexp(uniform(random, -1, 1), -60));
  // Subnormal quotients.
  visit(std::ldexp(uniform(random, -1, 1), -1000),
        std::ldexp(uniform(random, 0.5, 1), 40 + static_cast<int>(random() % 50)));
}

} // namespace

void forEachF64Pair(const F64BinaryFunction &function, uint64_t count, uint64_t seed,
                    const std::function<void(double, double)> &visit) {
  for (double x : kSpecial)
    for (double y : kSpecial)
      visit(x, y);
  Random random(seed);
  for (uint64_t visited = std::size(kSpecial) * std::size(kSpecial); visited < count; visited += 8)
    if (function.kind == OpKind::Pow)
      visitPower(random, visit);
    else
      visitPoint(random, visit);
}

} // namespace apr::exhaustive
