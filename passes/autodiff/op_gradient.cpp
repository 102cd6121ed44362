// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/autodiff/op_gradient.h"

#include "passes/autodiff/grad_rules.h"
#include "passes/autodiff/own_gradients.h"

#include <fmt/format.h>

namespace apr {

void OpGradient::give(size_t operand, const std::function<ValueId()> &build) {
  if (!wants(operand))
    return;
  ValueId value = build();
  if (type(value) != type(op.operands[operand]))
    throw InternalError(fmt::format("the gradient of '{}' by operand {} is {}, expected {}",
                                    opInfo(op.kind).mnemonic, operand, str(type(value)),
                                    str(type(op.operands[operand]))));
  contributions_.push_back({operand, value});
}

void applyGradientRule(OpGradient &gradient) {
  switch (gradient.op.kind) {
#define APR_OP(Name, ...)                                                                          \
  case OpKind::Name:                                                                               \
    return grad##Name(gradient);
#include "ir/ops.def"
  }
}

bool carriesGradient(DType dtype) { return isFloat(dtype) || dtype == DType::BF16; }

bool cutsGradient(const Graph &graph, const Op &op, size_t operand) {
  if (op.kind == OpKind::StopGradient || op.kind == OpKind::Sign || isCutByOwnGradient(op, operand))
    return true;
  return !carriesGradient(graph.type(op.operands[operand]).dtype) ||
         !carriesGradient(graph.type(op.result()).dtype);
}

} // namespace apr
