// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `name <- value`: parameters, buffers and states of the model, and local tensors.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/regions.h"

#include <fmt/format.h>

namespace apr::frontend {

void Elaborator::assign(const Expr &target, const Value &value, Scope &scope) {
  if (auto *tuple = target.as<TupleExpr>()) {
    auto *elements = value.as<TupleValue>();
    if (!elements || elements->elements.size() != tuple->elements.size())
      fail(DiagnosticKind::KindMismatch, target.location,
           fmt::format("{} targets for {}", tuple->elements.size(), describe(value)));
    for (size_t i = 0; i < tuple->elements.size(); ++i)
      assign(*tuple->elements[i], elements->elements[i], scope);
    return;
  }
  auto *name = target.as<NameExpr>();
  Value *local = name ? scope.find(name->name) : nullptr;
  Value old = local ? *local : evaluate(target, scope);
  bool isBundle = old.is<InstanceValue>() || old.is<ChainValue>();
  bool isState = old.is<StateValue>() || isBundle;
  // Evaluation has no side that writes; only training, and what applies it, does.
  if (isState && context_->purpose == FunctionContext::Purpose::Eval)
    return;
  if (isState && context_->asRegion())
    fail(DiagnosticKind::MisplacedStatement, target.location,
         "a parameter or buffer cannot be written inside the body of a 'scan' or a "
         "'with gradient'",
         "carry the new value and write it after the scan");
  if (auto *state = old.as<StateValue>()) {
    if (!context_->canWrite())
      fail(DiagnosticKind::WriteOutsideTraining, target.location,
           "parameters and buffers are written only in training",
           "guard the statement with 'if training { … }'");
    const StateTensor &tensor = tables_.states[state->index].tensor;
    context_->writeState(state->index,
                         requireType(value, tensor.type, target.location,
                                     fmt::format("the new value of '{}'", tensor.name)));
    return;
  }
  if (isBundle && value.is<BundleValue>()) {
    if (!context_->canWrite())
      fail(DiagnosticKind::WriteOutsideTraining, target.location,
           "parameters and buffers are written only in training");
    std::vector<uint32_t> states = statesOf(old, target.location);
    const auto &leaves = value.as<BundleValue>()->leaves;
    if (states.size() != leaves.size())
      fail(DiagnosticKind::KindMismatch, target.location,
           fmt::format("{} parameters, but {} new values", states.size(), leaves.size()));
    for (size_t i = 0; i < states.size(); ++i)
      context_->writeState(states[i],
                           requireType(leaves[i].second, tables_.states[states[i]].tensor.type,
                                       target.location, tables_.states[states[i]].tensor.name));
    return;
  }
  auto *tensor = old.as<TensorValue>();
  bool isNumber = old.is<NumberValue>() || old.is<DimValue>();
  if (!local || (!tensor && !isNumber))
    fail(DiagnosticKind::KindMismatch, target.location,
         fmt::format("'<-' writes a parameter, a buffer, a state or a local tensor, found {}",
                     describe(old)));
  if (context_->asRegion() && scope.findHolder(name->name)->context != context_)
    fail(DiagnosticKind::MisplacedStatement, target.location,
         fmt::format("'{}' is defined outside this body, which runs once per step", name->name),
         "make it a part of the carry");
  if (!tensor || tensor->isWeak) {
    *local = assignedNumber(value, target.location, name->name);
    return;
  }
  TensorValue assigned = make(requireType(value, tensor->type, target.location,
                                          fmt::format("the new value of '{}'", name->name)));
  auto *given = value.as<TensorValue>();
  if (given && given->owner == context_ && given->id == assigned.id)
    assigned.rows = given->rows;
  *local = assigned;
}

/// What a name that held a number holds next: a number, or a tensor that is computed from it.
Value Elaborator::assignedNumber(const Value &value, Location location, const std::string &name) {
  Value known = read(value, location);
  if (!known.is<NumberValue>() && !known.is<DimValue>() && !known.is<TensorValue>())
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("'{}' holds a number, its new value is {}", name, describe(known)));
  return known;
}

} // namespace apr::frontend
