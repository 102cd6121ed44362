// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of rewrite-values against f64, with the error bounds that follow from their operations.
#include "ir/builder.h"
#include "ir/interp/interpreter.h"
#include "passes/rewrite_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace apr {
namespace {

struct PowerRule {
  double exponent;
  double roundings; ///< of 2^-24 relative each, that reach the result
};

/// pow(x, exponent) after rewrite-values, for a vector of f32.
std::vector<float> rewrittenPowers(const std::vector<float> &x, double exponent) {
  Module module;
  Graph &graph = module.functions.emplace_back().graph;
  Type type{DType::F32, {Dim(int64_t(x.size()))}};
  ValueId argument = graph.addArgument(type);
  Builder b(graph);
  graph.results = {b.binary(OpKind::Pow, argument, b.splat(type, exponent))};
  Diagnostics diagnostics;
  rewriteValues(module, {}, diagnostics);
  for (const Op &op : module.functions.front().graph.ops())
    EXPECT_NE(op.kind, OpKind::Pow);
  Tensor tensor = Tensor::zeros(DType::F32, {int64_t(x.size())});
  std::copy(x.begin(), x.end(), tensor.elements<float>().begin());
  auto results = interpret(module.functions.front().graph, std::vector<Tensor>{tensor}, {});
  EXPECT_TRUE(results) << (results ? "" : results.error());
  if (!results)
    return {};
  auto elements = (*results)[0].elements<float>();
  return {elements.begin(), elements.end()};
}

class PowerRules : public testing::TestWithParam<PowerRule> {};

TEST_P(PowerRules, StayWithinTheirBound) {
  auto [exponent, roundings] = GetParam();
  std::mt19937_64 engine(3);
  std::vector<float> x;
  bool takesNegative = exponent == std::floor(exponent);
  for (int i = 0; i < 20000; ++i) {
    double mantissa = 1 + double(engine() >> 11) * 0x1p-53;
    float value = float(std::ldexp(mantissa, int(engine() % 40) - 20));
    x.push_back(takesNegative && engine() % 2 ? -value : value);
  }
  std::vector<float> powers = rewrittenPowers(x, exponent);
  ASSERT_EQ(powers.size(), x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    double exact = std::pow(double(x[i]), exponent);
    // The f64 power is off by far less than the slack of 1e-6.
    ASSERT_LE(std::fabs(double(powers[i]) - exact),
              std::fabs(exact) * roundings * 0x1p-24 * (1 + 1e-6))
        << x[i] << "^" << exponent;
  }
}

// A rounding of the square counts twice in x^4 and once in x^-2.
INSTANTIATE_TEST_SUITE_P(All, PowerRules,
                         testing::Values(PowerRule{0, 0}, PowerRule{1, 0}, PowerRule{2, 1},
                                         PowerRule{3, 2}, PowerRule{4, 3}, PowerRule{-1, 1},
                                         PowerRule{-2, 2}, PowerRule{0.5, 1}, PowerRule{-0.5, 1}));

} // namespace
} // namespace apr
