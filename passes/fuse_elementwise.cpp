// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse_elementwise.h"

#include "ir/rewrite.h"

namespace apr {

namespace {
std::string_view formOf(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
    return "reduce";
  case OpFamily::Contract:
    return "matmul";
  case OpFamily::ScatterAdd:
    return "scatter";
  default:
    return "map";
  }
}

bool wrapOp(const Op &op, GraphRewriter &rewriter) {
  const Graph &source = rewriter.source();
  if (op.kind == OpKind::Kernel)
    return false;
  auto region = std::make_shared<Graph>();
  std::vector<ValueId> operands, inner;
  for (ValueId operand : op.operands) {
    operands.push_back(rewriter(operand));
    inner.push_back(region->addArgument(source.type(operand), source.value(operand).name));
  }
  std::vector<Type> types;
  for (ValueId result : op.results)
    types.push_back(source.type(result));
  const size_t index = region->addOp(op.kind, inner, op.attributes, types, op.location);
  region->results = region->ops()[index].results;
  Attributes attributes{{AttrKey::Form, std::string(formOf(op.kind))}};
  auto results = rewriter.builder().at(op.location).createMulti(OpKind::Kernel, operands,
                                                                attributes, types, region);
  for (size_t i = 0; i < results.size(); ++i)
    rewriter.map(op.results[i], results[i]);
  return true;
}
} // namespace

void fuseElementwise(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = rewriteGraph(function.graph, wrapOp);
}

bool readsOnlyAtWrittenIndex(const Op &, size_t, size_t) { return false; }

} // namespace apr
