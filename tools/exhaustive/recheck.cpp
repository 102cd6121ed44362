// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/recheck.h"

#include "ir/interp/exact_math.h"
#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/formula_hash.h"
#include "tools/exhaustive/native_code.h"
#include "tools/exhaustive/proof_state.h"
#include "tools/exhaustive/workers.h"

#include <fmt/format.h>

#include <atomic>
#include <bit>

namespace apr::exhaustive {
namespace {

constexpr size_t kChunk = 4096;

} // namespace

Evaluate compiledCode(OpKind kind, const TargetOptions &target) {
  std::shared_ptr<NativeCode> code = compileElementary(kind, target);
  return [code](uint32_t first, std::span<float> results) {
    std::vector<float> operands(results.size());
    for (size_t i = 0; i < operands.size(); ++i)
      operands[i] = std::bit_cast<float>(first + static_cast<uint32_t>(i));
    code->run({operands.data()}, results.data(), static_cast<int64_t>(results.size()));
  };
}

Evaluate interpretedCode(OpKind kind) {
  return [kind](uint32_t first, std::span<float> results) {
    for (size_t i = 0; i < results.size(); ++i)
      results[i] = exactElementary(kind, std::bit_cast<float>(first + static_cast<uint32_t>(i)));
  };
}

Recheck recheck(OpKind kind, const Evaluate &evaluate, const RecheckSettings &settings,
                Progress &progress) {
  std::string mnemonic(opInfo(kind).mnemonic);
  std::string path = settings.hashFolder + "/" + mnemonic + ".hashes";
  std::vector<uint64_t> expected = readHashes(path);
  if (expected.size() != kBlocks)
    throw UsageError(fmt::format("{} has {} hashes, not {}; `apr-exhaustive prove {}` makes them",
                                 path, expected.size(), kBlocks, mnemonic));
  std::atomic<uint64_t> next = 0, different = 0, nanoseconds = 0;
  runInThreads(settings.jobs, [&] {
    std::vector<float> results(kChunk);
    for (uint64_t i = next++; i < settings.blocks; i = next++) {
      uint64_t start = threadNanoseconds();
      uint64_t block = i * kBlocks / settings.blocks;
      BlockHash hash;
      for (uint64_t first = 0; first < kBlockInputs; first += kChunk) {
        evaluate(static_cast<uint32_t>(block * kBlockInputs + first), results);
        hash.add(results);
      }
      nanoseconds += threadNanoseconds() - start;
      if (hash.value() != expected[block] && ++different <= 5) {
        progress.pause();
        fmt::print("{}: the inputs {:#010x} to {:#010x} give other results\n", mnemonic,
                   block * kBlockInputs, (block + 1) * kBlockInputs - 1);
      }
      progress.advance(mnemonic);
    }
  });
  return {.blocks = settings.blocks,
          .different = different,
          .seconds = static_cast<double>(nanoseconds) * 1e-9,
          .formula = formulaHash(kind),
          .digest = digestOf(expected)};
}

} // namespace apr::exhaustive
