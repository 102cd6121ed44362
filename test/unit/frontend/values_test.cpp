// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What expressions compute, by the interpreter.
#include "test/unit/frontend/compile.h"

#include <cmath>
#include <gtest/gtest.h>

namespace apr::testing {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

Floats floats(const std::string &entry, const std::vector<Tensor> &arguments) {
  Tensor result = evaluate(entry, arguments);
  return result.dtype == DType::F32 ? values<float>(result) : Floats{};
}

Ints ints(const std::string &entry, const std::vector<Tensor> &arguments) {
  Tensor result = evaluate(entry, arguments);
  return result.dtype == DType::I32 ? values<int32_t>(result) : Ints{};
}

const Tensor kMatrix = f32s({2, 3}, {1, 2, 3, 4, 5, 6});
const Tensor kRow = f32s({3}, {10, 20, 30});
const Tensor kColumn = f32s({2}, {-1, 1});

TEST(ValuesTest, BroadcastsTails) {
  EXPECT_EQ(floats("(x: f32[B, 3], r: f32[3]) -> f32[B, 3] = x + r", {kMatrix, kRow}),
            (Floats{11, 22, 33, 14, 25, 36}));
  EXPECT_EQ(floats("(x: f32[B, C], r: f32[C]) -> f32[B, C] = r - x", {kMatrix, kRow}),
            (Floats{9, 18, 27, 6, 15, 24}));
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32[B, 3] = 2 * x - 1", {kMatrix}),
            (Floats{1, 3, 5, 7, 9, 11}));
}

TEST(ValuesTest, BroadcastsOnes) {
  EXPECT_EQ(floats("(x: f32[B, C], c: f32[B]) -> f32[B, C] = x * c[:, none]", {kMatrix, kColumn}),
            (Floats{-1, -2, -3, 4, 5, 6}));
  EXPECT_EQ(
      floats("(a: f32[B], b: f32[C]) -> f32[B, C] = a[:, none] * b[none, :]", {kColumn, kRow}),
      (Floats{-10, -20, -30, 10, 20, 30}));
}

TEST(ValuesTest, KeepsConstantsExact) {
  EXPECT_EQ(floats("(x: f32) -> f32 = x * (1 / 3)", {f32s({}, {1})}), Floats{1.0f / 3});
  EXPECT_EQ(floats("(x: f32) -> f32 = x + (0.1 + 0.2 - 0.3)", {f32s({}, {1})}), Floats{1});
  EXPECT_EQ(floats("(x: f32) -> f32 = x * (2 ** -3 + 7 // 2 + -7 % 4)", {f32s({}, {1})}),
            Floats{4.125f});
  Tensor pi = evaluate("(x: f64) -> f64 = x * pi", {f64s({}, {1})});
  EXPECT_EQ(values<double>(pi), std::vector<double>{M_PI});
}

TEST(ValuesTest, ComputesWithOpenDims) {
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32 = sum(x) / (2 * B + 1)", {kMatrix}), Floats{21.0f / 5});
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32[B, 3] = x / B", {kMatrix}),
            (Floats{0.5f, 1, 1.5f, 2, 2.5f, 3}));
  EXPECT_EQ(ints("(n: i32[B]) -> i32[B] = n + B", {i32s({2}, {1, 2})}), (Ints{3, 4}));
}

TEST(ValuesTest, Reduces) {
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32[B] = mean(x, axis = -1)", {kMatrix}), (Floats{2, 5}));
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32[C] = sum(x, axis = 0)", {kMatrix}), (Floats{5, 7, 9}));
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32[B, 1] = max(x, axis = 1, keep = true)", {kMatrix}),
            (Floats{3, 6}));
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32 = min(x)", {kMatrix}), Floats{1});
  EXPECT_EQ(ints("(x: f32[B, C]) -> i32[B] = argmax(x)", {kMatrix}), (Ints{2, 2}));
  EXPECT_EQ(ints("(x: f32[B, C]) -> i32 = sum(x > 2)", {kMatrix}), Ints{4});
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32 = mean(x > 2)", {kMatrix}), Floats{4.0f / 6});
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32[B] { let (m, v) = moments(x, axis = 1); 3 * v + m }",
                   {kMatrix}),
            (Floats{4, 7}));
}

TEST(ValuesTest, MultipliesMatrices) {
  Tensor weights = f32s({3, 2}, {1, 0, 0, 1, 1, 1});
  EXPECT_EQ(floats("(x: f32[B, K], w: f32[K, N]) -> f32[B, N] = x @ w", {kMatrix, weights}),
            (Floats{4, 5, 10, 11}));
  EXPECT_EQ(floats("(x: f32[B, K], w: f32[N, K]) -> f32[B, N] = x @ transpose(w)",
                   {kMatrix, f32s({1, 3}, {1, 1, 1})}),
            (Floats{6, 15}));
  EXPECT_EQ(floats("(x: f32[K], w: f32[K, N]) -> f32[N] = x @ w", {kRow, weights}),
            (Floats{40, 50}));
  EXPECT_EQ(floats("(x: f32[M, K], v: f32[K]) -> f32[M] = x @ v", {kMatrix, kRow}),
            (Floats{140, 320}));
  EXPECT_EQ(floats("(a: f32[B, M, K], b: f32[B, K, N]) -> f32[B, M, N] = a @ b",
                   {f32s({2, 1, 2}, {1, 2, 3, 4}), f32s({2, 2, 1}, {1, 1, 2, 2})}),
            (Floats{3, 14}));
  EXPECT_EQ(floats("(a: f32[M, K], b: f32[B, K, N]) -> f32[B, M, N] = a @ b",
                   {f32s({1, 2}, {1, 2}), f32s({2, 2, 1}, {1, 1, 2, 2})}),
            (Floats{3, 6}));
}

TEST(ValuesTest, Indexes) {
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32[B] = x[:, -1]", {kMatrix}), (Floats{3, 6}));
  EXPECT_EQ(floats("(x: f32[2, 3]) -> f32[3] = x[1]", {kMatrix}), (Floats{4, 5, 6}));
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32[B, 2] = x[.., ::2]", {kMatrix}), (Floats{1, 3, 4, 6}));
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32[B, 1, 2] = x[:, none, 1:]", {kMatrix}),
            (Floats{2, 3, 5, 6}));
  EXPECT_EQ(floats("(x: f32[B, 3], i: i32[N]) -> f32[N, 3] = x[i]", {kMatrix, i32s({2}, {1, 0})}),
            (Floats{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(
      floats("(x: f32[B, 3], i: i32[N]) -> f32[B, N] = x[:, i]", {kMatrix, i32s({2}, {2, 0})}),
      (Floats{3, 1, 6, 4}));
  EXPECT_EQ(
      floats("(x: f32[B, C], i: i32[B]) -> f32[B] = pick(x, i)", {kMatrix, i32s({2}, {2, 0})}),
      (Floats{3, 4}));
  EXPECT_EQ(floats("(i: i32[B]) -> f32[B, 3] = one_hot(i, 3)", {i32s({2}, {2, 0})}),
            (Floats{0, 0, 1, 1, 0, 0}));
}

TEST(ValuesTest, MovesElements) {
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32[C, B] = transpose(x)", {kMatrix}),
            (Floats{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(floats("(x: f32[B, C]) -> f32[2 * B, C] = concat([x, -x])", {kMatrix}),
            (Floats{1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6}));
  EXPECT_EQ(floats("(x: f32[3]) -> f32[3, 2] = stack([x, 2 * x], axis = 1)", {kRow}),
            (Floats{10, 20, 20, 40, 30, 60}));
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32[B, 1] { let (a, b, c) = split(x, 3); a + c }", {kMatrix}),
            (Floats{4, 10}));
  EXPECT_EQ(floats("(x: f32[B, 3]) -> f32[3 * B] = reshape(x, [3 * B])", {kMatrix}),
            (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(floats("(x: f32[3]) -> f32[2, 3] = broadcast(x, [2, 3])", {kRow}),
            (Floats{10, 20, 30, 10, 20, 30}));
}

TEST(ValuesTest, RearrangesByName) {
  EXPECT_EQ(floats("(x: f32[B, 4]) -> f32[2, B, 2] = rearrange(x, \"b (h d) -> h b d\", h = 2)",
                   {f32s({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})}),
            (Floats{1, 2, 5, 6, 3, 4, 7, 8}));
  EXPECT_EQ(floats("(x: f32[B, 1, C]) -> f32[C * B] = rearrange(x, \"b 1 c -> (c b)\")",
                   {f32s({2, 1, 2}, {1, 2, 3, 4})}),
            (Floats{1, 3, 2, 4}));
}

TEST(ValuesTest, ChoosesAtCompileTimeAndAtRunTime) {
  EXPECT_EQ(floats("(x: f32[2]) -> f32[2] = where(x > 0, 1, -x)", {kColumn}), (Floats{1, 1}));
  EXPECT_EQ(floats("(x: f32[2]) -> f32[2] = if 2 > 1 and real == f32 { 2 * x } else { x @ x[0] }",
                   {kColumn}),
            (Floats{-2, 2}));
  EXPECT_EQ(floats("(x: f32[2]) -> f32[2] = if training { x } else { 3 * x }", {kColumn}),
            (Floats{-3, 3}));
}

TEST(ValuesTest, RunsTheLibrary) {
  Floats soft = floats("(x: f32[B, C]) -> f32[B, C] = softmax(x)", {kMatrix});
  ASSERT_EQ(soft.size(), 6u);
  EXPECT_NEAR(soft[0] + soft[1] + soft[2], 1, 1e-6);
  EXPECT_NEAR(soft[2] / soft[1], std::exp(1.0), 1e-5);
  Floats loss = floats("(z: f32[B, C], y: i32[B]) -> f32 = cross_entropy(z, y)",
                       {kMatrix, i32s({2}, {2, 2})});
  ASSERT_EQ(loss.size(), 1u);
  EXPECT_NEAR(loss[0], std::log(1 + std::exp(-1.0) + std::exp(-2.0)), 1e-6);
  Floats same = floats("(z: f32[B, C], y: i32[B]) -> f32 = cross_entropy(z, one_hot(y, C))",
                       {kMatrix, i32s({2}, {2, 2})});
  EXPECT_EQ(same, loss);
  Floats gelus = floats("(x: f32[2]) -> f32[2] = gelu(x)", {kColumn});
  EXPECT_NEAR(gelus[1], 0.8413447, 1e-6);
  Floats tanhs = floats("(x: f32[2]) -> f32[2] = gelu_tanh(x)", {kColumn});
  EXPECT_NEAR(tanhs[1], 0.8411920, 1e-6);
  Floats bce = floats("(z: f32[2], y: f32[2]) -> f32 = bce_with_logits(z, y)",
                      {f32s({2}, {-1000, 1000}), f32s({2}, {0, 1})});
  EXPECT_EQ(bce, Floats{0});
  EXPECT_NEAR(floats("(x: f32[B, C]) -> f32 = logsumexp(x)", {kMatrix})[0], 6.4561934, 1e-5);
  EXPECT_EQ(floats("(x: f32[2]) -> f32[2] = relu(x)", {kColumn}), (Floats{0, 1}));
  EXPECT_EQ(floats("(x: f32[2]) -> f32[2] = leaky_relu(x)", {kColumn}), (Floats{-0.01f, 1}));
  EXPECT_EQ(floats("(x: f32[2]) -> f32[2] = clamp(x, -0.5, 0.25)", {kColumn}),
            (Floats{-0.5f, 0.25f}));
}

TEST(ValuesTest, ExpandsWholePowers) {
  EXPECT_EQ(floats("(x: f32[3]) -> f32[3] = x ** 3", {kRow}), (Floats{1000, 8000, 27000}));
  EXPECT_EQ(floats("(x: f32[3]) -> f32[3] = x ** -1", {kRow}),
            (Floats{1.0f / 10, 1.0f / 20, 1.0f / 30}));
  EXPECT_EQ(floats("(x: f32[3]) -> f32[3] = (x - 10) ** 0", {kRow}), (Floats{1, 1, 1}));
  EXPECT_EQ(floats("(x: f32[3]) -> f32[3] = (10 * x) ** 0.5", {kRow}),
            (Floats{10, std::sqrt(200.0f), std::sqrt(300.0f)}));
}

TEST(ValuesTest, ChecksOpenSizesAtTheCall) {
  Compiled compiled =
      compile("model M {\n"
              "  entry f(x: f32[B]) -> f32[4] = x[:4]\n"
              "  entry g(x: f32[B]) -> f32[B // 2] { let (a, b) = split(x, 2); a + b }\n"
              "}\n");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  EXPECT_EQ(values<float>(compiled.run("f", {f32s({5}, {1, 2, 3, 4, 5})})[0]),
            (Floats{1, 2, 3, 4}));
  std::vector<Tensor> shorter{f32s({3}, {1, 2, 3})};
  EXPECT_FALSE(interpretFunction(*compiled.module->findFunction("f"), shorter));
  EXPECT_FALSE(interpretFunction(*compiled.module->findFunction("g"), shorter));
  EXPECT_EQ(values<float>(compiled.run("g", {f32s({4}, {1, 2, 3, 4})})[0]), (Floats{4, 6}));
}

} // namespace
} // namespace apr::testing
