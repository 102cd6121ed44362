// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/builder.h"
#include "ir/expansions/activations.h"
#include "ir/expansions/angle.h"
#include "ir/expansions/arc.h"
#include "ir/expansions/erfinv.h"
#include "ir/expansions/expansions.h"
#include "ir/expansions/formulas.h"
#include "ir/expansions/pow.h"
#include "ir/interp/interpreter.h"
#include "tools/exhaustive/scalar_values.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace apr {
namespace {

using scalar::F64;

constexpr int64_t kCount = 512;

std::vector<double> operands(uint64_t seed) {
  std::vector<double> values = {0.0,   -0.0,   1.0,  -1.0, 0x1p-1074, 1e300,     -1e-300,
                                709.5, -740.0, 40.5, 0.75, HUGE_VAL,  -HUGE_VAL, std::nan("")};
  std::mt19937_64 random(seed);
  while (values.size() < kCount) {
    values.push_back(std::bit_cast<double>(random()));
    values.push_back(static_cast<double>(static_cast<int64_t>(random())) * 0x1p-60);
  }
  values.resize(kCount);
  return values;
}

Tensor tensorOf(const std::vector<double> &values) {
  Tensor tensor = Tensor::zeros(DType::F64, {kCount});
  std::ranges::copy(values, tensor.elements<double>().begin());
  return tensor;
}

int64_t canonicalBits(double x) { return bitsOf(F64{x}).value; }

/// Runs one op on f64 vectors, as the op and as its expansion.
std::vector<double> runBothWays(OpKind kind, const std::vector<Tensor> &arguments) {
  Graph graph;
  Builder builder(graph);
  std::vector<ValueId> values;
  for (size_t i = 0; i < arguments.size(); ++i)
    values.push_back(graph.addArgument({DType::F64, {Dim(kCount)}}));
  graph.results = {builder.create(kind, values)};
  EXPECT_TRUE(hasExpansion(graph, graph.ops().front()));
  Graph expansion = expansionOf(graph, graph.ops().front());
  for (const Op &op : expansion.ops())
    EXPECT_FALSE(hasExpansion(expansion, op)) << opInfo(op.kind).mnemonic;
  auto direct = interpret(graph, arguments, {});
  auto expanded = interpret(expansion, arguments, {});
  if (!direct || !expanded) {
    ADD_FAILURE() << (direct ? expanded.error() : direct.error());
    return std::vector<double>(kCount);
  }
  EXPECT_EQ((*direct)[0].data, (*expanded)[0].data) << opInfo(kind).mnemonic;
  auto elements = (*expanded)[0].elements<double>();
  return {elements.begin(), elements.end()};
}

struct Function {
  OpKind kind;
  F64 (*formula)(F64);
};

/// The graph does what the formula does over plain numbers, which MPFR has judged.
TEST(Expansions, GraphsComputeTheFormulas) {
  const Function functions[] = {
      {OpKind::Exp, expansions::exp},           {OpKind::Expm1, expansions::expm1},
      {OpKind::Log, expansions::log},           {OpKind::Log1p, expansions::log1p},
      {OpKind::Tanh, expansions::tanh},         {OpKind::Sigmoid, expansions::sigmoid},
      {OpKind::Erf, expansions::erf},           {OpKind::Sin, expansions::sin},
      {OpKind::Cos, expansions::cos},           {OpKind::Rsqrt, expansions::rsqrt},
      {OpKind::Exp2, expansions::exp2},         {OpKind::Log2, expansions::log2},
      {OpKind::Tan, expansions::tan},           {OpKind::Asin, expansions::asin},
      {OpKind::Acos, expansions::acos},         {OpKind::Atan, expansions::atan},
      {OpKind::Sinh, expansions::sinh},         {OpKind::Cosh, expansions::cosh},
      {OpKind::ErfInv, expansions::erfinv},     {OpKind::Softplus, expansions::softplus},
      {OpKind::Silu, expansions::silu},         {OpKind::Gelu, expansions::gelu},
      {OpKind::GeluTanh, expansions::geluTanh},
  };
  auto x = operands(1);
  for (const Function &function : functions) {
    auto results = runBothWays(function.kind, {tensorOf(x)});
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(canonicalBits(results[i]), canonicalBits(function.formula(F64{x[i]}).value))
          << opInfo(function.kind).mnemonic << std::hexfloat << "(" << x[i] << ")";
  }
}

struct BinaryFunction {
  OpKind kind;
  F64 (*formula)(F64, F64);
};

TEST(Expansions, BinaryGraphsComputeTheFormulas) {
  const BinaryFunction functions[] = {{OpKind::Pow, expansions::pow},
                                      {OpKind::Atan2, expansions::atan2}};
  auto x = operands(2), y = operands(3);
  for (const BinaryFunction &function : functions) {
    auto results = runBothWays(function.kind, {tensorOf(x), tensorOf(y)});
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(canonicalBits(results[i]),
                canonicalBits(function.formula(F64{x[i]}, F64{y[i]}).value))
          << opInfo(function.kind).mnemonic << std::hexfloat << "(" << x[i] << ", " << y[i] << ")";
  }
}

std::vector<double> draw(OpKind kind, DType dtype, int64_t count) {
  Graph graph;
  Builder builder(graph);
  std::vector<ValueId> key;
  for (int i = 0; i < 3; ++i)
    key.push_back(graph.addArgument({DType::I64, {}}));
  graph.results = {builder.create(kind, key, {{AttrKey::Stream, std::string("noise")}},
                                  Type{dtype, {Dim(count)}})};
  std::vector<Tensor> arguments = {Tensor::scalar<int64_t>(DType::I64, 42),
                                   Tensor::scalar<int64_t>(DType::I64, 7),
                                   Tensor::scalar<int64_t>(DType::I64, 0)};
  auto direct = interpret(graph, arguments, {});
  auto expanded = interpret(expansionOf(graph, graph.ops().front()), arguments, {});
  if (!direct || !expanded) {
    ADD_FAILURE() << (direct ? expanded.error() : direct.error());
    return {};
  }
  EXPECT_EQ((*direct)[0].data, (*expanded)[0].data);
  std::vector<double> values;
  if (dtype == DType::F32)
    for (float v : (*direct)[0].elements<float>())
      values.push_back(v);
  else
    for (double v : (*direct)[0].elements<double>())
      values.push_back(v);
  return values;
}

class RandomDraws : public testing::TestWithParam<DType> {};

TEST_P(RandomDraws, UniformFillsTheUnitInterval) {
  auto values = draw(OpKind::Uniform, GetParam(), 20000);
  double mean = 0;
  for (double v : values) {
    ASSERT_GE(v, 0);
    ASSERT_LT(v, 1);
    mean += v / static_cast<double>(values.size());
  }
  EXPECT_NEAR(mean, 0.5, 0.01); // five standard deviations
}

TEST_P(RandomDraws, NormalHasUnitVariance) {
  auto values = draw(OpKind::Normal, GetParam(), 20000);
  double mean = 0, square = 0, fourth = 0;
  for (double v : values) {
    ASSERT_TRUE(std::isfinite(v));
    mean += v / static_cast<double>(values.size());
    square += v * v / static_cast<double>(values.size());
    fourth += v * v * v * v / static_cast<double>(values.size());
  }
  EXPECT_NEAR(mean, 0, 0.036);
  EXPECT_NEAR(square, 1, 0.05);
  EXPECT_NEAR(fourth, 3, 0.35);
}

INSTANTIATE_TEST_SUITE_P(Floats, RandomDraws, testing::Values(DType::F32, DType::F64),
                         [](const auto &info) { return std::string(name(info.param)); });

} // namespace
} // namespace apr
