// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/loop_nest.h"
#include "codegen/strided_view.h"

namespace apr::codegen {

/// Walks the coordinates of a view's axis and knows the memory offset of the current one. A start
/// takes a division for every factor but one; a step to the next coordinate only comparisons.
class Odometer {
public:
  Odometer(LoopNest &nest, const StridedView::Axis &axis, Index position);

  Index offset() const { return offset_; }
  /// Moves to the next coordinate, at the end of the innermost scope.
  void advance();

  /// The current coordinate as values to carry through a loop.
  std::vector<llvm::Value *> state();
  void setState(const std::vector<llvm::Value *> &values, uint32_t level);

private:
  LoopNest &nest_;
  std::vector<Index> sizes_, strides_;
  std::vector<Index> digits_; ///< of all factors, innermost last; the outermost counts on
  Index offset_;
};

} // namespace apr::codegen
