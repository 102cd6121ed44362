// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace apr::exhaustive {

inline constexpr uint64_t kBlocks = 4096; ///< of 2^20 inputs

/// What the one who called the program has to know and can mend.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a run found out about one block of 2^20 inputs.
struct BlockRecord {
  uint64_t hash = 0;       ///< of the correctly rounded results
  uint64_t misrounded = 0; ///< by compiled code or, where MPFR decided, by the interpreter
  uint64_t decided = 0;    ///< inputs that MPFR decided, not the host's f64 function
  uint64_t nanoseconds = 0;
  uint64_t hardest = 0; ///< the decided operand whose value is closest to a rounding boundary
  double distance = 1;  ///< of that value from there, in units in the last place
};

/// The file that says which blocks of a function are proven. Any number of threads and processes
/// may work on one file: each claims blocks by locks that vanish when it dies, and a block counts
/// only once its record is complete, so a run can be killed at any time and continued.
class ProofState {
public:
  /// Opens the file, or makes it. One of another formula or CPU level is a UsageError.
  ProofState(const std::string &path, uint64_t formula, const std::string &cpu);
  ~ProofState();
  ProofState(const ProofState &) = delete;
  ProofState &operator=(const ProofState &) = delete;

  /// A block below `end` that is not proven, for the caller to prove; waits for blocks that others
  /// work on only when no other is left. Empty: all are proven.
  std::optional<uint64_t> claim(uint64_t end);
  /// Records the claimed block.
  void finish(uint64_t block, const BlockRecord &record);

  /// Empty where a block is not proven.
  std::optional<BlockRecord> read(uint64_t block) const;

private:
  enum class Wait { Never, Always };
  bool lock(uint64_t block, Wait wait);
  void unlock(uint64_t block);
  std::optional<uint64_t> claimWith(Wait wait, uint64_t end);
  void checkHeader(uint64_t formula, const std::string &cpu);

  std::string path_;
  int file_ = -1;
};

} // namespace apr::exhaustive
