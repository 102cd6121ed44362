// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr::run {

/// About how many scalar operations the interpreter does for a graph: a term of a product is one,
/// an elementary function many. Huge where a size is not bound or overflows.
double interpreterWork(const Graph &graph, const DimBindings &dims);

} // namespace apr::run
