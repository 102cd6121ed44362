// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The `using` lines of a train block: what becomes of the gradients.
#include "ir/frontend/model_elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

void ModelElaborator::lowerApply(const TrainMember &train, const TrainBody &body,
                                 const std::vector<uint32_t> &written) {
  FunctionContext &context = elaborator_.context();
  const std::string &block = train.name.text;
  std::vector<std::vector<std::pair<uint32_t, Value>>> leaves;
  std::vector<RowMasks> masks;
  std::map<std::string, uint32_t> names;
  for (const Pipeline &pipeline : body.pipelines) {
    leaves.emplace_back();
    masks.emplace_back();
    for (size_t i = 0; i < pipeline.states.size(); ++i) {
      const uint32_t state = pipeline.states[i];
      const StateTensor &tensor = tables_.states[state].tensor;
      std::string name = gradientName(tensor.name, ++names[tensor.name]);
      ValueId gradient = context.addGradientArgument(name, tensor.type, tensor.location);
      leaves.back().emplace_back(state, elaborator_.make(gradient));
      if (pipeline.touched[i])
        masks.back()[state] = context.addGradientArgument(
            name + ".rows", {DType::Bool, {tensor.type.shape[0]}}, tensor.location);
    }
  }
  for (uint32_t state : written) {
    const StateTensor &tensor = tables_.states[state].tensor;
    context.writeState(state,
                       context.addGradientArgument(tensor.name, tensor.type, tensor.location));
  }

  std::vector<std::vector<PreparedLine>> prepared;
  std::vector<PreparedLine> all;
  for (const Pipeline &pipeline : body.pipelines)
    for (const UsingLine &line : pipeline.lines)
      all.push_back(prepare(line));
  tellGroupsApart(all);
  nameHypers(all, block);
  size_t optimizers =
      static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const PreparedLine &line) {
        return line.callee.is<OptimizerValue>();
      }));
  size_t next = 0;
  for (size_t i = 0; i < body.pipelines.size(); ++i) {
    for (size_t line = 0; line < body.pipelines[i].lines.size(); ++line)
      applyLine(all[next++], block, optimizers > 1, leaves[i], masks[i]);
    if (leaves[i].empty())
      continue;
    std::string left;
    for (size_t k = 0; k < leaves[i].size() && k < 3; ++k)
      left += fmt::format("{}'{}'", left.empty() ? "" : ", ",
                          tables_.states[leaves[i][k].first].tensor.name);
    elaborator_.fail(DiagnosticKind::NoOptimizer, body.pipelines[i].location,
                     fmt::format("no optimizer takes {}{}", left,
                                 leaves[i].size() > 3
                                     ? fmt::format(" and {} more", leaves[i].size() - 3)
                                     : std::string()),
                     "add a line such as 'using adam(lr = 1e-3)' below");
  }
  runAfter(body);
  uint32_t steps = *tables_.findState(block + ".steps");
  context.builder.at(train.location);
  ValueId one = context.builder.splatInteger({DType::I64, {}}, 1);
  context.writeState(steps, context.builder.add(context.stateArgument(steps), one));
  for (const auto &[state, value] : context.writtenStates())
    context.addResult(value, ResultRole::Update, tables_.states[state].tensor.name,
                      ResultKind::Tensor);
}

/// The statements of `after` see the new parameters, and may write them and buffers.
void ModelElaborator::runAfter(const TrainBody &body) {
  FunctionContext &context = elaborator_.context();
  context.isAfter = true;
  for (const AfterPart &part : body.after)
    elaborator_.evaluateBlock(*part.block, *part.scope, nullptr);
  context.isAfter = false;
}

namespace {

bool isScalarNumber(const TypeExpr *type) {
  return type && type->fields.empty() && type->dims.empty() &&
         (type->name == "real" || type->name == "f32" || type->name == "f64" ||
          type->name == "i32" || type->name == "i64");
}

/// "net.0.weight" of a path as it is written; empty where it is something else.
std::string pathText(const Expr &path) {
  if (auto *name = path.as<NameExpr>())
    return name->name;
  if (auto *member = path.as<MemberExpr>())
    return dotted(pathText(*member->object), member->member.text);
  auto *indexing = path.as<IndexExpr>();
  if (!indexing || indexing->indices.size() != 1 || !indexing->indices[0].first)
    return {};
  auto *number = indexing->indices[0].first->as<NumberExpr>();
  return number ? dotted(pathText(*indexing->object), number->text) : std::string();
}

/// How hyperparameters and states of a `using` line are told from those of others.
std::string groupName(const UsingStmt &stmt) {
  if (stmt.on.empty())
    return "rest";
  std::string name = pathText(*stmt.on.front());
  return name.empty() ? "group" : name;
}

} // namespace

/// Optimizers that cover the rest of different gradients, say, are "rest" and "rest2".
void ModelElaborator::tellGroupsApart(std::vector<PreparedLine> &lines) {
  std::map<std::string, int> uses;
  for (PreparedLine &line : lines)
    if (line.callee.is<OptimizerValue>())
      if (int use = ++uses[line.group]; use > 1)
        line.group += std::to_string(use);
}

/// Evaluates the callee and the arguments of a `using` line; the gradients come first later.
ModelElaborator::PreparedLine ModelElaborator::prepare(const UsingLine &line) {
  PreparedLine prepared{&line, {}, {}, {}, groupName(*line.stmt)};
  auto *call = line.stmt->transform->as<CallExpr>();
  const Expr &callee = call ? *call->callee : *line.stmt->transform;
  prepared.callee = elaborator_.evaluate(callee, *line.scope);
  const std::vector<Parameter> *parameters = nullptr;
  size_t skipped = 0;
  Scope *defaults = nullptr;
  std::string name;
  if (auto *optimizer = prepared.callee.as<OptimizerValue>()) {
    parameters = &optimizer->declaration->parameters;
    defaults = optimizer->scope;
    name = optimizer->declaration->name.text;
  } else if (auto *functions = prepared.callee.as<FunctionsValue>();
             functions && functions->overloads.size() == 1) {
    parameters = &functions->overloads[0].declaration->parameters;
    defaults = functions->overloads[0].scope;
    skipped = 1;
    name = functions->name;
  }
  std::vector<CallArgument> arguments;
  if (call)
    for (const ArgumentExpr &argument : call->arguments)
      arguments.push_back({argument.name ? argument.name->text : std::string(),
                           argument.value->location, argument.value.get(), line.scope,
                           std::nullopt});
  if (!parameters) {
    prepared.positional = std::move(arguments);
    return prepared;
  }
  size_t position = skipped;
  std::vector<bool> isGiven(parameters->size(), false);
  for (CallArgument &argument : arguments) {
    size_t place = argument.name.empty() ? position++ : parameters->size();
    for (size_t i = skipped; i < parameters->size() && !argument.name.empty(); ++i)
      if ((*parameters)[i].pattern.name == argument.name)
        place = i;
    if (place >= parameters->size()) {
      std::vector<std::string> names;
      for (const Parameter &parameter : *parameters)
        names.push_back(parameter.pattern.name);
      auto closest = closestName(argument.name, names);
      elaborator_.fail(
          DiagnosticKind::WrongArguments, argument.location,
          argument.name.empty()
              ? fmt::format("'{}' takes {} arguments", name, parameters->size() - skipped)
              : fmt::format("'{}' has no parameter '{}'", name, argument.name),
          closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
    }
    if (isGiven[place])
      elaborator_.fail(
          DiagnosticKind::WrongArguments, argument.location,
          fmt::format("'{}' of '{}' is given twice", (*parameters)[place].pattern.name, name));
    isGiven[place] = true;
    argument.name = (*parameters)[place].pattern.name;
    elaborator_.evaluateArgument(argument, nullptr);
    prepared.arguments.emplace_back(&(*parameters)[place], std::move(argument));
  }
  for (size_t i = skipped; i < parameters->size(); ++i) {
    const Parameter &parameter = (*parameters)[i];
    // Defaults that are constants become hyperparameters too; the others are left to the call.
    if (isGiven[i] || !parameter.defaultValue || !parameter.defaultValue->as<NumberExpr>())
      continue;
    CallArgument argument{parameter.pattern.name, line.location, parameter.defaultValue.get(),
                          defaults, std::nullopt};
    elaborator_.evaluateArgument(argument, nullptr);
    prepared.arguments.emplace_back(&parameter, std::move(argument));
  }
  return prepared;
}

/// Real parameters left to a constant are hyperparameters: `step.lr`, or with their group where
/// two lines have parameters of one name.
void ModelElaborator::nameHypers(std::vector<PreparedLine> &lines, const std::string &block) {
  auto isHyper = [](const std::pair<const Parameter *, CallArgument> &argument) {
    return isScalarNumber(argument.first->type.get()) && argument.second.value &&
           argument.second.value->is<NumberValue>();
  };
  std::map<std::string, uint32_t> uses;
  for (PreparedLine &line : lines)
    for (const auto &argument : line.arguments)
      if (isHyper(argument))
        ++uses[argument.first->pattern.name];
  for (PreparedLine &line : lines)
    for (auto &argument : line.arguments) {
      if (!isHyper(argument))
        continue;
      const NumberValue &number = *argument.second.value->as<NumberValue>();
      const std::string &parameter = argument.first->pattern.name;
      std::string name = dotted(block, parameter);
      if (uses[parameter] > 1) {
        name = dotted(dotted(block, line.group), parameter);
        auto isTaken = [&](const Hyperparameter &known) { return known.name == name; };
        for (int i = 2; std::any_of(tables_.hypers.begin(), tables_.hypers.end(), isTaken); ++i)
          name = fmt::format("{}.{}{}.{}", block, line.group, i, parameter);
      }
      bool isReal = argument.first->type->name == "real" || argument.first->type->name[0] == 'f';
      double value = number.value.toDouble();
      if (number.kind != NumberValue::Kind::Finite ||
          (!isReal && value != static_cast<double>(static_cast<int32_t>(
                                   std::clamp(value, -2147483648.0, 2147483647.0)))))
        elaborator_.fail(DiagnosticKind::BadConstant, argument.second.location,
                         "a hyperparameter is a finite number; an integer one has 32 bits");
      addHyper(name, isReal ? DType::F64 : DType::I32, value, argument.first->doc,
               argument.second.location);
      argument.second.value = HyperValue{static_cast<uint32_t>(tables_.hypers.size() - 1)};
    }
}

bool ModelElaborator::covers(const UsingLine &line, uint32_t state) {
  if (line.stmt->on.empty())
    return true;
  for (const ExprPtr &path : line.stmt->on) {
    Value value = elaborator_.evaluate(*path, *line.scope);
    if (value.is<FunctionsValue>() || value.is<BuiltinValue>()) {
      std::vector<CallArgument> arguments;
      arguments.push_back({{}, path->location, nullptr, nullptr, StateValue{state}});
      Value answer = elaborator_.call(value, std::move(arguments), path->location, nullptr);
      if (elaborator_.requireBool(answer, path->location, "a predicate of 'on'"))
        return true;
      continue;
    }
    std::vector<uint32_t> states = elaborator_.statesOf(value, path->location);
    if (std::find(states.begin(), states.end(), state) != states.end())
      return true;
  }
  return false;
}

void ModelElaborator::applyLine(PreparedLine &line, const std::string &block, bool isShared,
                                std::vector<std::pair<uint32_t, Value>> &leaves,
                                const RowMasks &masks) {
  std::vector<std::pair<uint32_t, Value>> covered;
  std::vector<std::pair<uint32_t, Value>> others;
  for (auto &leaf : leaves)
    (covers(*line.line, leaf.first) ? covered : others).push_back(leaf);
  Location location = line.line->location;
  if (auto *optimizer = line.callee.as<OptimizerValue>()) {
    if (covered.empty())
      elaborator_.report(
          DiagnosticKind::UnusedOptimizer, location,
          fmt::format("no parameter is left for '{}'", optimizer->declaration->name.text));
    std::string prefix = isShared ? dotted(block, line.group) : block;
    runOptimizer(*optimizer->declaration, optimizer->scope, line, prefix, covered, masks);
    leaves = std::move(others);
    return;
  }
  // A function of gradients: its results replace what it was given.
  std::vector<CallArgument> arguments;
  arguments.push_back({{}, location, nullptr, nullptr, BundleValue{covered}});
  for (const auto &[parameter, argument] : line.arguments)
    arguments.push_back(argument);
  for (const CallArgument &argument : line.positional)
    arguments.push_back(argument);
  Value result = elaborator_.call(line.callee, std::move(arguments), location, nullptr);
  auto *bundle = result.as<BundleValue>();
  if (!bundle || bundle->leaves.size() != covered.size())
    elaborator_.fail(DiagnosticKind::KindMismatch, line.line->stmt->transform->location,
                     fmt::format("a function after 'using' returns the gradients it was given, "
                                 "changed; found {}",
                                 describe(result)));
  for (auto &leaf : leaves)
    for (const auto &[state, value] : bundle->leaves)
      if (state == leaf.first)
        leaf.second = value;
}

} // namespace apr::frontend
