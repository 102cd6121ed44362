// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/graph_generator/function_maker.h"

#include "ir/rewrite.h"

#include <algorithm>
#include <numeric>

namespace apr::fuzz {

FunctionMaker::FunctionMaker(Module &module, Random &random, const Style &style,
                             Signature signature)
    : module_(module), random_(random), style_(style), grower_(function_.graph, random, style) {
  function_.name = std::move(signature.name);
  function_.kind = signature.kind;
  function_.trainBlock = std::move(signature.trainBlock);
  for (const auto &[name, size] : style.dims)
    function_.dims.push_back(name);
  grower_.newArgument = [this](const Type &type) { return drawArgument(type); };
  grower_.randomKey = [this] { return randomKey(); };
}

// ---- arguments ----

ValueId FunctionMaker::addArgument(const Type &type, ArgumentRole role, const std::string &name,
                                   Flow flow) {
  const ValueId value = function_.graph.addArgument(type, name);
  function_.arguments.push_back({role, name, std::nullopt});
  grower_.know(value, flow);
  return value;
}

ValueId FunctionMaker::addState(const Type &type, StateRole role, Flow flow) {
  const std::string name = "s" + std::to_string(module_.state.size());
  module_.state.push_back({name, type, role, "", {}});
  return addArgument(type, ArgumentRole::State, name, flow);
}

ValueId FunctionMaker::stateArgument(const std::string &name) {
  for (size_t i = 0; i < function_.arguments.size(); ++i)
    if (function_.arguments[i].role == ArgumentRole::State && function_.arguments[i].name == name)
      return function_.graph.arguments()[i];
  return addArgument(module_.findState(name)->type, ArgumentRole::State, name, Flow::None);
}

ValueId FunctionMaker::hyper(const Type &type, double value) {
  const std::string name = "h" + std::to_string(module_.hypers.size());
  module_.hypers.push_back({name, type.dtype, value, "", {}});
  return addArgument(type, ArgumentRole::Hyper, name, Flow::None);
}

std::optional<ValueId> FunctionMaker::drawArgument(const Type &type) {
  constexpr size_t kMaximumArguments = 8;
  if (function_.arguments.size() >= kMaximumArguments || function_.kind == FunctionKind::Apply)
    return std::nullopt;
  const bool isConstant =
      std::ranges::all_of(type.shape, [](const Dim &dim) { return dim.isConstant(); });
  const bool isParameter = style_.derivatives == Derivatives::Asked && isFloat(type.dtype) &&
                           !random_.oneIn(3) && function_.kind == FunctionKind::Entry;
  if (type.rank() == 0 && (type.dtype == DType::F64 || type.dtype == DType::I32) &&
      random_.oneIn(3))
    return hyper(type, type.dtype == DType::F64 ? 0.3 : 3);
  if (isConstant && random_.oneIn(4))
    return addState(type, StateRole::Buffer, Flow::None);
  const std::string name = "x" + std::to_string(function_.arguments.size());
  const ValueId value =
      addArgument(type, ArgumentRole::Input, name, isParameter ? Flow::Smooth : Flow::None);
  if (isParameter)
    parameters_.push_back(value);
  return value;
}

std::vector<ValueId> FunctionMaker::randomKey() {
  const Type scalar{DType::I64, {}};
  for (const char *name : {"seed", "steps"})
    if (!module_.findState(name))
      module_.state.push_back({name, scalar, StateRole::Counter, "", {}});
  const ValueId seed = stateArgument("seed"), steps = stateArgument("steps");
  for (size_t i = 0; i < function_.arguments.size(); ++i)
    if (function_.arguments[i].role == ArgumentRole::Exec)
      return {seed, steps, function_.graph.arguments()[i]};
  return {seed, steps, addArgument(scalar, ArgumentRole::Exec, "row_offset", Flow::None)};
}

void FunctionMaker::addParameters() {
  for (size_t n = 1 + random_.below(2); n-- > 0;) {
    Type type{random_.oneIn(8) ? DType::F64 : DType::F32, grower_.makeShape(random_.below(3))};
    if (function_.kind == FunctionKind::Entry) {
      parameters_.push_back(addArgument(type, ArgumentRole::Input,
                                        "p" + std::to_string(function_.arguments.size()),
                                        Flow::Smooth));
      continue;
    }
    for (Dim &dim : type.shape)
      dim = Dim(grower_.sizeOf(dim));
    parameters_.push_back(addState(type, StateRole::Parameter, Flow::Smooth));
  }
}

// ---- derivatives ----

ValueId FunctionMaker::addLoss(const std::vector<ValueId> &from) {
  Builder &b = grower_.builder();
  std::vector<ValueId> terms;
  auto take = [&](ValueId value) {
    if (isFloat(grower_.graph().type(value).dtype) && grower_.flow(value) == Flow::Smooth &&
        std::ranges::find(terms, value) == terms.end())
      terms.push_back(value);
  };
  for (ValueId value : from)
    take(value);
  for (size_t n = 1 + random_.below(2); n-- > 0;)
    if (auto found = grower_.find([](const Type &type) { return isFloat(type.dtype); }))
      take(*found);
  if (terms.empty())
    terms.push_back(parameters_.front());
  const Type scalar{random_.oneIn(6) ? DType::F64 : DType::F32, {}};
  std::optional<ValueId> loss;
  for (ValueId term : terms) {
    if (random_.oneIn(3))
      term = b.mul(term, term);
    const ValueId value = grower_.coerce(term, scalar);
    loss = loss ? b.add(*loss, value) : value;
  }
  if (!grower_.graph().definition(*loss))
    loss = b.neg(*loss);
  grower_.settle();
  return *loss;
}

std::vector<ValueId> FunctionMaker::addGradient(ValueId loss) {
  std::vector<ValueId> operands{loss};
  operands.insert(operands.end(), parameters_.begin(), parameters_.end());
  auto gradients = grower_.builder().createMulti(OpKind::Gradient, operands);
  grower_.settle();
  return gradients;
}

void FunctionMaker::addGradientResults(const std::vector<ValueId> &gradients) {
  for (size_t i = 0; i < gradients.size(); ++i) {
    const auto &arguments = function_.graph.arguments();
    const auto at = std::ranges::find(arguments, parameters_[i]) - arguments.begin();
    function_.graph.results.push_back(gradients[i]);
    function_.results.push_back({ResultRole::Gradient,
                                 function_.arguments[static_cast<size_t>(at)].name,
                                 ResultKind::Tensor});
  }
}

// ---- results ----

void FunctionMaker::addResult(const std::string &name, ValueId value, ResultKind kind) {
  function_.graph.results.push_back(value);
  function_.results.push_back({ResultRole::Result, name, kind});
}

void FunctionMaker::addResults() {
  const auto uses = function_.graph.useCounts();
  std::vector<ValueId> chosen;
  for (ValueId value : grower_.values())
    if (function_.graph.definition(value) &&
        !random_.oneIn(uses[value] == 0 ? 8 : 5) == (uses[value] == 0))
      chosen.push_back(value);
  if (chosen.empty())
    chosen.push_back(grower_.values().back());
  // Late ones matter most: what they read shows in them.
  constexpr size_t kMaximumResults = 8;
  if (chosen.size() > kMaximumResults)
    chosen.erase(chosen.begin(), chosen.end() - kMaximumResults);
  for (ValueId value : chosen)
    addResult((function_.kind == FunctionKind::Apply ? "u" : "r") +
                  std::to_string(function_.results.size()),
              value, ResultKind::Tensor);
}

void FunctionMaker::addUpdates() {
  for (const StateTensor &tensor : module_.state) {
    if (random_.oneIn(4))
      continue;
    auto found = grower_.find([&](const Type &type) { return type == tensor.type; });
    if (!found || !function_.graph.definition(*found))
      continue;
    function_.graph.results.push_back(*found);
    function_.results.push_back({ResultRole::Update, tensor.name, ResultKind::Tensor});
  }
}

// ---- optimizer ----

/// The new value of a parameter by gradient descent, with momentum or scaled by a second moment.
ValueId FunctionMaker::descend(ValueId parameter, ValueId gradient) {
  Builder &b = grower_.builder();
  const Type type = grower_.graph().type(parameter);
  auto scale = [&](ValueId value, double by) {
    const ValueId rate = grower_.coerce(hyper({DType::F64, {}}, by), type);
    return b.mul(rate, value);
  };
  auto update = [&](ValueId state, ValueId value) {
    const auto &arguments = function_.graph.arguments();
    const auto at = std::ranges::find(arguments, state) - arguments.begin();
    function_.graph.results.push_back(value);
    function_.results.push_back({ResultRole::Update,
                                 function_.arguments[static_cast<size_t>(at)].name,
                                 ResultKind::Tensor});
    return value;
  };
  ValueId direction = gradient;
  if (random_.oneIn(2)) {
    const ValueId moment = addState(type, StateRole::Optimizer, Flow::None);
    direction = update(moment, b.add(scale(moment, 0.9), direction));
  }
  if (random_.oneIn(3)) {
    const ValueId moment = addState(type, StateRole::Optimizer, Flow::None);
    const ValueId square = b.mul(gradient, gradient);
    const ValueId mean = update(moment, b.add(scale(moment, 0.99), scale(square, 0.01)));
    const ValueId root = b.unary(OpKind::Sqrt, mean);
    direction = b.div(direction, b.add(root, b.splat(type, 1e-8)));
  }
  return update(parameter, b.sub(parameter, scale(direction, 0.01)));
}

void FunctionMaker::addOptimizer(const Function &grad) {
  for (const FunctionResult &result : grad.results) {
    if (result.role != ResultRole::Gradient)
      continue;
    const Type type = module_.findState(result.name)->type;
    const ValueId gradient = addArgument(type, ArgumentRole::Gradient, result.name, Flow::None);
    descend(stateArgument(result.name), gradient);
  }
  grower_.settle();
  if (random_.oneIn(2)) {
    grower_.grow(grower_.graph().ops().size() + 3);
    addResults();
  }
}

// ---- the function ----

/// Text lists arguments by role, and state and hyperparameters in the module's order.
void FunctionMaker::sortArguments() {
  auto indexOf = [&](const auto &list, const std::string &name) {
    for (size_t i = 0; i < list.size(); ++i)
      if (list[i].name == name)
        return i;
    return size_t(0);
  };
  auto key = [&](size_t i) {
    const Argument &argument = function_.arguments[i];
    size_t place = 0;
    if (argument.role == ArgumentRole::State)
      place = indexOf(module_.state, argument.name);
    if (argument.role == ArgumentRole::Hyper)
      place = indexOf(module_.hypers, argument.name);
    return std::pair(argument.role, place);
  };
  std::vector<size_t> order(function_.arguments.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::ranges::stable_sort(order, {}, key);
  Graph sorted;
  std::vector<ValueId> mapped(order.size());
  std::vector<Argument> arguments;
  for (size_t i : order) {
    const Value &value = function_.graph.value(function_.graph.arguments()[i]);
    mapped[i] = sorted.addArgument(value.type, value.name);
    arguments.push_back(function_.arguments[i]);
  }
  Builder builder(sorted);
  sorted.results = inlineGraph(builder, function_.graph, mapped);
  function_.arguments = std::move(arguments);
  function_.graph = std::move(sorted);
}

void FunctionMaker::finish() {
  sortArguments();
  module_.functions.push_back(std::move(function_));
}

} // namespace apr::fuzz
