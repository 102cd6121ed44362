// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"
#include "tools/exhaustive/progress.h"

#include <functional>
#include <span>

namespace apr::exhaustive {

struct RecheckSettings {
  std::string hashFolder;
  unsigned jobs = 1;
  uint64_t blocks = 4096; ///< fewer: so many, evenly spaced
};

/// How the results of a function compare with the hashes of its correctly rounded ones.
struct Recheck {
  uint64_t blocks = 0;
  uint64_t different = 0;
  double seconds = 0;   ///< of one core
  uint64_t formula = 0; ///< formulaHash of the function
  uint64_t digest = 0;  ///< digestOf the hashes
};

/// Fills `results` with the function of the bit patterns first, first + 1, ...; several threads may
/// call one.
using Evaluate = std::function<void(uint32_t first, std::span<float> results)>;

/// Compiled code for a CPU level, or the interpreter.
Evaluate compiledCode(OpKind kind, const TargetOptions &target);
Evaluate interpretedCode(OpKind kind);

/// Evaluates 2^20 inputs for each block and compares the hashes. Blocks that differ are printed.
Recheck recheck(OpKind kind, const Evaluate &evaluate, const RecheckSettings &settings,
                Progress &progress);

} // namespace apr::exhaustive
