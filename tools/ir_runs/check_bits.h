// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass_manager.h"
#include "tools/ir_runs/stages.h"

#include <map>
#include <stdexcept>

namespace apr::run {

/// Those that claim to change no bit, or whatever they claim.
enum class CheckedPasses : uint8_t { BitPreserving, All };

struct BitCheckOptions {
  CheckedPasses passes = CheckedPasses::BitPreserving;
  uint64_t seed = 1;
  int64_t cases = 8;        ///< per function, each of other sizes and arguments
  double maximumWork = 5e7; ///< scalar operations of one run of one function
  DimBindings dims;         ///< sizes that are not drawn
};

/// A pass changed a bit. The message names the pass, the function, the result and its element, both
/// values, the sizes and the seed.
struct BitDifference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Runs every function in the interpreter before and after passes, on random arguments,
/// ordinary ones and edge values in turn, state included, and compares all results and updates of
/// state bit for bit (the interpreter gives canonical NaNs). Functions with `gradient` ops have no
/// meaning yet and wait.
///
/// The runs after one pass are those before the next, so a pass costs one run of each case, and
/// none where it changed nothing.
class BitChecker : public PassObserver {
public:
  explicit BitChecker(BitCheckOptions options) : options_(std::move(options)) {}

  void beforePass(const PassInfo &pass, const Module &module) override;
  /// Throws BitDifference.
  void afterPass(const PassInfo &pass, const Module &module) override;

  /// Functions that could not be checked and why: too large, or every drawn case is refused.
  const std::map<std::string, std::string> &refusals() const { return refusals_; }

private:
  struct Case {
    DimBindings dims;
    std::vector<Tensor> arguments;
    std::vector<Tensor> results;
  };

  bool isChecked(const PassInfo &pass) const;
  Result<std::vector<Case>> drawCases(const Module &module, const Function &function) const;
  void compare(const PassInfo &pass, const Function &after, const Case &drawn, size_t number) const;

  BitCheckOptions options_;
  std::map<std::string, std::vector<Case>> casesOf_; ///< by function; of the module as it is
  std::map<std::string, std::string> refusals_;
  std::string textBefore_;
};

} // namespace apr::run
