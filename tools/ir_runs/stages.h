// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/graph.h"
#include "ir/interp/interpreter.h"

namespace apr::run {

/// What a run gives: the results, or why there are none.
using Outcome = Result<std::vector<Tensor>>;

/// The module after a pass; the first one is the module as it was read, named "source".
struct Stage {
  std::string name;
  Module module;
};

/// Every stage of the default pipeline up to where codegen takes over.
Result<std::vector<Stage>> makeStages(const Module &module, const SourceManager &sources);

/// One computation of a function: by the interpreter at a stage, or by native code.
struct Variant {
  std::string name;
  /// Index inputs are checked, or values rewritten, from this variant on: it may differ from those
  /// before it.
  bool mayDiffer = false;
  /// Empty where the function cannot be run here, before differentiate.
  std::function<std::optional<Outcome>(const Function &, std::span<const Tensor> arguments,
                                       const DimBindings &dims)>
      run;
};

/// Such a graph has no meaning to the interpreter yet.
bool hasGradientOp(const Graph &graph);

/// A variant for each stage that runs it in the interpreter.
std::vector<Variant> interpreterVariants(const std::vector<Stage> &stages);

/// Runs all variants. The text says which differs from its predecessor, or from what is expected of
/// the last variant before values are rewritten; empty where all is well.
struct Comparison {
  std::string problem;
  size_t variantsRun = 0;
  std::optional<Outcome> meaning; ///< what the expectation was compared with
};
Comparison compareVariants(const std::vector<Variant> &variants, const Function &function,
                           std::span<const Tensor> arguments, const DimBindings &dims,
                           const std::function<std::string(const Outcome &)> &problemOfMeaning);

/// How two outcomes of one call differ: two errors never do.
std::optional<std::string> difference(const Function &function, const Outcome &found,
                                      const Outcome &expected);

} // namespace apr::run
