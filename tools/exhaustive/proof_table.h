// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/exhaustive/prove.h"
#include "tools/exhaustive/recheck.h"

#include <map>

namespace apr::exhaustive {

/// A text with tables, one row per function: what `prove` found, and what `check` found for each
/// target. It is checked in beside the hashes, so it has no dates and nothing of the machine but
/// the CPU level. Every row is written by one of the two commands.
class ProofTable {
public:
  struct Row {
    uint64_t formula = 0;
    uint64_t inputs = 0;
    uint64_t misrounded = 0;
    uint64_t decided = 0;
    uint64_t digest = 0; ///< digestOf the hashes
    std::string cpu;
    uint64_t seconds = 0;
  };

  /// Comparisons with the hashes, all of the same formula and the same hashes.
  struct Rechecked {
    uint64_t formula = 0;
    uint64_t digest = 0; ///< digestOf the hashes
    std::map<std::string, Recheck> targets;
  };

  /// Reads the file; an absent one is empty.
  static ProofTable read(const std::string &path);
  void write(const std::string &path) const;

  void add(const Proof &proof);
  /// What is known of another formula or of other hashes is dropped.
  void add(OpKind kind, const std::string &target, const Recheck &recheck);

  /// Null where the function has none.
  const Row *findProof(const std::string &function) const;
  const Rechecked *findRecheck(const std::string &function) const;

  /// The tables alone.
  std::string text() const;
  /// The whole file.
  std::string document() const;

private:
  std::map<std::string, Row> proofs_;
  std::map<std::string, Rechecked> rechecks_;
};

} // namespace apr::exhaustive
