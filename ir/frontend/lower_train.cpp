// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A train block becomes three functions: grad runs its statements and differentiates, apply runs
// its `using` lines, eval runs the statements again without training and keeps rows apart.
#include "ir/frontend/model_elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

void ModelElaborator::lowerTrain(const TrainMember &train, Scope *scope) {
  if (train.shards)
    elaborator_.fail(DiagnosticKind::NotAvailable, train.shards->location,
                     "'shards' is not available yet in this version");
  const std::string &block = train.name.text;
  using Purpose = FunctionContext::Purpose;
  FunctionContext &grad =
      open(Purpose::Grad, block + ".grad", FunctionKind::Grad, block, train.doc, train.location);
  TrainBody body = runBody(train, scope);
  emitReports(body);

  std::vector<uint32_t> written;
  for (const auto &[state, value] : grad.writtenStates())
    written.push_back(state);
  std::map<std::string, uint32_t> names;
  for (const Pipeline &pipeline : body.pipelines)
    for (size_t i = 0; i < pipeline.states.size(); ++i) {
      uint32_t state = pipeline.states[i];
      const std::string &name = tables_.states[state].tensor.name;
      if (std::find(written.begin(), written.end(), state) != written.end())
        elaborator_.fail(DiagnosticKind::WrittenAndMinimized, pipeline.location,
                         fmt::format("'{}' is both written with '<-' and minimized", name),
                         "limit the minimization with 'over'");
      uint32_t count = ++names[name];
      grad.addResult(pipeline.gradients[i], ResultRole::Gradient,
                     count == 1 ? name : fmt::format("{}#{}", name, count), ResultKind::Tensor);
    }
  for (uint32_t state : written)
    grad.addResult(grad.stateValue(state), ResultRole::Gradient, tables_.states[state].tensor.name,
                   ResultKind::Tensor);
  close();

  open(Purpose::Apply, block + ".apply", FunctionKind::Apply, block, "", train.location);
  lowerApply(train, body, written);
  close();

  open(Purpose::Eval, block + ".eval", FunctionKind::Eval, block, "", train.location);
  TrainBody evaluation = runBody(train, scope);
  emitReports(evaluation);
  close();
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
  if (!signature.scope->findHere("step"))
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
  if (stmt.as<AfterStmt>())
    elaborator_.fail(DiagnosticKind::NotAvailable, stmt.location,
                     "'after' is not available yet in this version");
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
      elaborator_.report(DiagnosticKind::UnusedParameter, stmt.value->location,
                         fmt::format("'{}' has no influence on '{}' and stays as it is",
                                     entry.tensor.name, reported),
                         "say what is trained: 'minimize … over …'; or 'freeze' it",
                         {{entry.tensor.location, "the parameter is declared here"}});
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

// ---- reports ----

void ModelElaborator::addReport(TrainBody &body, std::string name, Value value, Location location) {
  for (const ReportEntry &known : body.reports)
    if (known.name == name)
      elaborator_.fail(DiagnosticKind::DuplicateName, location,
                       fmt::format("'{}' is reported twice", name),
                       "'report other_name = …', or bind what is minimized to a name",
                       {{known.location, "the first is here"}});
  body.reports.push_back({std::move(name), elaborator_.snapshot(value, location), location, false});
}

void ModelElaborator::emitReports(const TrainBody &body) {
  FunctionContext &context = elaborator_.context();
  std::vector<ReportEntry> reports = body.reports;
  std::stable_partition(reports.begin(), reports.end(),
                        [](const ReportEntry &report) { return report.isMinimized; });
  for (const ReportEntry &report : reports) {
    context.builder.at(report.location);
    std::optional<ValueId> rows;
    if (context.purpose == FunctionContext::Purpose::Eval)
      rows = reportRows(report);
    if (rows)
      context.addResult(*rows, ResultRole::Result, report.name, ResultKind::Rows);
    else
      context.addResult(reportScalar(report), ResultRole::Result, report.name, ResultKind::Scalar);
  }
}

/// The report as one value of the call; of row values their mean.
ValueId ModelElaborator::reportScalar(const ReportEntry &report) {
  FunctionContext &context = elaborator_.context();
  if (report.value.is<TupleValue>())
    elaborator_.fail(DiagnosticKind::NotAvailable, report.location,
                     "reporting a pair of sum and count is not available yet in this version");
  TensorValue value = elaborator_.anyTensor(report.value, report.location, "a report");
  if (value.isWeak && isFloat(value.type.dtype))
    value = elaborator_.requireTensor(value, real_, report.location, "a report");
  if (value.type.shape.empty())
    return value.id;
  if (value.type.rank() > 1)
    elaborator_.fail(
        DiagnosticKind::ShapeMismatch, report.location,
        fmt::format("a report is a scalar or one value per row, found {}", str(value.type)),
        "reduce it: 'row_sum(x)', or 'mean(x)'");
  if (!isFloat(value.type.dtype))
    value = elaborator_.convertTo(value, real_);
  Builder &builder = context.builder;
  ValueId sum = builder.sum(value.id, {0});
  TensorValue count = elaborator_.dimTensor(value.type.shape[0], value.type.dtype);
  return builder.div(sum, count.id);
}

/// One value per row of the batch, where the report has that form.
std::optional<ValueId> ModelElaborator::reportRows(const ReportEntry &report) {
  FunctionContext &context = elaborator_.context();
  auto *tensor = report.value.as<TensorValue>();
  if (!tensor || tensor->owner != &context)
    return std::nullopt;
  if (tensor->rows && tensor->rows->kind == RowForm::Kind::Mean)
    return tensor->rows->terms;
  bool isPerRow = false;
  for (size_t i = 0; i < context.function.arguments.size(); ++i) {
    const Shape &shape = context.builder.type(context.graph().arguments()[i]).shape;
    isPerRow =
        isPerRow || (context.function.arguments[i].role == ArgumentRole::Input && !shape.empty() &&
                     tensor->type.rank() == 1 && shape[0] == tensor->type.shape[0]);
  }
  if (!isPerRow)
    return std::nullopt;
  return isFloat(tensor->type.dtype) ? tensor->id : elaborator_.convertTo(*tensor, real_).id;
}

} // namespace apr::frontend
