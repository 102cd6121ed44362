// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/elementary.h"
#include "tools/exhaustive/block_hashes.h"
#include "tools/exhaustive/cpu_levels.h"
#include "tools/exhaustive/f64_errors.h"
#include "tools/exhaustive/proof_table.h"
#include "tools/exhaustive/prove.h"
#include "tools/exhaustive/recheck.h"
#include "tools/exhaustive/workers.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

namespace apr::exhaustive {
namespace {

constexpr int kVerdictFailed = 4; // the exit code of the other tools for this

struct Settings {
  std::vector<std::string> functions;
  std::string hashFolder = APR_SOURCE_DIR "/test/data/function_hashes";
  std::string stateFolder = "exhaustive-state";
  std::vector<std::string> cpus;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  uint64_t blocks = kBlocks;
  bool checksInterpreter = false;
  bool isRecording = false;
  uint64_t f64Inputs = 1000000;
  uint64_t seed = 1;

  std::string tablePath() const { return hashFolder + "/PROOF.md"; }
};

bool isNamed(OpKind kind, const Settings &settings) {
  return settings.functions.empty() ||
         std::ranges::count(settings.functions, opInfo(kind).mnemonic) != 0;
}

/// All functions where none is named.
std::vector<OpKind> functionsOf(const Settings &settings) {
  std::vector<OpKind> kinds;
  for (const std::string &name : settings.functions) {
    auto kind = findOp(name);
    if (!kind || !isElementary(*kind))
      throw UsageError("'" + name + "' is no f32 elementary function");
    kinds.push_back(*kind);
  }
  if (kinds.empty())
    for (OpKind kind : allOps())
      if (isElementary(kind))
        kinds.push_back(kind);
  return kinds;
}

/// What a proof leaves for the quick checks: hashes, hard operands, its row of the table.
void record(const Proof &proof, const Settings &settings) {
  std::string stem = settings.hashFolder + "/" + std::string(opInfo(proof.kind).mnemonic);
  writeHashes(stem + ".hashes", proof.hashes);
  std::ofstream hardest(stem + ".hardest");
  for (uint32_t operand : proof.hardest)
    hardest << fmt::format("{:#010x}\n", operand);
  if (!hardest.flush())
    throw UsageError("cannot write " + stem + ".hardest");
  ProofTable table = ProofTable::read(settings.tablePath());
  table.add(proof);
  table.write(settings.tablePath());
}

/// Blocks whose hash is not the one that is checked in; 0 where there is none yet.
uint64_t countOtherHashes(const Proof &proof, const Settings &settings) {
  auto known =
      readHashes(settings.hashFolder + "/" + std::string(opInfo(proof.kind).mnemonic) + ".hashes");
  uint64_t count = 0;
  for (size_t i = 0; i < std::min(known.size(), proof.hashes.size()); ++i)
    count += known[i] != proof.hashes[i];
  return count;
}

int runProve(const Settings &settings) {
  std::filesystem::create_directories(settings.stateFolder);
  ProveSettings prover{.stateFolder = settings.stateFolder,
                       .cpu = settings.cpus.empty() ? levelsOfThisMachine().back().cpu
                                                    : settings.cpus.front(),
                       .jobs = settings.jobs,
                       .blocks = settings.blocks};
  auto kinds = functionsOf(settings);
  auto countAll = [&] {
    uint64_t count = 0;
    for (OpKind kind : kinds)
      count += countProven(kind, prover);
    return count;
  };
  uint64_t found = countAll(), total = kinds.size() * settings.blocks;
  if (found != 0)
    fmt::print("{} of {} blocks are proven already\n", found, total);
  Progress progress(total, found);
  ProofTable table;
  uint64_t wrong = 0;
  for (OpKind kind : kinds) {
    Proof proof = prove(kind, prover, progress);
    uint64_t others = countOtherHashes(proof, settings);
    progress.advanceTo(countAll());
    progress.pause();
    fmt::print(
        "{}: {} of {} misrounded, {} decided by MPFR, {} core seconds{}\n", opInfo(kind).mnemonic,
        proof.misrounded, proof.inputs, proof.decided, std::lround(proof.seconds),
        others == 0 ? ""
                    : fmt::format("; {} blocks have other hashes than those checked in", others));
    std::fflush(stdout);
    wrong += proof.misrounded + (settings.isRecording ? 0 : others);
    table.add(proof);
    if (settings.isRecording && proof.misrounded == 0 && settings.blocks == kBlocks)
      record(proof, settings);
  }
  fmt::print("\n{}", table.text());
  return wrong == 0 ? 0 : kVerdictFailed;
}

std::vector<TargetOptions> targetsOf(const Settings &settings) {
  if (settings.cpus.empty())
    return targetsToCheck();
  std::vector<TargetOptions> targets;
  for (const std::string &cpu : settings.cpus) {
    bool isPlain = cpu.ends_with(":O0");
    targets.push_back({.cpu = isPlain ? cpu.substr(0, cpu.size() - 3) : cpu,
                       .level = isPlain ? CodegenLevel::O0 : CodegenLevel::O2});
  }
  return targets;
}

/// Code that LLVM's optimizer has not touched takes several times as long: unless it is named, one
/// block of 16 has to do.
uint64_t blocksFor(const TargetOptions &target, const Settings &settings) {
  bool isSample = settings.cpus.empty() && target.level == CodegenLevel::O0;
  return isSample ? std::max<uint64_t>(1, settings.blocks / 16) : settings.blocks;
}

int runCheck(const Settings &settings) {
  auto kinds = functionsOf(settings);
  auto targets = settings.checksInterpreter ? std::vector<TargetOptions>(1) : targetsOf(settings);
  uint64_t total = 0, different = 0;
  for (const TargetOptions &target : targets)
    total += kinds.size() * blocksFor(target, settings);
  Progress progress(total, 0);
  // The fastest code first.
  std::ranges::reverse(targets);
  for (const TargetOptions &target : targets)
    for (OpKind kind : kinds) {
      std::string name = settings.checksInterpreter ? "interpreter" : describe(target);
      Evaluate evaluate =
          settings.checksInterpreter ? interpretedCode(kind) : compiledCode(kind, target);
      RecheckSettings rechecker{settings.hashFolder, settings.jobs, blocksFor(target, settings)};
      Recheck result = recheck(kind, evaluate, rechecker, progress);
      different += result.different;
      progress.pause();
      fmt::print("{:10} {:14} {} of {} blocks differ, {:.1f} core seconds\n", opInfo(kind).mnemonic,
                 name, result.different, result.blocks, result.seconds);
      std::fflush(stdout);
      if (settings.isRecording) {
        ProofTable table = ProofTable::read(settings.tablePath());
        table.add(kind, name, result);
        table.write(settings.tablePath());
      }
    }
  fmt::print("{} blocks differ\n", different);
  return different == 0 ? 0 : kVerdictFailed;
}

/// Runs the measurements, a function at a time in each thread, and prints them as a table.
int runF64(const Settings &settings) {
  struct Measurement {
    OpKind kind;
    double bound;
    std::function<F64Error()> measure;
    F64Error error;
  };
  std::vector<Measurement> measurements;
  auto add = [&](const auto &function) {
    if (isNamed(function.kind, settings))
      measurements.push_back({function.kind,
                              function.bound,
                              [&] { return measure(function, settings.f64Inputs, settings.seed); },
                              {}});
  };
  std::ranges::for_each(f64Functions(), add);
  std::ranges::for_each(f64BinaryFunctions(), add);
  std::atomic<size_t> next = 0;
  Progress progress(measurements.size(), 0);
  runInThreads(settings.jobs, [&] {
    for (size_t i = next++; i < measurements.size(); i = next++) {
      measurements[i].error = measurements[i].measure();
      progress.advance(std::string(opInfo(measurements[i].kind).mnemonic));
    }
  });
  progress.pause();
  fmt::print("| function | inputs | worst error in ulp | bound | at |\n|---|---|---|---|---|\n");
  bool isWithin = true;
  for (const Measurement &m : measurements) {
    isWithin = isWithin && m.error.ulps <= m.bound;
    std::string second = m.error.y == 0 ? "" : fmt::format(", {:a}", m.error.y);
    fmt::print("| {} | {} | {:.4f} | {} | {:a}{} |\n", opInfo(m.kind).mnemonic, m.error.inputs,
               m.error.ulps, m.bound, m.error.x, second);
  }
  return isWithin ? 0 : kVerdictFailed;
}

void addCommonOptions(CLI::App &command, Settings &settings) {
  command.add_option("functions", settings.functions, "mnemonics: exp, log, ...; default all");
  command.add_option("-j,--jobs", settings.jobs, "threads; default one per core")
      ->check(CLI::Range(1, 1024));
  command.add_option("--hashes", settings.hashFolder, "the folder of the block hashes")
      ->capture_default_str();
}

int runCommandLine(int argc, char **argv) {
  CLI::App app("Checks the elementary functions on all their inputs.");
  app.require_subcommand(1);
  Settings settings;
  auto *prove = app.add_subcommand(
      "prove", "compare the f32 functions with MPFR on all 2^32 inputs: resumable, and any number "
               "of processes may share a state folder");
  addCommonOptions(*prove, settings);
  prove->add_option("--state", settings.stateFolder, "the folder that says what is proven")
      ->capture_default_str();
  prove->add_option("--cpu", settings.cpus, "the CPU level to compile for; default the best here")
      ->expected(1);
  prove->add_flag("--record", settings.isRecording,
                  "write hashes, hardest inputs and PROOF.md into the folder of the hashes");
  prove->add_option("--blocks", settings.blocks, "only so many blocks of 2^20 inputs, the first")
      ->check(CLI::Range(1, 4096));

  auto *check = app.add_subcommand(
      "check", "compare the f32 functions with the block hashes, for every CPU level and at -O0");
  addCommonOptions(*check, settings);
  check
      ->add_option("--cpu", settings.cpus,
                   "a CPU level, again for more; x86-64-v2:O0 is that level at -O0")
      ->allow_extra_args(false);
  check->add_flag("--interpreter", settings.checksInterpreter, "the interpreter instead");
  check->add_flag("--record", settings.isRecording, "write the result into PROOF.md");
  check->add_option("--sample", settings.blocks, "only so many blocks, evenly spaced")
      ->check(CLI::Range(1, 4096));

  auto *f64 = app.add_subcommand(
      "f64", "measure the errors of the f64 functions, pow and atan2 against MPFR");
  addCommonOptions(*f64, settings);
  f64->add_option("--inputs", settings.f64Inputs, "how many for each function")
      ->capture_default_str();
  f64->add_option("--seed", settings.seed, "of the random ones")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (app.got_subcommand(f64))
    return runF64(settings);
  return app.got_subcommand(prove) ? runProve(settings) : runCheck(settings);
}

} // namespace
} // namespace apr::exhaustive

int main(int argc, char **argv) {
  try {
    return apr::exhaustive::runCommandLine(argc, argv);
  } catch (const apr::exhaustive::UsageError &error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 2;
  } catch (const std::exception &error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
    return 70;
  }
}
