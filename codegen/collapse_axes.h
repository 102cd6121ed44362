// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr::codegen {

/// The region with neighbouring axes made one where no op tells them apart, all of them if
/// possible:
///
///     map over f32[B,8,64]  →  map over f32[512*B]
///
/// Its memory is the same, its loops are longer and fewer.
Graph collapseAxes(const Graph &region);

} // namespace apr::codegen
