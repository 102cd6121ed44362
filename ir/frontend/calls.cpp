// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls: functions are inlined; overloads are chosen by number, dtype and rank of the arguments.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/test_host.h"
#include "ir/frontend/word_hints.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

/// The same function may be open several times (a block inside a block), but not endlessly.
constexpr int64_t kMaximumRecursion = 24;

std::string parameterName(const Parameter &parameter) {
  return parameter.pattern.name.empty() ? "(…)" : parameter.pattern.name;
}

/// True of a layer's `fn` without a name, not of function values that its members make.
bool isOwnCall(const FunctionValue &function) {
  return function.instance &&
         std::any_of(
             function.instance->calls.begin(), function.instance->calls.end(),
             [&](const FunctionValue &own) { return own.declaration == function.declaration; });
}

std::string nameOfCall(const Instance &instance) {
  return instance.path.empty() ? instance.declaration->name.text : instance.path;
}

/// Which parameter each argument goes to; empty where they do not fit together.
std::optional<std::vector<size_t>> pairArguments(const std::vector<Parameter> &parameters,
                                                 const std::vector<CallArgument> &arguments) {
  std::vector<size_t> places;
  std::vector<bool> isGiven(parameters.size(), false);
  for (const CallArgument &argument : arguments) {
    size_t place = places.size();
    if (!argument.name.empty()) {
      auto named = std::find_if(parameters.begin(), parameters.end(), [&](const Parameter &p) {
        return p.pattern.name == argument.name;
      });
      place = static_cast<size_t>(named - parameters.begin());
    }
    if (place >= parameters.size() || isGiven[place])
      return std::nullopt;
    isGiven[place] = true;
    places.push_back(place);
  }
  for (size_t i = 0; i < parameters.size(); ++i)
    if (!isGiven[i] && !parameters[i].defaultValue)
      return std::nullopt;
  return places;
}

/// Where a body's value stands.
Location endOf(const Body &body) {
  if (body.expr)
    return body.expr->location;
  return body.block->statements.empty() ? body.block->location
                                        : body.block->statements.back().location;
}

} // namespace

Value Elaborator::call(const Value &callee, std::vector<CallArgument> arguments, Location location,
                       const Expected *expected) {
  Guard guard(*this, location);
  auto handed = std::find_if(arguments.begin(), arguments.end(),
                             [](const CallArgument &a) { return a.name == "training"; });
  bool isOwn = callee.is<BuiltinValue>() || callee.is<LayerValue>();
  if (handed != arguments.end() && !isOwn) {
    bool training = requireBool(evaluateArgument(*handed, nullptr), handed->location, "'training'");
    arguments.erase(handed);
    bool outer = std::exchange(training_, training);
    struct Restore {
      bool &target;
      bool value;
      ~Restore() { target = value; }
    } restore{training_, outer};
    return call(callee, std::move(arguments), location, expected);
  }
  if (auto *functions = callee.as<FunctionsValue>()) {
    const FunctionValue &chosen = chooseOverload(*functions, arguments, location);
    return callFunction(chosen, std::move(arguments), location, expected);
  }
  if (auto *builtin = callee.as<BuiltinValue>())
    return callBuiltin(*builtin->builtin, std::move(arguments), location, expected);
  if (auto *dtype = callee.as<DTypeValue>())
    return convertCall(dtype->dtype, std::move(arguments), location);
  auto *layer = callee.as<LayerValue>();
  if (layer && testHost_ && context_->purpose != FunctionContext::Purpose::Members)
    return testHost_->construct(*layer, std::move(arguments), location);
  if (auto *model = callee.as<TestModelValue>())
    return testHost_->call(*model, std::move(arguments), location, expected);
  if (layer)
    return InstanceValue{construct(*layer, std::move(arguments), location)};
  if (auto *chain = callee.as<ChainValue>())
    return callChain(*chain, std::move(arguments), location, expected);
  if (auto *instance = callee.as<InstanceValue>()) {
    if (instance->instance->calls.empty())
      fail(DiagnosticKind::NotCallable, location,
           fmt::format("{} has no call of its own", describe(callee)),
           "give the layer a member 'fn (x: …) -> … = …'");
    FunctionsValue calls{dotted(instance->instance->path, ""), instance->instance->calls};
    if (calls.name.empty())
      calls.name = instance->instance->declaration->name.text;
    const FunctionValue &chosen = chooseOverload(calls, arguments, location);
    return callFunction(chosen, std::move(arguments), location, expected);
  }
  if (callee.is<PoisonValue>())
    throw Failed{};
  fail(DiagnosticKind::NotCallable, location,
       fmt::format("{} is not something to call", describe(callee)),
       callee.is<OptimizerValue>() ? "an optimizer stands after 'using' in a train block" : "");
}

Value Elaborator::evaluateArgument(CallArgument &argument, const Expected *expected) {
  if (!argument.value)
    argument.value = evaluate(*argument.expr, *argument.scope, expected);
  return *argument.value;
}

void Elaborator::bindArguments(const std::vector<Parameter> &parameters,
                               std::vector<CallArgument> arguments, Signature &signature) {
  std::vector<CallArgument *> given(parameters.size(), nullptr);
  size_t position = 0;
  for (CallArgument &argument : arguments) {
    size_t place = position;
    if (argument.name.empty()) {
      ++position;
    } else {
      auto named = std::find_if(parameters.begin(), parameters.end(), [&](const Parameter &p) {
        return p.pattern.name == argument.name;
      });
      place = static_cast<size_t>(named - parameters.begin());
      if (named == parameters.end()) {
        std::vector<std::string> names;
        for (const Parameter &parameter : parameters)
          names.push_back(parameter.pattern.name);
        fail(DiagnosticKind::WrongArguments, argument.location,
             fmt::format("'{}' has no parameter '{}'", signature.name, argument.name),
             hintForParameter(argument.name, names));
      }
    }
    if (place >= parameters.size())
      fail(DiagnosticKind::WrongArguments, argument.location,
           fmt::format("'{}' takes {} argument{}, found {}", signature.name, parameters.size(),
                       parameters.size() == 1 ? "" : "s", arguments.size()));
    if (given[place])
      fail(DiagnosticKind::WrongArguments, argument.location,
           fmt::format("'{}' of '{}' is given twice", parameterName(parameters[place]),
                       signature.name));
    given[place] = &argument;
  }

  bool isMember = context_->purpose == FunctionContext::Purpose::Members;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter &parameter = parameters[i];
    std::string what =
        fmt::format("argument '{}' of '{}'", parameterName(parameter), signature.name);
    if (!given[i] && !parameter.defaultValue)
      fail(DiagnosticKind::WrongArguments, signature.call, fmt::format("{} is missing", what));
    Expected expected;
    if (parameter.type)
      expected = expectedOf(*parameter.type, signature);
    path_.push_back(parameter.pattern.name);
    Value value = given[i] ? evaluateArgument(*given[i], &expected)
                           : evaluate(*parameter.defaultValue, *signature.scope, &expected);
    path_.pop_back();
    Location location = given[i] ? given[i]->location : parameter.defaultValue->location;
    if (parameter.type)
      value = matchValue(*parameter.type, value, signature, location, what);
    else if (!isMember)
      value = read(value, location);
    bindPattern(parameter.pattern, value, *signature.scope, location);
  }
  checkDeferred(signature);
}

Value Elaborator::callFunction(const FunctionValue &function, std::vector<CallArgument> arguments,
                               Location location, const Expected *expected) {
  const FunctionDecl &declaration = *function.declaration;
  called_.insert(&declaration);
  std::string name = declaration.name;
  if (name.empty())
    name = isOwnCall(function) ? nameOfCall(*function.instance) : "fn";
  // Instances of one layer share declarations, so the scope tells calls apart.
  const void *key = function.scope;
  if (std::count(active_.begin(), active_.end(), key) > kMaximumRecursion &&
      std::count_if(calls_.begin(), calls_.end(), [&](const DiagnosticNote &note) {
        return note.message.find(fmt::format("'{}'", name)) != std::string::npos;
      }) > kMaximumRecursion)
    fail(DiagnosticKind::Recursion, location, fmt::format("'{}' calls itself without end", name),
         fmt::format("functions are inlined: compile-time values must end it within {} calls",
                     kMaximumRecursion));

  Scope *scope = newScope(function.scope);
  signatures_.push_back(
      {name,
       scope,
       function.scope,
       location,
       Signature::Free::Infer,
       {},
       {},
       function.instance && !function.instance->path.empty() ? function.instance : nullptr});
  Signature &signature = signatures_.back();

  struct Frame {
    Elaborator &elaborator;
    Dynamic dynamic;
    size_t calls, active;
    ~Frame() {
      elaborator.setDynamic(std::move(dynamic));
      elaborator.calls_.resize(calls);
      elaborator.active_.resize(active);
      elaborator.signatures_.pop_back();
    }
  } frame{*this, dynamic(), calls_.size(), active_.size()};

  bindArguments(declaration.parameters, std::move(arguments), signature);
  calls_.push_back({location, fmt::format("in this call of '{}'", name)});
  active_.push_back(key);
  if (function.instance && function.instance != instance_) {
    instance_ = function.instance;
    bindings_.clear();
  }
  Expected resultType;
  if (declaration.result) {
    if (expected)
      matchExpected(*declaration.result, *expected, signature);
    resultType = expectedOf(*declaration.result, signature);
  }
  if (Value *real = scope->find("real"); real && real->is<DTypeValue>())
    real_ = real->as<DTypeValue>()->dtype;
  const Expected *wanted = declaration.result ? &resultType : expected;
  // The gradient sees the names that the body binds, so that one gets a scope that is kept.
  Scope *body = declaration.gradient ? newScope(scope) : nullptr;
  Value result = body && declaration.body.block
                     ? evaluateStatements(*declaration.body.block, *body, wanted)
                     : evaluateBody(declaration.body, *scope, wanted);
  if (declaration.result) {
    result = matchValue(*declaration.result, result, signature, endOf(declaration.body),
                        fmt::format("the result of '{}'", name));
    checkDeferred(signature);
  } else {
    result = snapshot(result, location);
  }
  return body ? withGradient(declaration, name, *scope, *body, result, location) : result;
}

Value Elaborator::callChain(const ChainValue &chain, std::vector<CallArgument> arguments,
                            Location location, const Expected *expected) {
  if (chain.parts.empty()) {
    if (arguments.size() != 1)
      fail(DiagnosticKind::WrongArguments, location, "an empty chain takes one argument");
    return evaluateArgument(arguments[0], expected);
  }
  Value value;
  for (size_t i = 0; i < chain.parts.size(); ++i) {
    bool isLast = i + 1 == chain.parts.size();
    value = call(chain.parts[i], std::move(arguments), location, isLast ? expected : nullptr);
    arguments.clear();
    arguments.push_back({{}, location, nullptr, nullptr, value});
  }
  return value;
}

// ---- overloads ----

bool Elaborator::accepts(const FunctionValue &function,
                         const std::vector<CallArgument> &arguments) {
  const auto &parameters = function.declaration->parameters;
  auto places = pairArguments(parameters, arguments);
  if (!places)
    return false;
  std::map<std::string, DType> dtypes;
  std::map<std::string, size_t> ranks;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const TypeExpr *type = parameters[(*places)[i]].type.get();
    const Value &value = *arguments[i].value;
    if (!type || value.is<PoisonValue>())
      continue;
    if (value.is<NoneValue>()) {
      if (!type->isOptional)
        return false;
      continue;
    }
    bool isConstant = value.is<NumberValue>() || value.is<DimValue>();
    auto *tensor = value.as<TensorValue>();
    if (isKind(*type)) {
      bool isNumber = type->name == "int" || type->name == "ints";
      bool fits = isNumber ? !tensor : (type->name == "fn") == (!tensor && !isConstant);
      if (type->name == "tensors")
        fits = isBundleLike(value);
      if (type->name == "bool")
        fits = value.is<BoolValue>();
      if (!fits)
        return false;
      continue;
    }
    if (!type->fields.empty()) {
      if (!value.is<TupleValue>())
        return false;
      continue;
    }
    if (!isConstant && !tensor && !value.is<ListValue>())
      return false;
    if (tensor && !tensor->isWeak) {
      DType actual = tensor->type.dtype;
      if (type->name == "real" ? !isFloat(actual)
                               : findDType(type->name) && *findDType(type->name) != actual)
        return false;
      if (type->name == "real" || isVariableName(type->name))
        if (dtypes.try_emplace(type->name, actual).first->second != actual)
          return false;
    }
    size_t rank = tensor ? tensor->type.rank() : 0;
    for (const ListValue *list = value.as<ListValue>(); list;
         list = list->elements.empty() ? nullptr : list->elements[0].as<ListValue>())
      ++rank;
    size_t fixed = 0;
    const DimExpr *rest = nullptr;
    for (const DimExpr &dim : type->dims)
      dim.isRest ? (void)(rest = &dim) : (void)++fixed;
    if (rest ? rank < fixed : rank != fixed)
      return false;
    if (rest && ranks.try_emplace(rest->restName, rank - fixed).first->second != rank - fixed)
      return false;
  }
  return true;
}

namespace {

std::string typeText(const TypeExpr &type) {
  if (!type.fields.empty())
    return "(…)";
  std::string dims;
  for (const DimExpr &dim : type.dims) {
    dims += dims.empty() ? "" : ", ";
    auto *name = dim.expr ? dim.expr->as<NameExpr>() : nullptr;
    auto *number = dim.expr ? dim.expr->as<NumberExpr>() : nullptr;
    dims += dim.isRest ? ".." + dim.restName : name ? name->name : number ? number->text : "…";
  }
  return fmt::format("{}{}{}", type.name, dims.empty() ? "" : fmt::format("[{}]", dims),
                     type.isOptional ? "?" : "");
}

} // namespace

std::string Elaborator::describeSignature(const FunctionValue &function) {
  std::string text;
  for (const Parameter &parameter : function.declaration->parameters) {
    text += text.empty() ? "" : ", ";
    text += parameterName(parameter);
    if (parameter.type)
      text += ": " + typeText(*parameter.type);
  }
  return fmt::format("({})", text);
}

const FunctionValue &Elaborator::chooseOverload(const FunctionsValue &functions,
                                                std::vector<CallArgument> &arguments,
                                                Location location) {
  if (functions.overloads.size() == 1)
    return functions.overloads.front();
  std::vector<const FunctionValue *> fitting;
  for (const FunctionValue &function : functions.overloads)
    if (pairArguments(function.declaration->parameters, arguments))
      fitting.push_back(&function);
  if (fitting.size() == 1)
    return *fitting.front();
  for (CallArgument &argument : arguments)
    argument.value = read(evaluateArgument(argument, nullptr), argument.location);
  std::erase_if(fitting,
                [&](const FunctionValue *function) { return !accepts(*function, arguments); });
  if (fitting.size() == 1)
    return *fitting.front();
  std::vector<DiagnosticNote> notes;
  for (const FunctionValue &function : functions.overloads)
    notes.push_back({function.declaration->location,
                     fmt::format("'{}' takes {}", functions.name, describeSignature(function))});
  std::vector<std::string> names;
  for (const FunctionValue &function : functions.overloads)
    for (const Parameter &parameter : function.declaration->parameters)
      names.push_back(parameter.pattern.name);
  std::string found, hint;
  for (const CallArgument &argument : arguments) {
    found += found.empty() ? "" : ", ";
    if (!argument.name.empty())
      found += argument.name + " = ";
    found += argument.value ? describe(*argument.value) : "…";
    if (!argument.name.empty() && !std::ranges::count(names, argument.name))
      hint = hintForParameter(argument.name, names);
  }
  if (fitting.empty())
    fail(DiagnosticKind::NoOverload, location,
         fmt::format("no '{}' takes ({})", functions.name, found), hint, std::move(notes));
  fail(DiagnosticKind::AmbiguousCall, location,
       fmt::format("more than one '{}' takes ({})", functions.name, found), {}, std::move(notes));
}

} // namespace apr::frontend
