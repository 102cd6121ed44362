// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-fuzz/configuration.h"

#include "passes/pass.h"

#include <fmt/format.h>

namespace apr::fuzz {

std::vector<std::string> hostCpus() {
  std::vector<std::string> cpus;
  auto native = Target::create({.cpu = "native"});
  for (const CpuLevel &level : supportedCpus()) {
    if (!native || level.architecture != native->triple().substr(0, level.architecture.size()))
      continue;
    cpus.emplace_back(level.name);
    if (level.name == native->cpu())
      break;
  }
  return cpus;
}

Configuration drawConfiguration(run::RandomInputs &random, const std::vector<std::string> &cpus) {
  Configuration configuration;
  for (const PassInfo &pass : allPasses())
    if (pass.passClass == PassClass::BitPreserving && random.below(4) == 0)
      configuration.disabled.emplace_back(pass.name);
  configuration.bindsDims = random.below(4) == 0;
  configuration.fuses = random.below(6) != 0;
  if (random.below(3) != 0)
    configuration.parts = StepParts::Dropped;
  TargetOptions &target = configuration.target;
  // LLVM's optimizer takes most of the time, and is seldom at fault: mostly kernels for vectors are
  // compiled without it.
  const uint64_t level = random.below(50);
  target.level = level < 46   ? CodegenLevel::O0
                 : level < 48 ? CodegenLevel::O1
                 : level < 49 ? CodegenLevel::O2
                              : CodegenLevel::O3;
  if (target.level == CodegenLevel::O0 && random.below(4) != 0)
    target.lanes = KernelLanes::Vector;
  target.cpu = cpus[random.below(cpus.size())];
  static constexpr int64_t kBlockWork[] = {0, 0, 1, 16, 200, 3000};
  target.blockWork = kBlockWork[random.below(std::size(kBlockWork))];
  if (random.below(6) == 0)
    target.vectorBits = random.below(2) == 0 ? 128 : 256;
  if (random.below(6) == 0)
    target.registerCount = random.below(2) == 0 ? 8 : 16;
  configuration.workers = random.below(3) == 0   ? 0
                          : random.below(2) == 0 ? 1
                                                 : static_cast<uint32_t>(2 + random.below(7));
  if (random.below(25) == 0)
    configuration.thoroughness = Thoroughness::Stages;
  return configuration;
}

std::string str(const Configuration &configuration) {
  const TargetOptions &target = configuration.target;
  std::string text = fmt::format("--cpu={} -O{}", target.cpu, static_cast<int>(target.level));
  for (const std::string &pass : configuration.disabled)
    text += " --disable-pass=" + pass;
  if (target.lanes == KernelLanes::Vector)
    text += " vectors";
  if (configuration.bindsDims)
    text += " bound-dims";
  if (!configuration.fuses)
    text += " unfused";
  if (configuration.parts == StepParts::Dropped)
    text += " steps-only";
  if (target.blockWork != 0)
    text += fmt::format(" --block-work={}", target.blockWork);
  if (target.vectorBits != 0)
    text += fmt::format(" vector-bits={}", target.vectorBits);
  if (target.registerCount != 0)
    text += fmt::format(" registers={}", target.registerCount);
  text +=
      configuration.workers == 0 ? " backwards" : fmt::format(" workers={}", configuration.workers);
  if (configuration.thoroughness == Thoroughness::Stages)
    text += " stages";
  return text;
}

std::vector<Configuration> simplerThan(const Configuration &from) {
  std::vector<Configuration> simpler;
  auto offer = [&](auto &&change) {
    simpler.push_back(from);
    change(simpler.back());
  };
  if (from.thoroughness != Thoroughness::Native)
    offer([](Configuration &c) { c.thoroughness = Thoroughness::Native; });
  if (from.parts != StepParts::Kept)
    offer([](Configuration &c) { c.parts = StepParts::Kept; });
  if (from.bindsDims)
    offer([](Configuration &c) { c.bindsDims = false; });
  for (size_t i = 0; i < from.disabled.size(); ++i)
    offer([&](Configuration &c) {
      c.disabled.erase(c.disabled.begin() + static_cast<ptrdiff_t>(i));
    });
  if (!from.fuses)
    offer([](Configuration &c) { c.fuses = true; });
  if (from.target.blockWork != 0)
    offer([](Configuration &c) { c.target.blockWork = 0; });
  if (from.target.vectorBits != 0)
    offer([](Configuration &c) { c.target.vectorBits = 0; });
  if (from.target.registerCount != 0)
    offer([](Configuration &c) { c.target.registerCount = 0; });
  if (from.workers != 1)
    offer([](Configuration &c) { c.workers = 1; });
  if (from.target.level != CodegenLevel::O2 && from.target.level != CodegenLevel::O0)
    offer([](Configuration &c) { c.target.level = CodegenLevel::O2; });
  if (from.target.lanes == KernelLanes::Vector)
    offer([](Configuration &c) {
      c.target.lanes = KernelLanes::ByLevel;
      c.target.level = CodegenLevel::O2;
    });
  if (from.target.cpu != "x86-64-v3")
    offer([](Configuration &c) { c.target.cpu = "x86-64-v3"; });
  return simpler;
}

} // namespace apr::fuzz
