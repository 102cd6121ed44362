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

} // namespace apr
