// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/pipeline.h"

namespace apr {
namespace {

std::vector<std::string> defaultPipeline() {
  return {
      // The functions as the source means them. Steps come first, so that grad and step are
      // differentiated by the same walk over the same ops.
      "compose-steps",

      // Index limits are read off the source's own gathers and picks, because differentiate
      // turns some of them into comparisons.
      "derive-index-limits",

      // The source's own slices and orders; what later passes add follows from these.
      "derive-dim-checks",

      // Nothing may run between the source and this: contributions to a gradient add in the
      // order of use in the source, which CSE or simplification would change.
      "differentiate",

      // The last passes that may change a bit.
      "rewrite-values",
      "expand-functions",
      "fix-reduction-orders",

      // ==== From here on every pass preserves every bit. ====

      // After the orders are fixed, so that --dim cannot influence them.
      "bind-dims",

      // It carries the orders over; what it makes is for the next passes to clean up.
      "lower-convolutions",

      "simplify-exact",
      "fold-constants",
      // Folding makes constants that identities match.
      "simplify-exact",
      "cse",
      "dce",

      // ==== Towards code. ====
      "fuse-elementwise",
      "plan-buffers",
  };
}

} // namespace

std::vector<std::string> makePipeline(OptimizationLevel level) {
  std::vector<std::string> passes = defaultPipeline();
  if (level == OptimizationLevel::O0)
    std::erase_if(passes, [](const std::string &name) {
      return findPass(name)->passClass == PassClass::BitPreserving;
    });
  return passes;
}

PassOptions makePassOptions(OptimizationLevel level) {
  PassOptions options;
  options.fuse = level != OptimizationLevel::O0;
  return options;
}

std::optional<OptimizationLevel> findOptimizationLevel(std::string_view name) {
  if (name == "default")
    return OptimizationLevel::Default;
  if (name == "O0")
    return OptimizationLevel::O0;
  return std::nullopt;
}

} // namespace apr
