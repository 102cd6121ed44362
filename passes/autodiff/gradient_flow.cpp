// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/autodiff/gradient_flow.h"

#include "passes/autodiff/op_gradient.h"

#include "ir/scan.h"

namespace apr {
namespace {

void unite(std::vector<bool> &into, const std::vector<bool> &from) {
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i])
      into[i] = true;
}

} // namespace

bool GradientFlow::flows(const Graph &graph, const Op &op, size_t operand, size_t result) {
  if (op.kind == OpKind::Scan)
    return matrixOf(op)[result][operand];
  return !cutsGradient(graph, op, operand);
}

const GradientFlow::Matrix &GradientFlow::matrixOf(const Op &scan) {
  const Graph *region = scan.region.get();
  if (auto found = known_.find(region); found != known_.end())
    return found->second.matrix;
  Matrix matrix = findMatrix(scan);
  return known_.emplace(region, Known{scan.region, std::move(matrix)}).first->second.matrix;
}

GradientFlow::Matrix GradientFlow::findMatrix(const Op &scan) {
  const Graph &region = *scan.region;
  const size_t operands = region.arguments().size();
  // Within one step: which arguments each value depends on.
  Matrix depends(region.values().size(), std::vector<bool>(operands));
  for (size_t i = 0; i < operands; ++i)
    depends[region.arguments()[i]][i] = carriesGradient(region.type(region.arguments()[i]).dtype);
  for (const Op &op : region.ops())
    for (size_t result = 0; result < op.results.size(); ++result)
      for (size_t operand = 0; operand < op.operands.size(); ++operand)
        if (flows(region, op, operand, result))
          unite(depends[op.results[result]], depends[op.operands[operand]]);
  Matrix matrix;
  for (ValueId result : region.results)
    matrix.push_back(depends[result]);
  // Over any number of steps: the closure over the carries, in Warshall's order. With no step at
  // all a carry is its own last one.
  const size_t carries = ScanParts(scan).carries;
  for (size_t k = 0; k < carries; ++k) {
    matrix[k][k] = carriesGradient(region.type(region.arguments()[k]).dtype);
    for (size_t result = 0; result < matrix.size(); ++result)
      if (matrix[result][k])
        unite(matrix[result], std::vector<bool>(matrix[k]));
  }
  return matrix;
}

} // namespace apr
