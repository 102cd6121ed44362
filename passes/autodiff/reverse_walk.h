// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"
#include "ir/diagnostics.h"

namespace apr {

/// Appends the ops that compute the derivatives of the scalar `loss` by each of `by`, all values of
/// the builder's graph; returns one value per entry of `by`, of its type. `location` is the place
/// that asked. Reports no-gradient, no-gradient-path and unused-parameter.
std::vector<ValueId> buildGradients(Builder &builder, ValueId loss, std::span<const ValueId> by,
                                    Location location, Diagnostics &diagnostics);

/// A value whose derivative is known, as the results of a region are.
struct GradientSeed {
  ValueId value;
  ValueId gradient; ///< of the value's type
};

/// The same from several seeds, each value of which counts as used once, in their order, after all
/// ops. What depends on none of `by` gets zeros and no report. Empty where an op was refused, which
/// is reported.
std::optional<std::vector<ValueId>> buildGradients(Builder &builder,
                                                   std::span<const GradientSeed> seeds,
                                                   std::span<const ValueId> by, Location location,
                                                   Diagnostics &diagnostics);

} // namespace apr
