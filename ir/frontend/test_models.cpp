// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The models and layers that a test makes. A model is compiled as for an object, and its functions
// are inlined where they are called; a layer is an instance of the test itself.
#include "ir/frontend/lower_test_impl.h"

#include "ir/rewrite.h"
#include "ir/substitute_dims.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

const std::vector<Parameter> *parametersOf(const Layer &model, std::string_view function) {
  for (const Member &member : model.members) {
    if (auto *entry = member.as<EntryMember>(); entry && entry->function.name == function)
      return &entry->function.parameters;
    auto *train = member.as<TrainMember>();
    if (train && (function == train->name.text || function == train->name.text + ".eval"))
      return &train->parameters;
  }
  return nullptr;
}

bool declares(const Layer &layer, std::string_view parameter) {
  return std::any_of(layer.parameters.begin(), layer.parameters.end(),
                     [&](const Parameter &p) { return p.pattern.name == parameter; });
}

/// Finds the variables of a declared shape that a real one tells; false where they disagree.
bool bindShape(const Shape &declared, const Shape &actual, DimBindings &dims) {
  if (declared.size() != actual.size())
    return false;
  for (size_t i = 0; i < declared.size(); ++i) {
    Dim dim = declared[i].substitute(dims);
    std::set<std::string> open;
    dim.collectVariables(open);
    auto size = actual[i].asConstant();
    if (open.size() != 1 || !size)
      continue;
    // A linear size tells its variable: solve a * v + b == size.
    const std::string &name = *open.begin();
    auto atZero = dim.evaluate({{name, 0}});
    auto atOne = dim.evaluate({{name, 1}});
    auto atTwo = dim.evaluate({{name, 2}});
    bool isLinear = atZero && atOne && atTwo && *atTwo - *atOne == *atOne - *atZero;
    if (!isLinear || *atOne == *atZero)
      continue;
    int64_t rest = *size - *atZero;
    int64_t factor = *atOne - *atZero;
    if (rest % factor != 0 || rest / factor < 0)
      return false;
    dims[name] = rest / factor;
  }
  for (size_t i = 0; i < declared.size(); ++i) {
    auto size = declared[i].evaluate(dims);
    if (size && *size != actual[i].asConstant())
      return false;
  }
  return true;
}

} // namespace

// ---- making ----

Value TestElaborator::construct(const LayerValue &layer, std::vector<CallArgument> arguments,
                                Location location) {
  requireTopLevel(location);
  return layer.declaration->isModel ? constructModel(layer, std::move(arguments), location)
                                    : constructLayer(layer, std::move(arguments), location);
}

Value TestElaborator::constructLayer(const LayerValue &layer, std::vector<CallArgument> arguments,
                                     Location location) {
  size_t first = tables_.states.size();
  auto path = elaborator_.path();
  if (path.empty())
    elaborator_.path().push_back(fmt::format("{}{}", layer.declaration->name.text, ++unnamed_));
  struct Restore {
    TestElaborator &self;
    std::vector<std::string> path;
    Elaborator::Dynamic dynamic;
    ~Restore() {
      self.elaborator_.setContext(self.context_.get());
      self.elaborator_.path() = std::move(path);
      self.elaborator_.setDynamic(std::move(dynamic));
    }
  };
  Instance *instance = nullptr;
  {
    Restore restore{*this, std::move(path), elaborator_.dynamic()};
    elaborator_.setContext(members_.get());
    instance = elaborator_.construct(layer, std::move(arguments), location);
  }
  startStates(first);
  return InstanceValue{instance};
}

/// Start values of the states made last, drawn from the streams that a model would give them.
void TestElaborator::startStates(size_t first) {
  Elaborator::Dynamic outer = elaborator_.dynamic();
  std::string name = std::exchange(context_->function.name, "init");
  struct Restore {
    TestElaborator &self;
    Elaborator::Dynamic dynamic;
    std::string name;
    ~Restore() {
      self.elaborator_.setDynamic(std::move(dynamic));
      self.context_->function.name = std::move(name);
    }
  } restore{*this, std::move(outer), std::move(name)};
  for (size_t i = first; i < tables_.states.size(); ++i) {
    const StateEntry entry = tables_.states[i];
    elaborator_.setDynamic({false, entry.real, nullptr, {entry.tensor.name}});
    Expected expected{entry.tensor.type, entry.tensor.type.dtype, {}};
    Value value = elaborator_.evaluate(*entry.start, *entry.scope, &expected);
    if (value.is<FunctionsValue>() || value.is<BuiltinValue>())
      value = elaborator_.call(value, {}, entry.start->location, &expected);
    ValueId id = elaborator_.requireType(value, entry.tensor.type, entry.start->location,
                                         fmt::format("the start of '{}'", entry.tensor.name));
    context_->writeState(static_cast<uint32_t>(i), id);
  }
}

Value TestElaborator::constructModel(const LayerValue &layer, std::vector<CallArgument> arguments,
                                     Location location) {
  const Layer &declaration = *layer.declaration;
  FrontendOptions options = options_.frontend;
  options.settings.clear();
  std::map<std::string, Value> header;
  int64_t seed = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    CallArgument &argument = arguments[i];
    std::string name = argument.name;
    if (name.empty() && i < declaration.parameters.size())
      name = declaration.parameters[i].pattern.name;
    bool isDeclared = declares(declaration, name);
    Value value = elaborator_.evaluateArgument(argument, nullptr);
    if (name == "seed" && !isDeclared) {
      seed = elaborator_.requireInt(value, argument.location, "the seed");
      continue;
    }
    auto *dtype = value.as<DTypeValue>();
    if (name == "real" && !isDeclared && dtype) {
      options.settings["real"] = apr::name(dtype->dtype);
      continue;
    }
    bool isUsable = !value.is<InstanceValue>() && !value.is<ChainValue>() &&
                    !value.is<TensorValue>() && !value.is<TestModelValue>();
    if (!isDeclared || !isUsable)
      elaborator_.fail(DiagnosticKind::WrongArguments, argument.location,
                       !isDeclared
                           ? fmt::format("model '{}' has no parameter '{}'", declaration.name.text,
                                         name.empty() ? fmt::format("{}", i + 1) : name)
                           : fmt::format("a model's parameter is known at compile time, found {}",
                                         describe(value)));
    header[name] = std::move(value);
  }
  ModelTables tables;
  Elaborator elaborator(sources_, diagnostics_, tables);
  ModelElaborator model(elaborator, tables, diagnostics_, options);
  model.setHeader(std::move(header));
  auto module = model.run(declaration, layer.scope);
  if (module && options_.complete)
    options_.complete(*module, diagnostics_);
  if (!module || diagnostics_.hasErrors())
    throw Failed{};
  models_.push_back({elaborator_.currentPath(), &declaration, std::move(*module), {}});
  TestModel &made = models_.back();
  if (made.name.empty())
    made.name = declaration.name.text;
  const Function *init = made.module.findFunction("init");
  ValueId start = context_->builder.at(location).splatInteger({DType::I64, {}}, seed);
  inlineFunction(made, *init, {}, {{"seed", start}}, location);
  return TestModelValue{&made, {}};
}

// ---- members and calls ----

Value TestElaborator::member(const TestModelValue &object, const Name &name, Location location) {
  TestModel &model = *object.model;
  std::string path = dotted(object.path, name.text);
  if (auto found = model.state.find(path); found != model.state.end())
    return elaborator_.make(found->second);
  auto startsWithPath = [&](const std::string &known) { return known.starts_with(path + "."); };
  bool isInstance = std::any_of(model.state.begin(), model.state.end(),
                                [&](const auto &state) { return startsWithPath(state.first); });
  if (isInstance || model.module.findFunction(path))
    return TestModelValue{&model, std::move(path)};
  std::vector<std::string> candidates;
  auto add = [&](std::string known) {
    if (!object.path.empty() && !known.starts_with(object.path + "."))
      return;
    known = known.substr(object.path.empty() ? 0 : object.path.size() + 1);
    candidates.push_back(known.substr(0, known.find('.')));
  };
  for (const auto &[known, value] : model.state)
    add(known);
  for (const Function &function : model.module.functions)
    add(function.name);
  auto closest = closestName(name.text, candidates);
  elaborator_.fail(DiagnosticKind::UnknownName, name.location.isKnown() ? name.location : location,
                   fmt::format("'{}' has no parameter, entry or train block '{}'",
                               dotted(model.name, object.path), name.text),
                   closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
}

Value TestElaborator::call(const TestModelValue &callee, std::vector<CallArgument> arguments,
                           Location location, const Expected *expected) {
  requireTopLevel(location);
  TestModel &model = *callee.model;
  const Function *function = model.module.findFunction(callee.path);
  const std::vector<Parameter> *parameters = parametersOf(*model.declaration, callee.path);
  std::string what = dotted(model.name, callee.path);
  if (!function || !parameters)
    elaborator_.fail(DiagnosticKind::NotCallable, location,
                     fmt::format("'{}' is neither an entry nor a train block", what),
                     "a test calls 'm.entry(…)', 'm.block(…)' and 'm.block.eval(…)'");

  DimBindings dims;
  std::map<std::string, ValueId, std::less<>> inputs;
  auto typeOf = [&](const std::string &name, ArgumentRole role) -> const Type * {
    for (size_t i = 0; i < function->arguments.size(); ++i)
      if (function->arguments[i].role == role && function->arguments[i].name == name)
        return &function->graph.type(function->graph.arguments()[i]);
    return nullptr;
  };
  auto hyperNamed = [&](const std::string &name) -> const Hyperparameter * {
    for (const Hyperparameter &hyper : model.module.hypers)
      if (hyper.name == name || hyper.name.ends_with("." + name))
        return &hyper;
    return nullptr;
  };
  size_t position = 0;
  for (CallArgument &argument : arguments) {
    std::string name = argument.name;
    if (name.empty() && position < parameters->size())
      name = (*parameters)[position++].pattern.name;
    bool isDim = std::count(function->dims.begin(), function->dims.end(), name) != 0;
    if (isDim) {
      Value value = elaborator_.evaluateArgument(argument, nullptr);
      dims[name] = elaborator_.requireInt(value, argument.location, "a size");
      continue;
    }
    const Type *type = typeOf(name, ArgumentRole::Input);
    const Hyperparameter *hyper = type ? nullptr : hyperNamed(name);
    if (!type && !hyper)
      elaborator_.fail(DiagnosticKind::WrongArguments, argument.location,
                       name.empty()
                           ? fmt::format("'{}' takes {} arguments", what, parameters->size())
                           : fmt::format("'{}' takes no argument '{}'", what, name));
    Type declared = type ? *type : Type{hyper->dtype, {}};
    Expected hint{std::nullopt, declared.dtype, {}};
    Value value = elaborator_.evaluateArgument(argument, &hint);
    TensorValue tensor =
        elaborator_.requireTensor(elaborator_.read(value, argument.location), declared.dtype,
                                  argument.location, fmt::format("'{}'", name));
    if (tensor.isWeak)
      tensor = elaborator_.convertTo(tensor, declared.dtype);
    if (tensor.type.dtype != declared.dtype || !bindShape(declared.shape, tensor.type.shape, dims))
      elaborator_.fail(DiagnosticKind::ShapeMismatch, argument.location,
                       fmt::format("'{}' of '{}' must be {}, found {}", name, what, str(declared),
                                   str(tensor.type)));
    inputs[type ? name : hyper->name] = tensor.id;
  }
  for (const Parameter &parameter : *parameters) {
    const std::string &name = parameter.pattern.name;
    if (typeOf(name, ArgumentRole::Input) && !inputs.contains(name))
      elaborator_.fail(DiagnosticKind::WrongArguments, location,
                       fmt::format("'{}' needs '{}'", what, name));
  }
  // A size that only the results name comes from the place of the call.
  for (size_t i = 0; i < function->results.size(); ++i) {
    bool isOne = function->results.size() == 1;
    const Expected *known = !expected                       ? nullptr
                            : isOne                         ? expected
                            : i < expected->elements.size() ? &expected->elements[i]
                                                            : nullptr;
    if (known && known->type)
      bindShape(function->graph.type(function->graph.results[i]).shape, known->type->shape, dims);
  }
  for (const std::string &dim : function->dims)
    if (!dims.contains(dim))
      elaborator_.fail(DiagnosticKind::UnknownShape, location,
                       fmt::format("the size {} of '{}' is not known here", dim, what),
                       fmt::format("give it: '{} = 4' as an argument", dim));
  return inlineFunction(model, *function, dims, inputs, location);
}

Value TestElaborator::inlineFunction(TestModel &model, const Function &source,
                                     const DimBindings &dims,
                                     const std::map<std::string, ValueId, std::less<>> &inputs,
                                     Location location) {
  Function function = source;
  substituteDims(function, DimReplacements(dims.begin(), dims.end()));
  for (const DimCheck &check : function.checks) {
    auto value = check.value.asConstant();
    bool holds = value && (check.kind == DimCheck::Kind::Zero ? *value == 0 : *value >= 0);
    if (!holds)
      elaborator_.fail(DiagnosticKind::DimCheckFails, location,
                       fmt::format("'{}' does not take these sizes: {}",
                                   dotted(model.name, source.name), check.message));
  }
  Builder &builder = context_->builder;
  builder.at(location);
  std::vector<ValueId> arguments;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const Argument &argument = function.arguments[i];
    const Type &type = function.graph.type(function.graph.arguments()[i]);
    if (auto given = inputs.find(argument.name);
        given != inputs.end() && argument.role != ArgumentRole::State) {
      arguments.push_back(given->second);
    } else if (argument.role == ArgumentRole::State) {
      arguments.push_back(model.state.at(argument.name));
    } else if (argument.role == ArgumentRole::Hyper) {
      double value = model.module.findHyper(argument.name)->defaultValue;
      arguments.push_back(isFloat(type.dtype)
                              ? builder.splat(type, value)
                              : builder.splatInteger(type, static_cast<int64_t>(value)));
    } else {
      // The seed of an entry that draws, and the first row of the batch.
      arguments.push_back(builder.splatInteger(type, 0));
    }
  }
  std::vector<ValueId> results = inlineGraph(builder, function.graph, arguments);
  TupleValue tuple;
  for (size_t i = 0; i < results.size(); ++i) {
    const FunctionResult &result = function.results[i];
    if (result.role == ResultRole::Update) {
      model.state[result.name] = results[i];
    } else if (result.role == ResultRole::Result) {
      tuple.elements.push_back(elaborator_.make(results[i]));
      tuple.names.push_back(result.name);
    }
  }
  bool isValue = function.kind == FunctionKind::Entry && tuple.elements.size() == 1 &&
                 tuple.names.front() == "result";
  if (isValue)
    return tuple.elements.front();
  if (tuple.elements.empty())
    return NoneValue{};
  return tuple;
}

} // namespace apr::frontend
