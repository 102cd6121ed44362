// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr {

/// True for an op whose meaning is an expansion into other ops: the elementary functions in f64
/// (sqrt is an op of its own), pow, uniform and normal.
bool hasExpansion(const Graph &graph, const Op &op);

/// The expansion: a graph with the op's operands as arguments and its value as the only result. It
/// holds no op that has an expansion. The pass expand-functions writes it in the op's place; the
/// interpreter runs it, so that an op means the same before and after.
Graph expansionOf(const Graph &graph, const Op &op);

} // namespace apr
