// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/exhaustive/prove.h"
#include "tools/exhaustive/recheck.h"

#include <map>

namespace apr::exhaustive {

/// A text with tables, one row per function: what MPFR said, and what each target gave since. It is
/// checked in beside the hashes, so it has no dates and nothing of the machine but the CPU level.
class ProofTable {
public:
  struct Row {
    uint64_t formula = 0;
    uint64_t inputs = 0;
    uint64_t misrounded = 0;
    std::string decided; ///< a dash where the run was before such tables
    uint64_t digest = 0; ///< digestOf the hashes
    std::string cpu;
    std::string seconds; ///< or a dash
  };

  /// Reads the file; an absent one is empty.
  static ProofTable read(const std::string &path);
  void write(const std::string &path) const;

  void add(const Proof &proof);
  void add(OpKind kind, const std::string &target, const Recheck &recheck);

  /// Null where the function has none.
  const Row *findProof(const std::string &function) const;
  /// "0 of 4096 in 11 s", or empty.
  std::string findRecheck(const std::string &function, const std::string &target) const;

  /// The tables alone.
  std::string text() const;

private:
  std::map<std::string, Row> proofs_;
  std::map<std::string, std::map<std::string, std::string>> rechecks_; ///< function, target
};

} // namespace apr::exhaustive
