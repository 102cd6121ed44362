// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/apr-fuzz/configuration.h"
#include "tools/graph_generator/generate.h"

#include <map>
#include <optional>
#include <set>

namespace apr::fuzz {

/// A module with everything that a comparison of its functions depends on.
struct Trial {
  Module module; ///< before any pass
  DimBindings dims;
  /// Per role and name, so that functions that share an argument get the same: made up from the
  /// seed where there is none.
  std::map<std::pair<ArgumentRole, std::string>, Tensor> arguments;
  uint64_t seed = 0;
  size_t repeats = 1; ///< calls of the same code: with other values, sizes and workers each
  Configuration configuration;
};

/// One call of every function.
struct Call {
  DimBindings dims;
  uint64_t seed = 0;
  uint32_t workers = 1; ///< as Configuration::workers
};
/// The first is what the trial says; the others are drawn.
Call callOf(const Trial &trial, size_t repeat);
/// The trial with one call, which is its first.
Trial onlyRepeat(const Trial &trial, size_t repeat);

/// What went wrong, or why nothing could be compared.
struct Finding {
  enum class Kind : uint8_t {
    Difference, ///< bits
    Verdict,    ///< one side refuses the arguments
    Failure,    ///< the compiler gave an error, or an internal one
    Refused,    ///< a pass reports an error about the graph: no fault
  };
  Kind kind = Kind::Difference;
  std::string function; ///< empty for the module as a whole
  size_t result = 0;    ///< of the function, where bits differ
  size_t repeat = 0;
  std::string text;
};

struct TrialResult {
  std::optional<Finding> finding;
  size_t calls = 0;        ///< compared ones
  size_t refusedCalls = 0; ///< where both sides refuse the arguments
  std::set<OpKind> ops;    ///< that were computed, differentiated form included
};

/// Trial `index` of a run.
Trial makeTrial(uint64_t runSeed, uint64_t index);
/// Computes every function by the interpreter and by native code and compares all bits.
TrialResult runTrial(const Trial &trial);

/// The module as the reference interprets it, after fix-reduction-orders, or why there is none.
Result<Module> lowerToMeaning(const Module &source);
/// The arguments of a function of that module in the first call.
std::vector<Tensor> argumentsOf(const Trial &trial, const Module &module, const Function &function);

} // namespace apr::fuzz
