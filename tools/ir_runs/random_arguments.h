// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "tools/ir_runs/random_inputs.h"

#include <optional>

namespace apr::run {

/// The shape under the bindings, negative sizes as 0; or which dim is not bound, or that there are
/// more elements than a test should hold.
Result<std::vector<int64_t>> bindShape(const Type &type, const DimBindings &dims);

/// A size for every open dim of the function.
DimBindings drawDims(const Function &function, RandomInputs &random);

/// What random tensors hold.
enum class Values : uint8_t {
  Edges,       ///< infinities, NaN, denormals and huge values among ordinary ones
  MostlyEdges, ///< hardly anything else
  Ordinary,    ///< numbers below 1/2, of which those in state that no one trains are not negative:
               ///< what nets stay finite with; indices lie within their limits
};

/// Arguments for one random call, or nothing where the dims give no shapes: indices mostly within
/// their limits, hyperparameters at their defaults, the row offset mostly 0.
std::optional<std::vector<Tensor>> drawArguments(const Module &module, const Function &function,
                                                 const DimBindings &dims, RandomInputs &random,
                                                 Values values = Values::Edges);

} // namespace apr::run
