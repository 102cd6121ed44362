// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Instances of layers and models: their parameters, their members, their names.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/number_hints.h"
#include "ir/frontend/test_host.h"
#include "ir/frontend/word_hints.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

constexpr int64_t kMaximumStateBytes = int64_t{1} << 40;
constexpr size_t kMaximumInstances = 20'000;

} // namespace

std::string Elaborator::currentPath() const {
  std::string path;
  for (const std::string &part : path_)
    path = dotted(path, part);
  return path;
}

Instance *Elaborator::makeInstance(const Layer &layer, Scope *fileScope, std::string path,
                                   Location location) {
  if (instances_.size() >= kMaximumInstances)
    fail(DiagnosticKind::TooLarge, location,
         fmt::format("more than {} instances of layers", kMaximumInstances));
  for (const Instance &known : instances_)
    if (known.path == path && !path.empty())
      fail(DiagnosticKind::DuplicateName, location,
           fmt::format("two instances would be named '{}'", path),
           "make each one in a member or argument of its own",
           {{known.location, "the first is made here"}});
  instances_.push_back({});
  Instance &instance = instances_.back();
  instance.declaration = &layer;
  instance.path = std::move(path);
  instance.location = location;
  instance.scope = newScope(fileScope);
  return &instance;
}

/// A constructor takes the header's parameters, and the layer's params and buffers as start values.
void Elaborator::failUnknownArgument(const Layer &layer, const CallArgument &argument) {
  std::vector<std::string> names{"real"};
  for (const Parameter &parameter : layer.parameters)
    names.push_back(parameter.pattern.name);
  for (const Member &member : layer.members)
    if (auto *state = member.as<StateMember>())
      names.push_back(state->name.text);
  fail(DiagnosticKind::WrongArguments, argument.location,
       fmt::format("'{}' has no parameter '{}'", layer.name.text, argument.name),
       hintForParameter(argument.name, names));
}

Instance *Elaborator::construct(const LayerValue &layer, std::vector<CallArgument> arguments,
                                Location location) {
  const Layer &declaration = *layer.declaration;
  if (context_->purpose != FunctionContext::Purpose::Members)
    fail(DiagnosticKind::InstancePlace, location,
         fmt::format("'{}' is constructed where no member is made", declaration.name.text),
         "layers have parameters: make the layer a member, 'name = Layer(…)', and call that");
  if (declaration.isModel)
    fail(DiagnosticKind::InstancePlace, location,
         fmt::format("'{}' is a model, not a layer", declaration.name.text));
  if (std::count(active_.begin(), active_.end(), &declaration) > 8)
    fail(DiagnosticKind::Recursion, location,
         fmt::format("layer '{}' contains itself", declaration.name.text));
  Instance &instance = *makeInstance(declaration, layer.scope, currentPath(), location);
  Dynamic outer = dynamic();
  auto outerPath = path_;
  size_t openCalls = calls_.size();
  active_.push_back(&declaration);
  calls_.push_back({location, fmt::format("'{}' is made here", instance.path)});
  struct Frame {
    Elaborator &elaborator;
    Dynamic dynamic;
    std::vector<std::string> path;
    size_t calls;
    ~Frame() {
      elaborator.setDynamic(std::move(dynamic));
      elaborator.path_ = std::move(path);
      elaborator.calls_.resize(calls);
      elaborator.active_.pop_back();
    }
  } frame{*this, std::move(outer), std::move(outerPath), openCalls};

  // Parameters and buffers of the layer can be given by name, as initializers.
  std::map<std::string, CallArgument> initializers;
  for (size_t i = 0; i < arguments.size();) {
    CallArgument &argument = arguments[i];
    bool isState = std::any_of(
        declaration.members.begin(), declaration.members.end(), [&](const Member &member) {
          auto *state = member.as<StateMember>();
          return state && state->name.text == argument.name && !argument.name.empty();
        });
    bool isDeclared = std::any_of(
        declaration.parameters.begin(), declaration.parameters.end(),
        [&](const Parameter &parameter) { return parameter.pattern.name == argument.name; });
    if (argument.name == "real" && !isDeclared) {
      Value real = evaluateArgument(argument, nullptr);
      if (!real.is<DTypeValue>())
        fail(DiagnosticKind::KindMismatch, argument.location,
             fmt::format("'real' must be a dtype, found {}", describe(real)));
      real_ = real.as<DTypeValue>()->dtype;
    } else if (isState && !isDeclared) {
      initializers.emplace(argument.name, argument);
    } else {
      if (!argument.name.empty() && !isDeclared)
        failUnknownArgument(declaration, argument);
      ++i;
      continue;
    }
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i));
  }
  instance.scope->names["real"] = DTypeValue{real_};
  instance.scope->names["self"] = InstanceValue{&instance};
  Signature signature{declaration.name.text,
                      instance.scope,
                      layer.scope,
                      location,
                      Signature::Free::Infer,
                      {},
                      {},
                      nullptr};
  bindArguments(declaration.parameters, std::move(arguments), signature);
  for (const auto &[name, value] : instance.scope->names)
    if (name != "self")
      instance.given.push_back(value);
  instance_ = &instance;
  bindings_.clear();
  auto declare = [&](const Member &member) {
    auto *state = member.as<StateMember>();
    if (state)
      declareState(instance, *state, instance.scope, initializers);
    return state != nullptr;
  };
  elaborateMembers(instance, declare);
  return &instance;
}

void Elaborator::elaborateMembers(Instance &instance,
                                  const std::function<bool(const Member &)> &visit) {
  if (Value *real = instance.scope->find("real"); real && real->is<DTypeValue>())
    real_ = real->as<DTypeValue>()->dtype;
  auto path = path_;
  auto define = [&](const std::string &name, Value value, Location location) {
    if (instance.members.contains(name) && !value.is<PoisonValue>())
      report(DiagnosticKind::DuplicateName, location, fmt::format("'{}' is declared twice", name));
    instance.members[name] = value;
    instance.scope->names[name] = std::move(value);
  };
  auto defineFunction = [&](const FunctionDecl &function) {
    FunctionValue value{&function, instance.scope, &instance};
    if (function.name.empty()) {
      instance.calls.push_back(value);
      return;
    }
    auto known = instance.members.find(function.name);
    auto *overloads =
        known == instance.members.end() ? nullptr : known->second.as<FunctionsValue>();
    FunctionsValue functions{function.name, {}};
    if (overloads)
      functions = *overloads;
    else if (known != instance.members.end())
      report(DiagnosticKind::DuplicateName, function.location,
             fmt::format("'{}' is declared twice", function.name));
    functions.overloads.push_back(value);
    instance.members[function.name] = functions;
    instance.scope->names[function.name] = std::move(functions);
  };
  for (const Member &member : instance.declaration->members) {
    // A member sees those above it, so each opens a scope of its own.
    instance.scope = newScope(instance.scope);
    try {
      if (auto *binding = member.as<Binding>()) {
        path_.push_back(binding->name.text);
        Signature signature{binding->name.text,
                            instance.scope,
                            instance.scope,
                            member.location,
                            Signature::Free::Infer,
                            {},
                            {},
                            nullptr};
        Value value = evaluate(*binding->value, *instance.scope);
        if (binding->type && binding->type->name == "int" && value.is<NumberValue>() &&
            !asDim(value))
          if (auto hint = hintForQuotient(
                  *binding->value,
                  [&](const Expr &part) { return evaluate(part, *instance.scope); });
              !hint.empty())
            fail(DiagnosticKind::KindMismatch, binding->value->location,
                 fmt::format("'{}' must be a whole number, found {}", binding->name.text,
                             value.as<NumberValue>()->value.str()),
                 hint);
        if (binding->type)
          value = matchValue(*binding->type, value, signature, binding->value->location,
                             fmt::format("'{}'", binding->name.text));
        path_ = path;
        define(binding->name.text, std::move(value), binding->name.location);
      } else if (visit(member)) {
        continue;
      } else if (auto *freeze = member.as<FreezeMember>()) {
        for (const ExprPtr &target : freeze->paths)
          for (uint32_t state : statesOf(evaluate(*target, *instance.scope), target->location))
            tables_.states[state].isFrozen = true;
      } else if (auto *function = member.as<FunctionDecl>()) {
        defineFunction(*function);
      } else if (auto *entry = member.as<EntryMember>()) {
        defineFunction(entry->function);
      } else if (auto *train = member.as<TrainMember>()) {
        fail(DiagnosticKind::MisplacedStatement, train->location,
             "a train block stands only in a model");
      }
    } catch (const Failed &) {
      path_ = path;
      if (auto *binding = member.as<Binding>())
        define(binding->name.text, PoisonValue{}, binding->name.location);
      else if (auto *state = member.as<StateMember>())
        define(state->name.text, PoisonValue{}, state->name.location);
    }
  }
}

void Elaborator::declareModelState(Instance &instance, const StateMember &member) {
  std::map<std::string, CallArgument> none;
  declareState(instance, member, instance.scope, none);
}

void Elaborator::declareState(Instance &instance, const StateMember &member, Scope *scope,
                              std::map<std::string, CallArgument> &initializers) {
  const std::string &name = member.name.text;
  auto given = initializers.find(name);
  const Expr *start = given == initializers.end() ? member.start.get() : given->second.expr;
  Scope *startScope = given == initializers.end() ? scope : given->second.scope;
  auto define = [&](Value value) {
    if (instance.members.contains(name))
      report(DiagnosticKind::DuplicateName, member.name.location,
             fmt::format("'{}' is declared twice", name));
    instance.members[name] = value;
    scope->names[name] = std::move(value);
  };
  if (member.type->isOptional && start->as<NoneExpr>())
    return define(NoneValue{});
  if (auto *mention = start->as<NameExpr>(); mention && member.type->isOptional) {
    Value *known = startScope->find(mention->name);
    if (known && known->is<NoneValue>())
      return define(NoneValue{});
  }
  if (start->as<NoneExpr>())
    fail(DiagnosticKind::KindMismatch, start->location, fmt::format("'{}' cannot be none", name),
         "its type has no '?'", {{member.name.location, "it is declared here"}});

  Signature signature{name, scope, scope,  member.name.location, Signature::Free::Infer,
                      {},   {},    nullptr};
  StateEntry entry;
  entry.tensor.name = dotted(instance.path, name);
  entry.tensor.type = resolveType(*member.type, signature);
  entry.tensor.role =
      member.kind == StateMember::Kind::Param ? StateRole::Parameter : StateRole::Buffer;
  entry.tensor.doc = member.doc;
  entry.tensor.location = member.name.location;
  entry.start = start;
  entry.scope = startScope;
  entry.real = real_;
  entry.typeLocation = member.type->location;
  const Type &type = entry.tensor.type;
  int64_t bytes = byteSize(type.dtype);
  for (const Dim &dim : type.shape) {
    auto size = dim.asConstant();
    if (!size)
      fail(DiagnosticKind::OpenDim, member.type->location,
           fmt::format("the shape of '{}' must be known at compile time, found {}", name,
                       str(type)));
    if (*size != 0 && bytes > kMaximumStateBytes / std::max<int64_t>(*size, 1))
      fail(DiagnosticKind::TooLarge, member.type->location,
           fmt::format("'{}' of type {} is larger than a terabyte", entry.tensor.name, str(type)));
    bytes *= *size;
  }
  if (entry.tensor.role == StateRole::Parameter && !isFloat(type.dtype))
    fail(DiagnosticKind::DTypeMismatch, member.type->location,
         fmt::format("a parameter is trained, so its dtype is f32 or f64, found {}",
                     apr::name(type.dtype)),
         "keep integers in a 'buffer'");
  if (tables_.findState(entry.tensor.name))
    fail(DiagnosticKind::DuplicateName, member.name.location,
         fmt::format("'{}' is declared twice", entry.tensor.name));
  tables_.states.push_back(std::move(entry));
  define(StateValue{static_cast<uint32_t>(tables_.states.size() - 1)});
}

Value Elaborator::member(const Value &object, const Name &name, Location location) {
  if (object.is<PoisonValue>())
    throw Failed{};
  if (auto *model = object.as<TestModelValue>())
    return testHost_->member(*model, name, location);
  std::vector<std::string> candidates;
  if (auto *instance = object.as<InstanceValue>()) {
    const auto &members = instance->instance->members;
    if (auto found = members.find(name.text); found != members.end()) {
      if (found->second.is<PoisonValue>())
        throw Failed{};
      return found->second;
    }
    for (const auto &[known, value] : members)
      candidates.push_back(known);
  } else if (auto *tuple = object.as<TupleValue>()) {
    for (size_t i = 0; i < tuple->names.size(); ++i) {
      if (tuple->names[i] == name.text)
        return tuple->elements[i];
      candidates.push_back(tuple->names[i]);
    }
  } else if (auto *chain = object.as<ChainValue>()) {
    for (size_t i = 0; i < chain->names.size(); ++i) {
      if (chain->names[i] == name.text)
        return chain->parts[i];
      candidates.push_back(chain->names[i]);
    }
  }
  auto closest = closestName(name.text, candidates);
  fail(DiagnosticKind::UnknownName, name.location.isKnown() ? name.location : location,
       fmt::format("{} has no member '{}'", describe(object), name.text),
       closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
}

std::vector<uint32_t> Elaborator::statesOf(const Value &value, Location location) {
  std::vector<uint32_t> states;
  auto addAll = [&](const std::vector<Value> &parts) {
    for (const Value &part : parts) {
      if (!part.is<InstanceValue>() && !part.is<ChainValue>() && !part.is<StateValue>())
        continue;
      std::vector<uint32_t> inner = statesOf(part, location);
      states.insert(states.end(), inner.begin(), inner.end());
    }
  };
  if (auto *state = value.as<StateValue>()) {
    states.push_back(state->index);
  } else if (auto *instance = value.as<InstanceValue>()) {
    // What an instance was given belongs to it, wherever it was made. That was earlier, so this
    // ends.
    addAll(instance->instance->given);
    for (const auto &[name, part] : instance->instance->members)
      addAll({part});
    std::erase_if(states, [&](uint32_t state) {
      return tables_.states[state].tensor.role != StateRole::Parameter;
    });
    const std::string &path = instance->instance->path;
    for (uint32_t i = 0; i < tables_.states.size(); ++i) {
      const StateTensor &tensor = tables_.states[i].tensor;
      bool isInside =
          path.empty() || (tensor.name.starts_with(path) && tensor.name.size() > path.size() &&
                           tensor.name[path.size()] == '.');
      if (isInside && tensor.role == StateRole::Parameter)
        states.push_back(i);
    }
  } else if (auto *chain = value.as<ChainValue>()) {
    addAll(chain->parts);
  } else if (auto *tuple = value.as<TupleValue>()) {
    addAll(tuple->elements);
  } else if (auto *list = value.as<ListValue>()) {
    addAll(list->elements);
  } else if (!value.is<NoneValue>()) {
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("an instance or a parameter is needed, found {}", describe(value)));
  }
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
  return states;
}

BundleValue Elaborator::bundleOf(const Value &value, Location location) {
  if (auto *bundle = value.as<BundleValue>())
    return *bundle;
  BundleValue bundle;
  std::vector<uint32_t> states = statesOf(value, location);
  // A frozen instance that is named itself, a moving average say, stands for all it has.
  bool isFrozen = std::all_of(states.begin(), states.end(),
                              [&](uint32_t state) { return tables_.states[state].isFrozen; });
  for (uint32_t state : states)
    if (isFrozen || !tables_.states[state].isFrozen)
      bundle.leaves.emplace_back(state, read(StateValue{state}, location));
  return bundle;
}

} // namespace apr::frontend
