// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"
#include "tools/ir_runs/random_inputs.h"

#include <string>
#include <vector>

namespace apr::fuzz {

/// Checks besides native code against the interpreter, which cost more and run on a sample.
enum class Thoroughness : uint8_t {
  Native, ///< nothing else
  Stages, ///< the interpreter after every pass, every text read back, and native code at -O0
};

/// Whether grad and apply are compiled beside the step that is composed of them.
enum class StepParts : uint8_t { Kept, Dropped };

/// How a graph is compiled and called. Nothing here may change a bit.
struct Configuration {
  std::vector<std::string> disabled; ///< bit-preserving passes that are left out
  bool bindsDims = false;            ///< open dims become numbers before code is made
  bool fuses = true;
  StepParts parts = StepParts::Kept;
  TargetOptions target;
  uint32_t workers = 1; ///< threads of the pool; 0: three workers in one thread, blocks backwards
  Thoroughness thoroughness = Thoroughness::Native;
};

/// `cpus` are those this machine can run.
Configuration drawConfiguration(run::RandomInputs &random, const std::vector<std::string> &cpus);
std::vector<std::string> hostCpus();

/// "--cpu=x86-64-v3 -O2 --disable-pass=cse": what differs from the default, as aprc has it where it
/// can.
std::string str(const Configuration &configuration);

/// The configurations that are one step nearer to the default one.
std::vector<Configuration> simplerThan(const Configuration &configuration);

} // namespace apr::fuzz
