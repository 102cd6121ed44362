// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `update row`: a parameter that a step reads by rows alone, as table[ids], changes in these rows
// alone. The rows are marked in the gradient block; the update computes all rows, and the mark
// chooses. It costs a pass over the table, but no bit of another row changes.
#include "ir/frontend/model_elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

bool isRowGather(const Op &op, size_t operand) {
  return op.kind == OpKind::Gather && operand == 0 && op.attributes.integer(AttrKey::Axis) == 0;
}

} // namespace

/// The optimizer of the line where it takes the parameter.
const Optimizer *ModelElaborator::optimizerOf(const UsingLine &line, uint32_t state) {
  auto *call = line.stmt->transform->as<CallExpr>();
  Value callee = elaborator_.evaluate(call ? *call->callee : *line.stmt->transform, *line.scope);
  auto *optimizer = callee.as<OptimizerValue>();
  return optimizer && covers(line, state) ? optimizer->declaration : nullptr;
}

void ModelElaborator::findRowUpdates(Pipeline &pipeline) {
  pipeline.touched.resize(pipeline.states.size());
  for (size_t i = 0; i < pipeline.states.size(); ++i) {
    if (!isReadByRows(pipeline.states[i]))
      continue;
    const Optimizer *optimizer = nullptr;
    for (const UsingLine &line : pipeline.lines)
      if (!optimizer)
        optimizer = optimizerOf(line, pipeline.states[i]);
    bool hasRowRule = optimizer && std::any_of(optimizer->rules.begin(), optimizer->rules.end(),
                                               [](const Stmt &rule) {
                                                 auto *update = rule.as<UpdateStmt>();
                                                 return update && update->perRow;
                                               });
    if (hasRowRule)
      pipeline.touched[i] = touchedRows(pipeline.states[i]);
  }
}

bool ModelElaborator::isReadByRows(uint32_t state) {
  FunctionContext &context = elaborator_.context();
  const ValueId argument = context.stateArgument(state);
  bool isRead = false;
  for (const Op &op : context.graph().ops())
    for (size_t i = 0; i < op.operands.size(); ++i) {
      if (op.operands[i] != argument || op.kind == OpKind::Gradient)
        continue;
      if (!isRowGather(op, i))
        return false;
      isRead = true;
    }
  const auto &results = context.graph().results;
  return isRead && std::find(results.begin(), results.end(), argument) == results.end();
}

ValueId ModelElaborator::touchedRows(uint32_t state) {
  FunctionContext &context = elaborator_.context();
  const ValueId argument = context.stateArgument(state);
  const StateTensor &tensor = tables_.states[state].tensor;
  Builder &builder = context.builder.at(tensor.location);
  std::vector<ValueId> indices;
  for (const Op &op : context.graph().ops())
    if (isRowGather(op, 0) && op.operands[0] == argument &&
        std::find(indices.begin(), indices.end(), op.operands[1]) == indices.end())
      indices.push_back(op.operands[1]);
  const Type counts{DType::I32, {tensor.type.shape[0]}};
  ValueId reads = builder.splatInteger(counts, 0);
  for (ValueId ids : indices) {
    ValueId ones = builder.splatInteger({DType::I32, builder.type(ids).shape}, 1);
    Attributes attributes;
    attributes.set(AttrKey::Axis, int64_t{0});
    reads = builder.create(OpKind::ScatterAdd, {reads, ids, ones}, attributes);
  }
  ValueId none = builder.splatInteger(counts, 0);
  return builder.named(tensor.name + ".rows").create(OpKind::Ne, {reads, none});
}

/// Puts the old rows back where no row was read, in the parameter and in the optimizer's tensors.
void ModelElaborator::keepUntouched(const StateOwner &owner, uint32_t state, ValueId before,
                                    ValueId mask, size_t firstOp, Location location) {
  FunctionContext &context = elaborator_.context();
  const StateTensor tensor = tables_.states[state].tensor;
  // All rows are computed together, so nothing may reach from one to another.
  for (size_t i = firstOp; i < context.graph().ops().size(); ++i) {
    const Op &op = context.graph().ops()[i];
    const Shape &from = op.operands.empty() ? Shape{} : context.graph().type(op.operands[0]).shape;
    const OpFamily family = opInfo(op.kind).family;
    bool keepsRows = isElementwise(op.kind) || op.operands.empty() ||
                     family == OpFamily::Broadcast || from != tensor.type.shape;
    if (family == OpFamily::Reduce || family == OpFamily::ArgReduce)
      keepsRows = keepsRows || op.attributes.integers(AttrKey::Axes).front() != 0;
    if (!keepsRows)
      elaborator_.fail(DiagnosticKind::NotAvailable, op.location,
                       fmt::format("'{}' in 'update row' is not available: all rows are computed "
                                   "together, element by element",
                                   opInfo(op.kind).mnemonic),
                       "a sum over each row is 'sum(…, axis = -1, keep = true)'");
  }
  Builder &builder = context.builder.at(location);
  ValueId chosen = mask;
  if (tensor.type.rank() > 1)
    chosen = builder.broadcast(mask, tensor.type.shape, {0});
  auto keep = [&](uint32_t index, ValueId old) {
    const StateTensor &written = tables_.states[index].tensor;
    if (written.type.shape != tensor.type.shape)
      elaborator_.fail(DiagnosticKind::NotAvailable, written.location,
                       "a state in 'update row' has the type of its parameter",
                       "declare it without a type, or outside the update");
    context.writeState(index, builder.select(chosen, context.stateValue(index), old));
  };
  keep(state, before);
  for (const OptimizerState &own : owner.states)
    keep(own.index, context.stateArgument(own.index));
}

} // namespace apr::frontend
