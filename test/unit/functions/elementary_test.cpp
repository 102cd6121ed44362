// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"
#include "ir/interp/exact_math.h"
#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/cpu_levels.h"
#include "tools/exhaustive/formula_hash.h"
#include "tools/exhaustive/native_code.h"
#include "tools/exhaustive/proof_table.h"
#include "tools/exhaustive/reference.h"

#include <gtest/gtest.h>

#include <bit>
#include <cctype>
#include <cmath>
#include <fstream>
#include <map>
#include <random>

namespace apr {
namespace {

using exhaustive::compileElementary;
using exhaustive::Reference;

const std::string kHashFolder = APR_SOURCE_DIR "/test/data/function_hashes";

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

/// Those whose values are closest to a rounding boundary in the whole of f32: the proof has found
/// them.
std::vector<float> hardestOperands(OpKind kind) {
  std::vector<float> operands;
  std::ifstream file(kHashFolder + "/" + std::string(opInfo(kind).mnemonic) + ".hardest");
  for (std::string line; std::getline(file, line);)
    operands.push_back(std::bit_cast<float>(static_cast<uint32_t>(std::stoul(line, nullptr, 16))));
  return operands;
}

/// The hardest and the interesting ones.
std::vector<float> operandsFor(OpKind kind) {
  auto operands = hardestOperands(kind);
  auto others = interestingOperands();
  operands.insert(operands.end(), others.begin(), others.end());
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

/// All that computes floats element by element is arithmetic, exact by IEEE 754, or judged.
TEST(Elementary, NoFunctionIsMissing) {
  for (OpKind kind : allOps()) {
    bool isExact = false;
    switch (kind) {
    case OpKind::Neg:
    case OpKind::Abs:
    case OpKind::Sign:
    case OpKind::Floor:
    case OpKind::Ceil:
    case OpKind::Round:
      isExact = true;
      break;
    default:
      break;
    }
    if (opInfo(kind).family == OpFamily::Unary) {
      EXPECT_NE(isElementary(kind), isExact) << opInfo(kind).mnemonic;
    }
    if (opInfo(kind).family == OpFamily::BinaryFloat) {
      EXPECT_TRUE(kind == OpKind::Pow || kind == OpKind::Atan2) << opInfo(kind).mnemonic;
    }
  }
}

/// PROOF.md is of the operations and constants that are compiled now, and of the hashes beside it.
TEST(Elementary, IsProvenAsItIs) {
  auto table = exhaustive::ProofTable::read(kHashFolder + "/PROOF.md");
  for (OpKind kind : elementaryKinds()) {
    std::string mnemonic(opInfo(kind).mnemonic);
    const auto *proof = table.findProof(mnemonic);
    ASSERT_TRUE(proof) << mnemonic << " is not in PROOF.md: run `make exhaustive`";
    EXPECT_EQ(proof->formula, exhaustive::formulaHash(kind))
        << mnemonic << " is compiled from another formula than was proven: run `make exhaustive`";
    EXPECT_EQ(proof->inputs, uint64_t(1) << 32) << mnemonic;
    EXPECT_EQ(proof->misrounded, 0u) << mnemonic;
    auto hashes = exhaustive::readHashes(kHashFolder + "/" + mnemonic + ".hashes");
    EXPECT_EQ(proof->digest, exhaustive::digestOf(hashes)) << mnemonic;
  }
}

/// Every CPU level was compared with the hashes on all inputs.
TEST(Elementary, IsRecheckedForEveryLevel) {
  auto table = exhaustive::ProofTable::read(kHashFolder + "/PROOF.md");
  for (OpKind kind : elementaryKinds()) {
    std::string mnemonic(opInfo(kind).mnemonic);
    const auto *rechecked = table.findRecheck(mnemonic);
    ASSERT_TRUE(rechecked) << mnemonic << ": run `apr-exhaustive check --record`";
    EXPECT_EQ(rechecked->formula, exhaustive::formulaHash(kind)) << mnemonic;
    EXPECT_EQ(rechecked->digest, table.findProof(mnemonic)->digest) << mnemonic;
    for (const char *level : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
      auto found = rechecked->targets.find(level);
      ASSERT_NE(found, rechecked->targets.end()) << mnemonic << " for " << level;
      EXPECT_EQ(found->second.blocks, exhaustive::kBlocks) << mnemonic << " for " << level;
    }
    for (const auto &[target, recheck] : rechecked->targets)
      EXPECT_EQ(recheck.different, 0u) << mnemonic << " for " << target;
  }
}

/// PROOF.md has nothing but what the program writes.
TEST(Elementary, ProofIsAsTheProgramWritesIt) {
  const std::string path = kHashFolder + "/PROOF.md";
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(text, exhaustive::ProofTable::read(path).document());
}

/// A proof leaves its hardest operands, so that the tests below try them.
TEST(Elementary, EveryFunctionHasHardOperands) {
  for (OpKind kind : elementaryKinds())
    EXPECT_FALSE(hardestOperands(kind).empty()) << opInfo(kind).mnemonic;
}

/// One bit of one coefficient makes another formula.
TEST(Elementary, FormulasDiffer) {
  std::map<uint64_t, OpKind> seen;
  for (OpKind kind : elementaryKinds())
    EXPECT_TRUE(seen.emplace(exhaustive::formulaHash(kind), kind).second) << opInfo(kind).mnemonic;
}

TEST(Elementary, InterpreterIsCorrectlyRounded) {
  for (OpKind kind : elementaryKinds()) {
    auto operands = operandsFor(kind);
    // About a microsecond each: the hardest, the edges and a part of the random ones.
    operands.resize(15512);
    std::vector<float> results;
    for (float x : operands)
      results.push_back(exactElementary(kind, x));
    expectCorrect(kind, operands, results, "interpreter");
  }
}

class CompiledElementary : public testing::TestWithParam<TargetOptions> {};

TEST_P(CompiledElementary, IsCorrectlyRoundedAndSelfContained) {
  for (OpKind kind : elementaryKinds()) {
    const auto operands = operandsFor(kind);
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
    auto expected = exhaustive::readHashes(kHashFolder + "/" + mnemonic + ".hashes");
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

INSTANTIATE_TEST_SUITE_P(Levels, CompiledElementary,
                         testing::ValuesIn(exhaustive::targetsToCheck()), [](const auto &info) {
                           std::string name = exhaustive::describe(info.param);
                           std::erase_if(name, [](char c) { return std::isalnum(c) == 0; });
                           return name;
                         });

} // namespace
} // namespace apr
