// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rules of an optimizer: its own statements once a step, `update` once per parameter.
#include "ir/frontend/model_elaborator.h"

#include <fmt/format.h>

namespace apr::frontend {

bool ModelElaborator::declareOptimizerState(const Stmt &stmt, Scope &scope, StateOwner &owner) {
  auto *state = stmt.as<StateStmt>();
  if (!state)
    return false;
  const std::string &name = state->name.text;
  Type type{real_, {}};
  if (owner.type)
    type = *owner.type;
  Signature signature{name, &scope, &scope, stmt.location, Signature::Free::Infer, {}, {}, nullptr};
  if (state->type)
    type = elaborator_.resolveType(*state->type, signature);
  for (const Dim &dim : type.shape)
    if (!dim.isConstant())
      elaborator_.fail(DiagnosticKind::OpenDim, stmt.location,
                       fmt::format("the shape of state '{}' must be known at compile time", name));
  StateEntry entry;
  entry.tensor.name = dotted(dotted(owner.prefix, name), owner.suffix);
  entry.tensor.type = type;
  entry.tensor.role = StateRole::Optimizer;
  entry.tensor.location = state->name.location;
  entry.start = state->value.get();
  entry.scope = &scope;
  entry.real = owner.type ? owner.type->dtype : real_;
  if (tables_.findState(entry.tensor.name))
    elaborator_.fail(DiagnosticKind::DuplicateName, state->name.location,
                     fmt::format("two states would be named '{}'", entry.tensor.name));
  tables_.states.push_back(std::move(entry));
  auto index = static_cast<uint32_t>(tables_.states.size() - 1);
  ValueId value = elaborator_.context().stateArgument(index);
  // An integer of the whole optimizer, a step count say, takes part in hyperparameter arithmetic.
  bool isWeak = type.shape.empty() && !isFloat(type.dtype);
  scope.names[name] = elaborator_.make(value, isWeak);
  owner.states.push_back({index, &scope, name});
  return true;
}

void ModelElaborator::writeBack(const StateOwner &owner, Location location) {
  for (const OptimizerState &state : owner.states) {
    const StateTensor &tensor = tables_.states[state.index].tensor;
    ValueId value = elaborator_.requireType(state.scope->names[state.name], tensor.type, location,
                                            fmt::format("the new value of '{}'", state.name));
    elaborator_.context().writeState(state.index, value);
  }
}

void ModelElaborator::runOptimizer(const Optimizer &optimizer, Scope *outer, PreparedLine &line,
                                   const std::string &prefix,
                                   const std::vector<std::pair<uint32_t, Value>> &leaves,
                                   const RowMasks &masks) {
  FunctionContext &context = elaborator_.context();
  Location location = line.line->location;
  Elaborator::Dynamic dynamic = elaborator_.dynamic();
  Scope *scope = elaborator_.newScope(outer);
  scope->names["real"] = DTypeValue{real_};
  Signature signature{optimizer.name.text,    scope, outer, location,
                      Signature::Free::Infer, {},    {},    nullptr};
  std::vector<CallArgument> arguments;
  for (auto &[parameter, argument] : line.arguments)
    arguments.push_back(argument);
  elaborator_.bindArguments(optimizer.parameters, std::move(arguments), signature);
  scope = elaborator_.newScope(scope);

  StateOwner whole{prefix, "", std::nullopt, {}};
  StateOwner *owner = &whole;
  elaborator_.setStatementHook(
      [&](const Stmt &stmt, Scope &inner) { return declareOptimizerState(stmt, inner, *owner); });
  struct Restore {
    Elaborator &elaborator;
    Elaborator::Dynamic dynamic;
    ~Restore() {
      elaborator.setStatementHook({});
      elaborator.setDynamic(dynamic);
    }
  } restore{elaborator_, dynamic};

  const UpdateStmt *update = nullptr;
  const UpdateStmt *rowUpdate = nullptr;
  for (const Stmt &rule : optimizer.rules) {
    auto *known = rule.as<UpdateStmt>();
    if (!known) {
      elaborator_.execute(rule, *scope);
      continue;
    }
    const UpdateStmt *&place = known->perRow ? rowUpdate : update;
    if (place || known->parameters.size() != 2)
      elaborator_.fail(DiagnosticKind::WrongArguments, rule.location,
                       place ? fmt::format("optimizer '{}' has two such rules", optimizer.name.text)
                             : "an update takes a parameter and its gradient: 'update(p, g)'");
    place = known;
  }
  if (!update)
    elaborator_.fail(DiagnosticKind::WrongArguments, optimizer.location,
                     fmt::format("optimizer '{}' needs one 'update(p, g)'", optimizer.name.text),
                     rowUpdate ? "it is for the parameters that are not read by rows only" : "");
  writeBack(whole, location);

  for (const auto &[state, gradient] : leaves) {
    const StateTensor tensor = tables_.states[state].tensor;
    elaborator_.setDynamic({false, tensor.type.dtype, nullptr, {}});
    StateOwner each{prefix, tensor.name, tensor.type, {}};
    owner = &each;
    auto mask = masks.find(state);
    bool isRowUpdate = rowUpdate && mask != masks.end();
    ValueId before = context.stateValue(state);
    size_t firstOp = context.graph().ops().size();
    runUpdate(isRowUpdate ? *rowUpdate : *update, *scope, state, gradient, each, location);
    if (isRowUpdate)
      keepUntouched(each, state, before, mask->second, firstOp, location);
    owner = &whole;
  }
}

void ModelElaborator::runUpdate(const UpdateStmt &update, Scope &scope, uint32_t state,
                                const Value &gradient, StateOwner &owner, Location location) {
  FunctionContext &context = elaborator_.context();
  const StateTensor tensor = tables_.states[state].tensor;
  const std::string &parameter = update.parameters[0].pattern.name;
  Scope *inner = elaborator_.newScope(&scope);
  inner->names["real"] = DTypeValue{tensor.type.dtype};
  inner->names[parameter] = elaborator_.make(context.stateValue(state));
  inner->names[update.parameters[1].pattern.name] =
      elaborator_.make(elaborator_.requireType(gradient, tensor.type, location, "the gradient"));
  elaborator_.evaluateBlock(*update.block, *inner, nullptr);
  context.writeState(state,
                     elaborator_.requireType(inner->names[parameter], tensor.type, location,
                                             fmt::format("the new value of '{}'", tensor.name)));
  writeBack(owner, location);
}

} // namespace apr::frontend
