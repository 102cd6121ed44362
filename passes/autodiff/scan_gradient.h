// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr {

/// Adds to every scan of the graph the carries that enter each step as further outputs, which the
/// scan's derivative reads. What no derivative reads goes again with dropDeadCode.
Graph keepEnteringCarries(const Graph &graph);

} // namespace apr
