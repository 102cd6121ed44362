// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The walk over a model: header, members, entries, init; lower_train.cpp has the train blocks.
#include "ir/frontend/model_elaborator.h"

#include "ir/frontend/documentation.h"

#include "ir/frontend/documentation.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

/// A parameter that is a run-time number: `lr: real`, `warmup: i32`.
bool isScalarType(const TypeExpr &type) {
  return type.fields.empty() && type.dims.empty() && !Elaborator::isKind(type) &&
         (type.name == "real" || type.name == "f32" || type.name == "f64" || type.name == "i32" ||
          type.name == "i64");
}

} // namespace

std::optional<Module> ModelElaborator::run(const Layer &model, Scope *fileScope) {
  FunctionContext &members = open(FunctionContext::Purpose::Members, model.name.text,
                                  FunctionKind::Entry, "", "", model.location);
  members.function.trainBlock.clear();
  elaborator_.setDynamic({false, DType::F32, nullptr, {}});
  try {
    model_ = elaborator_.makeInstance(model, fileScope, "", model.location);
    bindHeader(model, *model_);
    auto visit = [&](const frontend::Member &member) {
      if (auto *train = member.as<TrainMember>()) {
        members_.push_back({nullptr, train, model_->scope});
        return true;
      }
      if (auto *entry = member.as<EntryMember>())
        members_.push_back({entry, nullptr, model_->scope});
      if (auto *state = member.as<StateMember>()) {
        elaborator_.declareModelState(*model_, *state);
        return true;
      }
      return false;
    };
    elaborator_.setDynamic({false, real_, model_, {}});
    elaborator_.elaborateMembers(*model_, visit);
  } catch (const Failed &) {
    return std::nullopt;
  }

  addCounter("seed", model.location);
  std::vector<std::string> blocks;
  for (const Member &member : members_)
    if (member.train) {
      blocks.push_back(member.train->name.text);
      addCounter(member.train->name.text + ".steps", member.train->name.location);
    }
  checkFunctionNames();
  for (const Member &member : members_) {
    try {
      if (member.train)
        lowerTrain(*member.train, member.scope);
      else
        lowerEntry(*member.entry, member.scope);
    } catch (const Failed &) {
      failed_ = true;
    }
  }
  try {
    lowerInit(model);
  } catch (const Failed &) {
    failed_ = true;
  }
  if (failed_ || diagnostics_.hasErrors())
    return std::nullopt;

  Module module;
  module.name = model.name.text;
  module.doc = model.doc;
  auto append = [&](auto belongs) {
    for (const StateEntry &entry : tables_.states)
      if (belongs(entry.tensor.role))
        module.state.push_back(entry.tensor);
  };
  append([](StateRole role) { return role == StateRole::Parameter || role == StateRole::Buffer; });
  append([](StateRole role) { return role == StateRole::Optimizer; });
  append([](StateRole role) { return role == StateRole::Counter; });
  module.hypers = tables_.hypers;
  module.trainBlocks = std::move(blocks);
  module.functions = std::move(functions_);
  checkStreams(module);
  if (diagnostics_.hasErrors())
    return std::nullopt;
  return module;
}

/// Entries and train blocks become functions of one name space, beside `init`.
void ModelElaborator::checkFunctionNames() {
  std::map<std::string, Location> names{{"init", Location{}}};
  for (const Member &member : members_) {
    const std::string &name = member.train ? member.train->name.text : member.entry->function.name;
    Location location =
        member.train ? member.train->name.location : member.entry->function.location;
    auto [known, isNew] = names.try_emplace(name, location);
    if (isNew)
      continue;
    failed_ = true;
    std::vector<DiagnosticNote> notes;
    if (known->second.isKnown())
      notes.push_back({known->second, "the first is here"});
    elaborator_.report(DiagnosticKind::DuplicateName, location,
                       fmt::format("two functions would be named '{}'", name),
                       name == "init" ? "'init' makes the start state of every model" : "",
                       std::move(notes));
  }
}

void ModelElaborator::addHyper(std::string name, DType dtype, double value, std::string doc,
                               Location location) {
  for (const Hyperparameter &known : tables_.hypers)
    if (known.name == name)
      elaborator_.fail(DiagnosticKind::DuplicateName, location,
                       fmt::format("two hyperparameters would be named '{}'", name));
  tables_.hypers.push_back({std::move(name), dtype, value, std::move(doc), location});
}

void ModelElaborator::addCounter(std::string name, Location location) {
  if (auto known = tables_.findState(name)) {
    elaborator_.report(DiagnosticKind::DuplicateName, tables_.states[*known].tensor.location,
                       fmt::format("the state of every model has a counter named '{}', so nothing "
                                   "else may have this name",
                                   name),
                       "rename the parameter or buffer", {{location, "the model is here"}});
    failed_ = true;
    return;
  }
  StateEntry entry;
  entry.tensor = {std::move(name), {DType::I64, {}}, StateRole::Counter, "", location};
  tables_.states.push_back(std::move(entry));
}

// ---- header ----

/// The value that --set gives a parameter of the header.
std::optional<Value> ModelElaborator::setting(const Parameter &parameter) {
  if (auto given = header_.find(parameter.pattern.name); given != header_.end())
    return given->second;
  auto found = options_.settings.find(parameter.pattern.name);
  if (found == options_.settings.end())
    return std::nullopt;
  const std::string &text = found->second;
  auto bad = [&](std::string_view expected) {
    elaborator_.fail(DiagnosticKind::BadSetting, parameter.pattern.location,
                     fmt::format("'--set {}={}': {} is expected", found->first, text, expected));
  };
  auto number = [&](const std::string &digits) -> Value {
    std::string_view rest = digits;
    bool isNegative = rest.starts_with('-');
    if (isNegative)
      rest.remove_prefix(1);
    bool isNumber = !rest.empty() && rest[0] >= '0' && rest[0] <= '9' &&
                    rest.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
    Result<Rational> value = isNumber ? Rational::parse(rest) : Result<Rational>(Error{""});
    if (!value)
      bad("a number");
    return NumberValue{isNegative ? value->negated() : *value};
  };
  const TypeExpr *type = parameter.type.get();
  if (!type)
    bad("a parameter with a type");
  if (text == "none" && type->isOptional)
    return NoneValue{};
  if (type->name == "bool") {
    if (text != "true" && text != "false")
      bad("true or false");
    return BoolValue{text == "true"};
  }
  if (type->name == "str")
    return StringValue{text};
  if (type->name == "dtype") {
    auto dtype = findDType(text);
    if (!dtype)
      bad("a dtype: f32, f64, i32, i64, u8 or bool");
    return DTypeValue{*dtype};
  }
  if (type->name == "ints") {
    ListValue list;
    for (size_t begin = 0; begin <= text.size();) {
      size_t end = std::min(text.find(',', begin), text.size());
      list.elements.push_back(number(text.substr(begin, end - begin)));
      begin = end + 1;
    }
    return list;
  }
  if (type->name == "fn" || type->name == "tensors")
    bad("a parameter that can be given as text");
  Value value = number(text);
  if (type->name == "int" && !Elaborator::asInt(value))
    bad("a whole number");
  return value;
}

void ModelElaborator::bindHeader(const Layer &model, Instance &instance) {
  Scope *scope = instance.scope;
  auto known = options_.settings.find("real");
  bool declaresReal =
      std::any_of(model.parameters.begin(), model.parameters.end(),
                  [](const Parameter &parameter) { return parameter.pattern.name == "real"; });
  if (known != options_.settings.end() && !declaresReal) {
    auto dtype = findDType(known->second);
    if (!dtype || !isFloat(*dtype))
      elaborator_.fail(DiagnosticKind::BadSetting, model.name.location,
                       fmt::format("'--set real={}': f32 or f64 is expected", known->second));
    real_ = *dtype;
  }
  scope->names["real"] = DTypeValue{real_};
  scope->names["self"] = InstanceValue{&instance};
  std::vector<std::string> names{"real"};
  Signature signature{model.name.text,        scope, scope, model.location,
                      Signature::Free::Infer, {},    {},    nullptr};
  for (const Parameter &parameter : model.parameters) {
    const std::string &name = parameter.pattern.name;
    names.push_back(name);
    elaborator_.setDynamic({false, real_, &instance, {}});
    auto given = setting(parameter);
    if (!given && !parameter.defaultValue)
      elaborator_.fail(DiagnosticKind::WrongArguments, parameter.pattern.location,
                       fmt::format("'{}' of model '{}' has no value", name, model.name.text),
                       fmt::format("give it a default, or '--set {}=…'", name));
    Value value = given ? *given : elaborator_.evaluate(*parameter.defaultValue, *scope);
    Location location = parameter.pattern.location;
    if (parameter.type)
      value = elaborator_.matchValue(*parameter.type, value, signature, location,
                                     fmt::format("'{}'", name));
    bool isHyper = parameter.type && isScalarType(*parameter.type) && value.is<NumberValue>();
    if (isHyper) {
      bool isReal = parameter.type->name == "real" || parameter.type->name[0] == 'f';
      double number = value.as<NumberValue>()->value.toDouble();
      if (value.as<NumberValue>()->kind != NumberValue::Kind::Finite)
        elaborator_.fail(DiagnosticKind::BadConstant, location,
                         "a hyperparameter's default is finite");
      bool fits = isReal || number == static_cast<double>(static_cast<int32_t>(number));
      if (!fits)
        elaborator_.fail(DiagnosticKind::BadConstant, location,
                         "an integer hyperparameter fits in 32 bits");
      addHyper(name, isReal ? DType::F64 : DType::I32, number, parameter.doc, location);
      value = HyperValue{static_cast<uint32_t>(tables_.hypers.size() - 1)};
    } else if (value.is<TensorValue>()) {
      elaborator_.fail(DiagnosticKind::KindMismatch, location,
                       fmt::format("the default of '{}' must be a constant", name));
    }
    if (name == "real" && value.is<DTypeValue>()) {
      real_ = value.as<DTypeValue>()->dtype;
      if (!isFloat(real_))
        elaborator_.fail(DiagnosticKind::KindMismatch, location, "'real' of a model is f32 or f64");
    }
    instance.members[name] = value;
    scope->names[name] = std::move(value);
  }
  for (const auto &[name, text] : options_.settings) {
    if (std::find(names.begin(), names.end(), name) != names.end())
      continue;
    auto closest = closestName(name, names);
    elaborator_.report(DiagnosticKind::BadSetting, model.name.location,
                       fmt::format("'--set {}={}': model '{}' has no parameter '{}'", name, text,
                                   model.name.text, name),
                       closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
    failed_ = true;
  }
}

// ---- functions ----

FunctionContext &ModelElaborator::open(FunctionContext::Purpose purpose, std::string name,
                                       FunctionKind kind, std::string trainBlock, std::string doc,
                                       Location location) {
  apr::Function function;
  function.name = std::move(name);
  function.kind = kind;
  function.trainBlock = std::move(trainBlock);
  function.doc = std::move(doc);
  function.location = location;
  contexts_.push_back(std::make_unique<FunctionContext>(purpose, std::move(function), tables_));
  elaborator_.setContext(contexts_.back().get());
  bool isTraining = purpose == FunctionContext::Purpose::Grad;
  elaborator_.setDynamic({isTraining, real_, model_, {}});
  return *contexts_.back();
}

void ModelElaborator::close() {
  functions_.push_back(elaborator_.context().finish());
  checkSizes(functions_.back().graph);
}

/// No value may have 2^63 bytes or more, however its constant dims are multiplied.
void ModelElaborator::checkSizes(const Graph &graph) {
  for (const apr::Value &value : graph.values()) {
    int64_t bytes = byteSize(value.type.dtype);
    bool fits = true;
    for (const Dim &dim : value.type.shape)
      if (auto size = dim.asConstant(); size && *size > 0)
        fits = fits && !__builtin_mul_overflow(bytes, *size, &bytes);
    if (!fits)
      elaborator_.fail(DiagnosticKind::TooLarge, value.location,
                       fmt::format("a value of type {} has 2^63 bytes or more", str(value.type)));
  }
  for (const Op &op : graph.ops())
    if (op.region)
      checkSizes(*op.region);
}

/// Inputs of an entry or train block; an `int` is an open dim.
void ModelElaborator::bindInputs(const std::vector<Parameter> &parameters, Signature &signature) {
  FunctionContext &context = elaborator_.context();
  for (const Parameter &parameter : parameters) {
    const std::string &name = parameter.pattern.name;
    Location location = parameter.pattern.location;
    if (name.empty() || !parameter.type || parameter.defaultValue)
      elaborator_.fail(DiagnosticKind::KindMismatch, location,
                       "an input has a name and a type, and no default");
    if (signature.scope->findHere(name))
      elaborator_.fail(DiagnosticKind::DuplicateName, location,
                       fmt::format("'{}' is declared twice", name));
    if (parameter.type->name == "int") {
      signature.scope->names[name] = DimValue{Dim::variable(name)};
      context.addDim(name);
      continue;
    }
    if (Elaborator::isKind(*parameter.type) || parameter.type->isOptional ||
        !parameter.type->fields.empty())
      elaborator_.fail(DiagnosticKind::KindMismatch, parameter.type->location,
                       "an input is a tensor, or an 'int' that names a size");
    Type type = elaborator_.resolveType(*parameter.type, signature);
    if (signature.scope->findHere(name))
      elaborator_.fail(DiagnosticKind::DuplicateName, location,
                       fmt::format("'{}' is both an input and a size", name));
    ValueId id = context.addInput(name, type, location);
    signature.scope->names[name] = elaborator_.make(id);
  }
}

void ModelElaborator::lowerEntry(const EntryMember &entry, Scope *scope) {
  const FunctionDecl &declaration = entry.function;
  open(FunctionContext::Purpose::Entry, declaration.name, FunctionKind::Entry, "",
       documentationOf(declaration), declaration.location);
  Signature signature{declaration.name,
                      elaborator_.newScope(scope),
                      scope,
                      declaration.location,
                      Signature::Free::OpenDims,
                      {},
                      {},
                      nullptr};
  bindInputs(declaration.parameters, signature);
  Expected expected;
  if (declaration.result) {
    std::function<void(const TypeExpr &)> openDims = [&](const TypeExpr &type) {
      for (const TypeField &field : type.fields)
        openDims(*field.type);
      if (type.fields.empty())
        elaborator_.resolveType(type, signature);
    };
    openDims(*declaration.result);
    expected = elaborator_.expectedOf(*declaration.result, signature);
  }
  Value result = elaborator_.evaluateBody(declaration.body, *signature.scope,
                                          declaration.result ? &expected : nullptr);
  Location location = declaration.location;
  if (declaration.body.expr)
    location = declaration.body.expr->location;
  else if (!declaration.body.block->statements.empty())
    location = declaration.body.block->statements.back().location;
  if (declaration.result)
    result = elaborator_.matchValue(*declaration.result, result, signature, location,
                                    fmt::format("the result of '{}'", declaration.name));
  addEntryResults(result, location);
  close();
}

void ModelElaborator::addEntryResults(const Value &value, Location location) {
  FunctionContext &context = elaborator_.context();
  auto add = [&](const Value &element, std::string name) {
    TensorValue tensor = elaborator_.anyTensor(element, location, "the result of an entry");
    if (tensor.isWeak && isFloat(tensor.type.dtype))
      tensor = elaborator_.requireTensor(element, real_, location, "the result");
    context.addResult(tensor.id, ResultRole::Result, std::move(name), ResultKind::Tensor);
  };
  auto *tuple = value.as<TupleValue>();
  if (!tuple)
    return add(value, "result");
  for (size_t i = 0; i < tuple->elements.size(); ++i) {
    bool isNamed = i < tuple->names.size() && !tuple->names[i].empty();
    add(tuple->elements[i], isNamed ? tuple->names[i] : fmt::format("result{}", i));
  }
}

// ---- init ----

void ModelElaborator::lowerInit(const Layer &model) {
  FunctionContext &context =
      open(FunctionContext::Purpose::Init, "init", FunctionKind::Init, "", "", model.location);
  ValueId seed = context.addInput("seed", {DType::I64, {}}, model.location);
  bool hasFailed = false;
  // A later state's start does not see an earlier one: parameters are read when training begins.
  for (uint32_t i = 0; i < tables_.states.size(); ++i) {
    const StateEntry entry = tables_.states[i];
    context.builder.at(entry.tensor.location);
    if (entry.tensor.role == StateRole::Counter) {
      ValueId value =
          entry.tensor.name == "seed" ? seed : context.builder.splatInteger(entry.tensor.type, 0);
      context.addResult(value, ResultRole::Update, entry.tensor.name, ResultKind::Tensor);
      continue;
    }
    elaborator_.setDynamic({false, entry.real, nullptr, {entry.tensor.name}});
    try {
      Expected expected{entry.tensor.type, entry.tensor.type.dtype, {}};
      Value value = elaborator_.evaluate(*entry.start, *entry.scope, &expected);
      if (value.is<FunctionsValue>() || value.is<BuiltinValue>())
        value = elaborator_.call(value, {}, entry.start->location, &expected);
      ValueId id = elaborator_.requireType(value, entry.tensor.type, entry.start->location,
                                           fmt::format("the start of '{}'", entry.tensor.name));
      context.addResult(id, ResultRole::Update, entry.tensor.name, ResultKind::Tensor);
    } catch (const Failed &) {
      hasFailed = true;
    }
  }
  if (hasFailed)
    throw Failed{};
  close();
  std::rotate(functions_.begin(), functions_.end() - 1, functions_.end());
}

/// Streams are told apart by a 32-bit hash of their names (FNV-1a).
void ModelElaborator::checkStreams(const Module &module) {
  std::map<uint32_t, std::string> names;
  for (const apr::Function &function : module.functions)
    for (const Op &op : function.graph.ops()) {
      if (opInfo(op.kind).family != OpFamily::Random)
        continue;
      const std::string &name = op.attributes.string(AttrKey::Stream);
      uint32_t hash = 2166136261u;
      for (unsigned char c : name)
        hash = (hash ^ c) * 16777619u;
      auto [known, isNew] = names.try_emplace(hash, name);
      if (!isNew && known->second != name)
        elaborator_.report(
            DiagnosticKind::StreamCollision, op.location,
            fmt::format("the random streams '{}' and '{}' have one hash", known->second, name),
            "rename the value or the layer");
    }
}

} // namespace apr::frontend
