// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <string>

namespace apr::aprc {

/// The functions of a module as one Graphviz digraph, a cluster each: ops are nodes, values edges.
std::string renderDot(const Module &module);

} // namespace apr::aprc
