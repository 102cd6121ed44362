// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <map>

namespace apr {

/// Where derivatives flow through ops: from which operands to which results. For most ops
/// cutsGradient decides; what one step of a scan hands to the next may take several steps to get
/// to a result, so its region is looked at as a whole.
class GradientFlow {
public:
  /// True where the result of this index has a derivative by the operand that is not zero by
  /// definition.
  bool flows(const Graph &graph, const Op &op, size_t operand, size_t result);

private:
  /// Rows are results, columns operands.
  using Matrix = std::vector<std::vector<bool>>;
  const Matrix &matrixOf(const Op &scan);
  Matrix findMatrix(const Op &scan);

  struct Known {
    std::shared_ptr<const Graph> region; ///< held, so that the key stays its own
    Matrix matrix;
  };
  std::map<const Graph *, Known> known_;
};

} // namespace apr
