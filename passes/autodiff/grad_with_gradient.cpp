// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/autodiff/grad_rules.h"

#include "ir/rewrite.h"

namespace apr {

/// The region says what each argument receives. Its ops become part of the graph, so that they are
/// differentiated in their turn.
void gradWithGradient(OpGradient &d) {
  std::vector<ValueId> arguments = d.op.operands;
  arguments.front() = d.g;
  std::vector<ValueId> derivatives = inlineGraph(d.b, *d.op.region, arguments);
  for (size_t i = 0; i < derivatives.size(); ++i)
    d.give(i + 1, [&] { return derivatives[i]; });
}

} // namespace apr
