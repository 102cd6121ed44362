// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace apr::fuzz {

inline constexpr size_t kOpCount =
#define APR_OP(...) +1
#include "ir/ops.def"
    ;

/// What a run has seen; plain numbers, because workers count in shared memory.
struct Tally {
  uint64_t graphs = 0;
  std::array<uint64_t, 3> graphsByMode{}; ///< by Mode
  uint64_t calls = 0;                     ///< compared bit for bit
  uint64_t refusedCalls = 0;              ///< both sides refuse the arguments
  uint64_t refusedGraphs = 0;             ///< a pass reports an error
  uint64_t differences = 0;
  uint64_t failures = 0; ///< internal errors
  uint64_t crashes = 0;
  uint64_t hangs = 0;
  std::array<uint64_t, kOpCount> computed{};       ///< graphs in which native code computes the op
  std::array<uint64_t, kOpCount> differentiated{}; ///< graphs that differentiate through the op

  void add(const Tally &other);
  uint64_t findings() const { return differences + failures + crashes + hangs; }
};

struct RunFacts {
  uint64_t seed = 0;
  uint64_t firstIndex = 0;
  double seconds = 0;
  std::string commit;
  std::vector<std::string> cpus;
  std::vector<uint64_t> findings; ///< indices
};

/// A table for people.
std::string summary(const Tally &tally, const RunFacts &facts);
/// The same as JSON, for the records of runs that are checked in.
std::string json(const Tally &tally, const RunFacts &facts);

} // namespace apr::fuzz
