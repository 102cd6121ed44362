// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/fuse_graph.h"

namespace apr {

/// Whether nodes can be one kernel: its form, or why not (one clause for a remark).
struct KernelForm {
  std::string form;    ///< "map", "reduce", "row", "matmul", "scatter", "line"; empty: none
  std::string problem; ///< where there is none
  bool isLegal() const { return !form.empty(); }
};

/// The form that a set of nodes has as one kernel. Every value of the set must be needed at one
/// index per element of the results (and of the reduced axes), so that nothing is computed twice
/// but values shared by whole rows and scalars.
KernelForm formOf(const FuseGraph &graph, const std::set<size_t> &nodes);

} // namespace apr
