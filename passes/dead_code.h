// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr {

/// What becomes of the ops of a graph that nothing uses. Inside the regions of scans they go in
/// any case.
enum class DeadOps : uint8_t { Drop, Keep };

/// Rebuilds a graph without what nothing uses: ops, and of scans the carries that reach no result,
/// the outputs that nothing reads, and the inputs and captured values that no step reads.
Graph dropDeadCode(const Graph &graph, DeadOps deadOps);

} // namespace apr
