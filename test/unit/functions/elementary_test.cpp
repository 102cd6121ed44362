// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"
#include "ir/interp/exact_math.h"
#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/native_code.h"
#include "tools/exhaustive/reference.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace apr {
namespace {

using exhaustive::compileElementary;
using exhaustive::Reference;

uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }

std::vector<OpKind> elementaryKinds() {
  std::vector<OpKind> kinds;
  for (OpKind kind : allOps())
    if (isElementary(kind))
      kinds.push_back(kind);
  return kinds;
}

/// Zeros, infinities, NaNs, ends of the exponent range, where functions saturate, neighbours of
/// multiples of pi/2, then random bit patterns and random numbers of ordinary size.
std::vector<float> interestingOperands() {
  std::vector<float> operands;
  for (float x : {0.0f,
                  0x1p-149f,
                  0x1p-126f,
                  0x1.fffffcp-127f,
                  0x1p-60f,
                  0x1p-25f,
                  0x1p-13f,
                  0.25f,
                  0.5f,
                  0.70710677f,
                  1.0f,
                  1.4142135f,
                  2.0f,
                  3.1415927f,
                  1.5707964f,
                  3.9192059f,
                  4.0f,
                  9.010913f,
                  17.32868f,
                  88.72284f,
                  87.33655f,
                  103.97208f,
                  1e4f,
                  0x1p28f,
                  0x1p56f,
                  0x1p84f,
                  0x1p112f,
                  0x1.fffffep127f,
                  16367173.0f * 0x1p72f})
    for (int step = -2; step <= 2; ++step) {
      auto neighbour = std::bit_cast<float>(bits(x) + static_cast<uint32_t>(step));
      operands.push_back(neighbour);
      operands.push_back(-neighbour);
    }
  for (uint32_t pattern :
       {0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xff812345u})
    operands.push_back(std::bit_cast<float>(pattern));
  std::mt19937 random(1);
  for (int i = 0; i < 40000; ++i) {
    operands.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
    operands.push_back(static_cast<float>(static_cast<int32_t>(random())) * 0x1p-27f);
  }
  operands.resize((operands.size() + 63) / 64 * 64);
  return operands;
}

void expectCorrect(OpKind kind, const std::vector<float> &operands,
                   const std::vector<float> &results, const std::string &what) {
  Reference reference(kind);
  int wrong = 0;
  for (size_t i = 0; i < operands.size() && wrong < 5; ++i) {
    float expected = reference.rounded(operands[i]);
    if (bits(expected) == bits(results[i]))
      continue;
    ++wrong;
    ADD_FAILURE() << what << ": " << opInfo(kind).mnemonic << "(" << operands[i] << " = 0x"
                  << std::hex << bits(operands[i]) << ") gives 0x" << bits(results[i]) << ", not 0x"
                  << bits(expected);
  }
}

TEST(Elementary, InterpreterAndCodegenKnowTheSameFunctions) {
  for (OpKind kind : allOps())
    EXPECT_EQ(isElementary(kind), hasExactElementary(kind)) << opInfo(kind).mnemonic;
}

TEST(Elementary, InterpreterIsCorrectlyRounded) {
  auto operands = interestingOperands();
  operands.resize(20000); // about a microsecond each
  for (OpKind kind : elementaryKinds()) {
    std::vector<float> results;
    for (float x : operands)
      results.push_back(exactElementary(kind, x));
    expectCorrect(kind, operands, results, "interpreter");
  }
}

class CompiledElementary : public testing::TestWithParam<TargetOptions> {};

TEST_P(CompiledElementary, IsCorrectlyRoundedAndSelfContained) {
  const auto operands = interestingOperands();
  for (OpKind kind : elementaryKinds()) {
    auto code = compileElementary(kind, GetParam());
    std::vector<float> results(operands.size());
    code->run({operands.data()}, results.data(), static_cast<int64_t>(operands.size()));
    expectCorrect(kind, operands, results, GetParam().cpu);
    EXPECT_TRUE(code->undefinedSymbols().empty())
        << opInfo(kind).mnemonic << " needs " << code->undefinedSymbols().front();
  }
}

/// Blocks of 2^20 consecutive inputs against the hashes of a run over all 2^32 that MPFR has
/// judged.
TEST_P(CompiledElementary, GivesTheBlocksOfTheJudgedRun) {
  std::vector<float> operands(exhaustive::kBlockInputs), results(exhaustive::kBlockInputs);
  for (OpKind kind : elementaryKinds()) {
    std::string mnemonic(opInfo(kind).mnemonic);
    auto expected =
        exhaustive::readHashes(APR_SOURCE_DIR "/test/data/function_hashes/" + mnemonic + ".hashes");
    ASSERT_EQ(expected.size(), 4096u) << mnemonic;
    auto code = compileElementary(kind, GetParam());
    // Denormals; small, ordinary and large numbers, one block of them negative.
    for (size_t block : {0u, 900u, 1014u, 1044u, 3070u}) {
      for (size_t i = 0; i < operands.size(); ++i)
        operands[i] = std::bit_cast<float>(static_cast<uint32_t>(block * operands.size() + i));
      code->run({operands.data()}, results.data(), static_cast<int64_t>(results.size()));
      exhaustive::BlockHash hash;
      hash.add(results);
      EXPECT_EQ(hash.value(), expected[block]) << mnemonic << ", block " << block;
    }
  }
}

#if defined(__x86_64__)
std::vector<TargetOptions> levelsOfThisMachine() {
  std::vector<TargetOptions> levels = {{.cpu = "x86-64-v2"},
                                       {.cpu = "x86-64-v2", .level = CodegenLevel::O0}};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    levels.push_back({.cpu = "x86-64-v3"});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    levels.push_back({.cpu = "x86-64-v4"});
  return levels;
}
#else
std::vector<TargetOptions> levelsOfThisMachine() { return {{}}; }
#endif

INSTANTIATE_TEST_SUITE_P(Levels, CompiledElementary, testing::ValuesIn(levelsOfThisMachine()),
                         [](const auto &info) { return "level" + std::to_string(info.index); });

} // namespace
} // namespace apr
