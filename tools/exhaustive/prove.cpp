// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/prove.h"

#include "ir/interp/exact_math.h"
#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/formula_hash.h"
#include "tools/exhaustive/native_code.h"
#include "tools/exhaustive/reference.h"
#include "tools/exhaustive/workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace apr::exhaustive {
namespace {

constexpr size_t kChunk = 4096;
constexpr size_t kHardest = 256; // inputs that are kept for quick tests

uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }

/// Proves blocks of one function; each thread has its own.
class BlockProver {
public:
  BlockProver(OpKind kind, const NativeCode &code, Progress &progress)
      : kind_(kind), code_(code), progress_(progress), reference_(kind) {}

  BlockRecord prove(uint64_t block) {
    uint64_t start = threadNanoseconds();
    BlockRecord record;
    BlockHash hash;
    for (uint64_t first = 0; first < kBlockInputs; first += kChunk) {
      for (size_t i = 0; i < kChunk; ++i)
        operands_[i] =
            std::bit_cast<float>(static_cast<uint32_t>(block * kBlockInputs + first + i));
      proveChunk(record);
      hash.add(expected_);
    }
    record.hash = hash.value();
    record.nanoseconds = threadNanoseconds() - start;
    return record;
  }

private:
  void proveChunk(BlockRecord &record) {
    code_.run({operands_.data()}, results_.data(), kChunk);
    const auto &decisions = reference_.round(operands_, expected_);
    for (size_t i = 0; i < kChunk; ++i)
      if (bits(results_[i]) != bits(expected_[i]))
        report(record, i, results_[i], "compiled code");
    for (const Reference::Decision &decision : decisions) {
      // Where MPFR has to decide, the precision of the interpreter counts as well.
      float interpreted = exactElementary(kind_, operands_[decision.index]);
      if (bits(interpreted) != bits(expected_[decision.index]))
        report(record, decision.index, interpreted, "the interpreter");
      // Ties of denormals are boundaries by the million; they are no test of a formula.
      bool isNormal = std::fabs(expected_[decision.index]) >= 0x1p-126f;
      if (isNormal && decision.distance < record.distance) {
        record.distance = decision.distance;
        record.hardest = bits(operands_[decision.index]);
      }
    }
    record.decided += decisions.size();
  }

  void report(BlockRecord &record, size_t index, float result, const char *what) {
    if (++record.misrounded > 5)
      return;
    progress_.pause();
    fmt::print("{}({:a} = {:#010x}) is {:a} by {}, not {:a}\n", opInfo(kind_).mnemonic,
               operands_[index], bits(operands_[index]), result, what, expected_[index]);
    std::fflush(stdout);
  }

  OpKind kind_;
  const NativeCode &code_;
  Progress &progress_;
  Reference reference_;
  std::vector<float> operands_ = std::vector<float>(kChunk), results_ = operands_,
                     expected_ = operands_;
};

ProofState openState(OpKind kind, const ProveSettings &settings) {
  return ProofState(settings.stateFolder + "/" + std::string(opInfo(kind).mnemonic) + ".state",
                    formulaHash(kind), settings.cpu);
}

/// The sum of all records.
Proof summarize(OpKind kind, const ProveSettings &settings) {
  ProofState state = openState(kind, settings);
  Proof proof{.kind = kind, .cpu = settings.cpu, .formula = formulaHash(kind)};
  std::vector<std::pair<double, uint32_t>> hardest;
  for (uint64_t block = 0; block < settings.blocks; ++block) {
    auto record = state.read(block);
    if (!record)
      throw InternalError("prove: a block is not proven");
    proof.inputs += kBlockInputs;
    proof.misrounded += record->misrounded;
    proof.decided += record->decided;
    proof.seconds += static_cast<double>(record->nanoseconds) * 1e-9;
    proof.hashes.push_back(record->hash);
    if (record->distance < 1)
      hardest.emplace_back(record->distance, static_cast<uint32_t>(record->hardest));
  }
  std::sort(hardest.begin(), hardest.end());
  hardest.resize(std::min(hardest.size(), kHardest));
  for (const auto &[distance, operand] : hardest)
    proof.hardest.push_back(operand);
  std::sort(proof.hardest.begin(), proof.hardest.end());
  return proof;
}

} // namespace

uint64_t countProven(OpKind kind, const ProveSettings &settings) {
  ProofState state = openState(kind, settings);
  uint64_t count = 0;
  for (uint64_t block = 0; block < settings.blocks; ++block)
    count += state.read(block).has_value();
  return count;
}

Proof prove(OpKind kind, const ProveSettings &settings, Progress &progress) {
  auto code = compileElementary(kind, {.cpu = settings.cpu});
  std::string mnemonic(opInfo(kind).mnemonic);
  runInThreads(settings.jobs, [&] {
    ProofState state = openState(kind, settings);
    BlockProver prover(kind, *code, progress);
    while (auto block = state.claim(settings.blocks)) {
      state.finish(*block, prover.prove(*block));
      progress.advance(mnemonic);
    }
  });
  return summarize(kind, settings);
}

} // namespace apr::exhaustive
