// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <optional>

namespace apr::codegen {

/// A value that only moves elements of another one, as strides into that one's memory: the offset
/// of an element is a sum of one part per axis, so what belongs to one axis can be computed apart
/// from the others.
struct StridedView {
  /// Part of an axis: its coordinate, counted through the factors in row-major order, moves by a
  /// stride for each.
  struct Factor {
    Dim size;
    Dim stride;
  };
  using Axis = std::vector<Factor>; ///< outermost first, none longer than it must be; empty: size 1

  ValueId base = kNoValue; ///< an argument of the region, dense
  Dim offset;              ///< of the first element
  std::vector<Axis> axes;
};

/// The value as a strided view of an argument, where it is one.
std::optional<StridedView> traceStridedView(const Graph &region, ValueId value);

} // namespace apr::codegen
