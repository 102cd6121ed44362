// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"
#include "ir/interp/exact_math.h"
#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/native_code.h"
#include "tools/exhaustive/reference.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <bit>
#include <cstdio>

namespace apr::exhaustive {
namespace {

constexpr uint64_t kInputs = uint64_t(1) << 32;
constexpr int64_t kChunk = 4096;

/// Fills `output` with the function of the bit patterns first, first + 1, ...
using Evaluate = std::function<void(uint32_t first, std::vector<float> &output)>;

struct Settings {
  std::vector<std::string> functions;
  std::string cpu = "native";
  bool usesInterpreter = false;
  uint64_t sample = 0;
  std::string hashesToWrite;
  std::string hashesToCheck;
};

Evaluate makeEvaluate(OpKind kind, const Settings &settings) {
  if (settings.usesInterpreter)
    return [kind](uint32_t first, std::vector<float> &output) {
      for (size_t i = 0; i < output.size(); ++i)
        output[i] = exactElementary(kind, std::bit_cast<float>(first + static_cast<uint32_t>(i)));
    };
  std::shared_ptr<NativeCode> code = compileElementary(kind, {.cpu = settings.cpu});
  auto inputs = std::make_shared<std::vector<float>>(kChunk);
  return [code, inputs](uint32_t first, std::vector<float> &output) {
    for (size_t i = 0; i < output.size(); ++i)
      (*inputs)[i] = std::bit_cast<float>(first + static_cast<uint32_t>(i));
    code->run({inputs->data()}, output.data(), static_cast<int64_t>(output.size()));
  };
}

/// 1 and a line where the result is wrong.
uint64_t report(OpKind kind, float x, float result, float expected) {
  if (std::bit_cast<uint32_t>(expected) == std::bit_cast<uint32_t>(result))
    return 0;
  fmt::print("  {}({:a}) gives {:a}, not {:a}\n", opInfo(kind).mnemonic, x, result, expected);
  return 1;
}

/// Compares with MPFR; returns the number of wrong results and prints them.
uint64_t checkAgainstReference(OpKind kind, const Evaluate &evaluate, uint64_t sample) {
  Reference reference(kind);
  std::vector<float> results(kChunk);
  // A sample takes evenly spaced chunks.
  uint64_t chunks = kInputs / kChunk;
  uint64_t wanted = sample == 0 ? chunks : std::min(chunks, (sample + kChunk - 1) / kChunk);
  uint64_t wrong = 0;
  for (uint64_t n = 0; n < wanted; ++n) {
    auto first = static_cast<uint32_t>(n * chunks / wanted * kChunk);
    evaluate(first, results);
    for (size_t i = 0; i < results.size(); ++i) {
      auto x = std::bit_cast<float>(first + static_cast<uint32_t>(i));
      uint64_t hardBefore = reference.hardCases();
      float expected = reference.rounded(x);
      wrong += report(kind, x, results[i], expected);
      // The inputs that MPFR had to decide are those where precision counts: the interpreter is
      // asked too. Of ties between denormals by the million one in 64 will do.
      if (reference.hardCases() != hardBefore &&
          (reference.hardCases() < 100000 || reference.hardCases() % 64 == 0))
        wrong += report(kind, x, exactElementary(kind, x), expected);
    }
  }
  fmt::print("{}: {} of {} misrounded, {} decided by MPFR\n", opInfo(kind).mnemonic, wrong,
             wanted * kChunk, reference.hardCases());
  std::fflush(stdout);
  return wrong;
}

std::vector<uint64_t> hashAllInputs(const Evaluate &evaluate) {
  std::vector<uint64_t> hashes;
  std::vector<float> results(kChunk);
  for (uint64_t block = 0; block < kInputs / kBlockInputs; ++block) {
    BlockHash hash;
    for (uint64_t first = 0; first < kBlockInputs; first += kChunk) {
      evaluate(static_cast<uint32_t>(block * kBlockInputs + first), results);
      hash.add(results);
    }
    hashes.push_back(hash.value());
  }
  return hashes;
}

/// Compares or writes block hashes; returns the number of blocks that differ.
uint64_t runHashes(OpKind kind, const Evaluate &evaluate, const Settings &settings) {
  std::string name(opInfo(kind).mnemonic);
  std::vector<uint64_t> hashes = hashAllInputs(evaluate);
  if (!settings.hashesToWrite.empty()) {
    writeHashes(settings.hashesToWrite + "/" + name + ".hashes", hashes);
    return 0;
  }
  auto expected = readHashes(settings.hashesToCheck + "/" + name + ".hashes");
  uint64_t different = 0;
  for (size_t i = 0; i < hashes.size(); ++i)
    if ((expected.size() != hashes.size() || expected[i] != hashes[i]) && ++different <= 20)
      fmt::print("  {}: block {:#x} differs\n", name, i * kBlockInputs);
  fmt::print("{}: {} of {} blocks differ\n", name, different, hashes.size());
  std::fflush(stdout);
  return different;
}

int run(const Settings &settings) {
  uint64_t wrong = 0;
  for (const std::string &name : settings.functions) {
    auto kind = findOp(name);
    if (!kind || !isElementary(*kind)) {
      fmt::print(stderr, "error: '{}' is no f32 elementary function\n", name);
      return 2;
    }
    Evaluate evaluate = makeEvaluate(*kind, settings);
    bool usesHashes = !settings.hashesToCheck.empty() || !settings.hashesToWrite.empty();
    wrong += usesHashes ? runHashes(*kind, evaluate, settings)
                        : checkAgainstReference(*kind, evaluate, settings.sample);
  }
  return wrong == 0 ? 0 : 4;
}

} // namespace
} // namespace apr::exhaustive

int main(int argc, char **argv) {
  CLI::App app("Checks f32 elementary functions on all 2^32 inputs.");
  apr::exhaustive::Settings settings;
  app.add_option("functions", settings.functions, "mnemonics: exp, log, tanh, ...")->required();
  app.add_option("--cpu", settings.cpu, "the CPU level to compile for");
  app.add_flag("--interpreter", settings.usesInterpreter,
               "check the interpreter, not compiled code");
  app.add_option("--sample", settings.sample, "so many inputs instead of all");
  app.add_option("--write-hashes", settings.hashesToWrite, "write block hashes into this folder");
  app.add_option("--check-hashes", settings.hashesToCheck, "compare with the hashes there");
  CLI11_PARSE(app, argc, argv);
  try {
    return apr::exhaustive::run(settings);
  } catch (const std::exception &error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
    return 70;
  }
}
