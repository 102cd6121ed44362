// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"
#include "tools/exhaustive/progress.h"
#include "tools/exhaustive/proof_state.h"

namespace apr::exhaustive {

struct ProveSettings {
  std::string stateFolder;
  std::string cpu; ///< a level of supportedCpus()
  unsigned jobs = 1;
  uint64_t blocks = kBlocks; ///< fewer: the first ones only, for tests
};

/// What MPFR said about one function, over all blocks asked for.
struct Proof {
  OpKind kind;
  std::string cpu;
  uint64_t formula = 0; ///< formulaHash
  uint64_t inputs = 0;
  uint64_t misrounded = 0;
  uint64_t decided = 0;          ///< inputs that MPFR decided, not the host's f64 function
  double seconds = 0;            ///< of one core
  std::vector<uint64_t> hashes;  ///< of the correctly rounded results, one per block
  std::vector<uint32_t> hardest; ///< operands whose values are closest to a rounding boundary
};

/// How many blocks the state file of the function has.
uint64_t countProven(OpKind kind, const ProveSettings &settings);

/// Compares compiled code with MPFR on every input, and the interpreter wherever MPFR has to
/// decide. Continues what an earlier run left in the state folder, beside other processes that do
/// the same. Wrong results are printed.
Proof prove(OpKind kind, const ProveSettings &settings, Progress &progress);

} // namespace apr::exhaustive
