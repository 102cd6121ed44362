// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr {

/// True where `operand` of a with_gradient op receives no derivative: the value, whose own path the
/// op cuts, and what the region captures.
bool isCutByOwnGradient(const Op &op, size_t operand);

/// Replaces every with_gradient op, in regions too, by its value: what it is once all derivatives
/// are there.
Graph dropOwnGradients(const Graph &graph);

} // namespace apr
