// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A train block becomes three functions: grad runs its statements and differentiates, apply runs
// its `using` lines, eval runs the statements again without training and keeps rows apart.
#include "ir/frontend/model_elaborator.h"

#include "ir/frontend/documentation.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

/// Where all derivatives of the loss by a value end, although the loss is computed from it: the
/// first op on the way, an integer or a comparison say, behind which none is left.
const Op *endOfPath(const Graph &graph, ValueId value, ValueId loss,
                    const std::vector<bool> &hasDerivative) {
  std::vector<bool> isReached(graph.values().size(), false);
  isReached[value] = true;
  const Op *end = nullptr;
  for (const Op &op : graph.ops()) {
    bool isOnWay = std::any_of(op.operands.begin(), op.operands.end(),
                               [&](ValueId operand) { return bool(isReached[operand]); });
    if (!isOnWay)
      continue;
    for (ValueId result : op.results) {
      isReached[result] = true;
      bool isCut = result < hasDerivative.size() &&
                   (hasDerivative[result] || !isFloat(graph.type(result).dtype) ||
                    op.kind == OpKind::StopGradient);
      if (!end && isCut)
        end = &op;
    }
  }
  return isReached[loss] ? end : nullptr;
}

} // namespace

std::string gradientName(const std::string &state, uint32_t count) {
  return count == 1 ? state : fmt::format("{}#{}", state, count);
}

void ModelElaborator::lowerTrain(const TrainMember &train, Scope *scope) {
  const std::string &block = train.name.text;
  using Purpose = FunctionContext::Purpose;
  FunctionContext &grad =
      open(Purpose::Grad, block + ".grad", FunctionKind::Grad, block, documentationOf(train),
           train.location);
  TrainBody body = runBody(train, scope);
  emitReports(body);
  std::vector<uint32_t> written;
  for (const auto &[state, value] : grad.writtenStates())
    written.push_back(state);
  addGradients(body, written);
  if (train.shards)
    checkShards(train, body);
  close();
  if (train.shards)
    divideRows(functions_.back(), train.shards->location);

  open(Purpose::Apply, block + ".apply", FunctionKind::Apply, block, "", train.location);
  lowerApply(train, body, written);
  close();

  open(Purpose::Eval, block + ".eval", FunctionKind::Eval, block, "", train.location);
  TrainBody evaluation = runBody(train, scope);
  emitReports(evaluation);
  close();
}

/// The gradient block: gradients, which rows of them count, and written values.
void ModelElaborator::addGradients(TrainBody &body, const std::vector<uint32_t> &written) {
  FunctionContext &grad = elaborator_.context();
  std::map<std::string, uint32_t> names;
  for (Pipeline &pipeline : body.pipelines) {
    findRowUpdates(pipeline);
    for (size_t i = 0; i < pipeline.states.size(); ++i) {
      uint32_t state = pipeline.states[i];
      const std::string &name = tables_.states[state].tensor.name;
      if (std::find(written.begin(), written.end(), state) != written.end())
        elaborator_.fail(DiagnosticKind::WrittenAndMinimized, pipeline.location,
                         fmt::format("'{}' is both written with '<-' and minimized", name),
                         "limit the minimization with 'over', or write it in an 'after' block");
      std::string gradient = gradientName(name, ++names[name]);
      grad.addResult(pipeline.gradients[i], ResultRole::Gradient, gradient, ResultKind::Tensor);
      if (pipeline.touched[i])
        grad.addResult(*pipeline.touched[i], ResultRole::Gradient, gradient + ".rows",
                       ResultKind::Tensor);
    }
  }
  for (uint32_t state : written)
    grad.addResult(grad.stateValue(state), ResultRole::Gradient, tables_.states[state].tensor.name,
                   ResultKind::Tensor);
}

ModelElaborator::TrainBody ModelElaborator::runBody(const TrainMember &train, Scope *scope) {
  Signature signature{train.name.text,
                      elaborator_.newScope(scope),
                      scope,
                      train.name.location,
                      Signature::Free::OpenDims,
                      {},
                      {},
                      nullptr};
  bindInputs(train.parameters, signature);
  if (train.shards && elaborator_.context().purpose == FunctionContext::Purpose::Grad)
    declareShards(train, *scope);
  // `step` is the count of this block's calls, unless the model or an input has that name.
  if (!signature.scope->findHere("step") && !model_->members.contains("step"))
    signature.scope->names["step"] =
        StateValue{*tables_.findState(train.name.text + ".steps"), true};
  TrainBody body;
  elaborator_.setStatementHook(
      [this, &body](const Stmt &stmt, Scope &inner) { return trainStatement(stmt, inner, body); });
  try {
    elaborator_.evaluateBlock(train.block, *signature.scope, nullptr);
  } catch (const Failed &) {
    elaborator_.setStatementHook({});
    throw;
  }
  elaborator_.setStatementHook({});
  return body;
}

bool ModelElaborator::trainStatement(const Stmt &stmt, Scope &scope, TrainBody &body) {
  bool isTraining = elaborator_.context().purpose == FunctionContext::Purpose::Grad;
  if (auto *report = stmt.as<ReportStmt>()) {
    Value value = report->value
                      ? elaborator_.evaluate(*report->value, scope)
                      : elaborator_.lookUp(report->name.text, scope, report->name.location);
    addReport(body, report->name.text, std::move(value),
              report->value ? report->value->location : report->name.location);
    return true;
  }
  if (auto *goal = stmt.as<MinimizeStmt>()) {
    body.hasGoal = true;
    minimize(*goal, scope, stmt.location, body);
    return true;
  }
  if (auto *direction = stmt.as<DescendStmt>()) {
    body.hasGoal = true;
    if (isTraining)
      descend(*direction, scope, stmt.location, body);
    return true;
  }
  if (auto *use = stmt.as<UsingStmt>()) {
    if (isTraining && body.pipelines.empty() && body.hasGoal) {
      // The goal failed; a misspelt optimizer can be named all the same.
      auto *call = use->transform->as<CallExpr>();
      elaborator_.evaluate(call ? *call->callee : *use->transform, scope);
      throw Failed{};
    }
    if (isTraining && body.pipelines.empty())
      elaborator_.fail(DiagnosticKind::MisplacedStatement, stmt.location,
                       "'using' stands under a 'minimize' or 'descend'");
    if (isTraining)
      body.pipelines.back().lines.push_back({use, &scope, stmt.location});
    return true;
  }
  if (auto *after = stmt.as<AfterStmt>()) {
    body.after.push_back({after->block.get(), &scope, stmt.location});
    return true;
  }
  return false;
}

void ModelElaborator::minimize(const MinimizeStmt &stmt, Scope &scope, Location location,
                               TrainBody &body) {
  Value value = elaborator_.evaluate(*stmt.value, scope);
  TensorValue loss = elaborator_.anyTensor(value, stmt.value->location, "what is minimized");
  if (!loss.type.shape.empty() || !isFloat(loss.type.dtype))
    elaborator_.fail(DiagnosticKind::ShapeMismatch, stmt.value->location,
                     fmt::format("only a float scalar can be minimized, found {}", str(loss.type)),
                     "average it: 'minimize mean(…)'");
  auto *name = stmt.value->as<NameExpr>();
  std::string reported = name ? name->name : "loss";
  addReport(body, reported, loss, stmt.value->location);
  body.reports.back().isMinimized = true;
  if (elaborator_.context().purpose != FunctionContext::Purpose::Grad)
    return;

  std::vector<uint32_t> states;
  if (stmt.over.empty())
    states = elaborator_.statesOf(InstanceValue{model_}, location);
  for (const ExprPtr &path : stmt.over)
    for (uint32_t state : elaborator_.statesOf(elaborator_.evaluate(*path, scope), path->location))
      states.push_back(state);
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());

  Pipeline pipeline;
  pipeline.location = location;
  std::vector<bool> reaches = elaborator_.dependsOn(loss.id);
  std::vector<ValueId> operands{loss.id};
  for (uint32_t state : states) {
    const StateEntry &entry = tables_.states[state];
    if (entry.isFrozen || entry.tensor.role != StateRole::Parameter)
      continue;
    ValueId argument = elaborator_.context().stateArgument(state);
    if (argument >= reaches.size() || !reaches[argument]) {
      const Op *end = endOfPath(elaborator_.context().graph(), argument, loss.id, reaches);
      std::vector<DiagnosticNote> notes{
          {entry.tensor.location, "the parameter is declared here"}};
      if (end)
        notes.push_back({end->location, fmt::format("its path to '{}' ends in '{}' here, whose "
                                                    "derivative is zero",
                                                    reported, opInfo(end->kind).mnemonic)});
      elaborator_.report(DiagnosticKind::UnusedParameter, stmt.value->location,
                         end ? fmt::format("'{}' reaches '{}' through operations without a "
                                           "derivative only and stays as it is",
                                           entry.tensor.name, reported)
                             : fmt::format("'{}' has no influence on '{}' and stays as it is",
                                           entry.tensor.name, reported),
                         "say what is trained: 'minimize … over …'; or 'freeze' it",
                         std::move(notes));
      continue;
    }
    pipeline.states.push_back(state);
    operands.push_back(argument);
  }
  if (pipeline.states.empty())
    elaborator_.fail(DiagnosticKind::NoGradientPath, stmt.value->location,
                     fmt::format("no trainable parameter has any influence on '{}'", reported));
  Builder &builder = elaborator_.context().builder;
  pipeline.gradients = builder.at(location).createMulti(OpKind::Gradient, operands);
  for (size_t i = 0; i < pipeline.states.size(); ++i)
    elaborator_.context().graph().value(pipeline.gradients[i]).name =
        "grad." + tables_.states[pipeline.states[i]].tensor.name;
  body.pipelines.push_back(std::move(pipeline));
}

void ModelElaborator::descend(const DescendStmt &stmt, Scope &scope, Location location,
                              TrainBody &body) {
  Value value = elaborator_.evaluate(*stmt.value, scope);
  auto *bundle = value.as<BundleValue>();
  if (!bundle || bundle->leaves.empty())
    elaborator_.fail(
        DiagnosticKind::KindMismatch, stmt.value->location,
        fmt::format("'descend' takes gradients by parameter, found {}", describe(value)),
        "'grad(loss)' is the bundle of all gradients");
  Pipeline pipeline;
  pipeline.location = location;
  for (const auto &[state, leaf] : bundle->leaves) {
    pipeline.states.push_back(state);
    pipeline.gradients.push_back(elaborator_.requireType(
        leaf, tables_.states[state].tensor.type, stmt.value->location,
        fmt::format("the gradient of '{}'", tables_.states[state].tensor.name)));
  }
  body.pipelines.push_back(std::move(pipeline));
}

} // namespace apr::frontend
