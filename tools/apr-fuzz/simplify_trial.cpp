// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-fuzz/simplify_trial.h"

#include "ir/rewrite.h"
#include "ir/substitute_dims.h"
#include "passes/dead_code.h"
#include "tools/ir_runs/random_arguments.h"

#include <algorithm>
#include <cstring>

namespace apr::fuzz {
namespace {

using Key = std::pair<ArgumentRole, std::string>;

Key keyOf(const Argument &argument) { return {argument.role, argument.name}; }

/// The trial with every argument written down, so that none is drawn again after a change.
Trial withArguments(const Trial &trial) {
  Trial fixed = trial;
  auto meaning = lowerToMeaning(trial.module);
  if (!meaning)
    return fixed;
  for (const Function &function : meaning->functions) {
    auto arguments = argumentsOf(trial, *meaning, function);
    for (size_t i = 0; i < arguments.size(); ++i)
      fixed.arguments.emplace(keyOf(function.arguments[i]), arguments[i]);
  }
  return fixed;
}

/// A graph in which `visit` may give a value another meaning; `target` grows beside it.
struct Rebuilt {
  Function function;
  std::map<Key, Tensor> arguments; ///< of new inputs
};

/// Copies a function but for one op, whose results `replace` maps.
template <typename Replace>
Rebuilt replaceOp(const Function &function, size_t index, Replace replace) {
  Rebuilt rebuilt{function, {}};
  rebuilt.function.graph = {};
  Graph &target = rebuilt.function.graph;
  GraphRewriter rewriter(function.graph, target);
  for (ValueId argument : function.graph.arguments()) {
    const Value &value = function.graph.value(argument);
    rewriter.map(argument, target.addArgument(value.type, value.name));
  }
  for (size_t i = 0; i < function.graph.ops().size(); ++i)
    if (i == index)
      replace(function.graph.ops()[i], rewriter, rebuilt);
    else
      rewriter.copy(function.graph.ops()[i]);
  for (ValueId result : function.graph.results)
    target.results.push_back(rewriter(result));
  return rebuilt;
}

Trial withFunction(const Trial &trial, size_t index, Rebuilt rebuilt) {
  Trial changed = trial;
  changed.module.functions[index] = std::move(rebuilt.function);
  for (auto &[key, tensor] : rebuilt.arguments)
    changed.arguments.insert_or_assign(key, std::move(tensor));
  return changed;
}

bool hasGradients(const Graph &graph) {
  return std::ranges::any_of(graph.ops(), [](const Op &op) { return op.kind == OpKind::Gradient; });
}

/// The values of a function at its top level; empty where it cannot be run.
std::map<ValueId, Tensor> observe(const Trial &trial, const Function &function) {
  std::map<ValueId, Tensor> values;
  if (hasGradients(function.graph))
    return values;
  InterpreterOptions options;
  options.observe = [&](ValueId id, const Tensor &tensor) { values[id] = tensor; };
  auto results =
      interpretFunction(function, argumentsOf(trial, trial.module, function), trial.dims, options);
  if (!results)
    values.clear();
  return values;
}

std::string freshName(const Function &function) {
  for (size_t i = 0;; ++i) {
    const std::string name = "c" + std::to_string(i);
    if (std::ranges::none_of(function.arguments,
                             [&](const Argument &argument) { return argument.name == name; }))
      return name;
  }
}

} // namespace

std::vector<Trial> fewerRepeats(const Trial &trial, const Finding &finding) {
  if (trial.repeats == 1)
    return {};
  return {onlyRepeat(trial, finding.repeat), onlyRepeat(trial, 0), onlyRepeat(trial, 1)};
}

std::vector<Trial> simplerConfigurations(const Trial &trial, const Finding &) {
  std::vector<Trial> offers;
  for (Configuration &simpler : simplerThan(trial.configuration)) {
    offers.push_back(trial);
    offers.back().configuration = std::move(simpler);
  }
  return offers;
}

std::vector<Trial> fewerFunctions(const Trial &trial, const Finding &finding) {
  std::vector<Trial> offers;
  const bool isPlain =
      trial.module.functions.size() == 1 && trial.module.functions[0].kind == FunctionKind::Entry;
  if (auto meaning = lowerToMeaning(trial.module); meaning && !isPlain) {
    const Trial fixed = withArguments(trial);
    for (const Function &function : meaning->functions) {
      if (!finding.function.empty() && function.name != finding.function)
        continue;
      Trial offer = fixed;
      offer.module = *meaning;
      Function only = function;
      only.kind = FunctionKind::Entry;
      only.trainBlock.clear();
      for (Argument &argument : only.arguments)
        if (argument.role == ArgumentRole::Gradient) {
          const Key old = keyOf(argument);
          argument = {ArgumentRole::Input, "d" + argument.name, std::nullopt};
          offer.arguments[keyOf(argument)] = fixed.arguments.at(old);
        }
      for (FunctionResult &result : only.results)
        if (result.role == ResultRole::Gradient)
          result = {ResultRole::Result, "d" + result.name, ResultKind::Tensor};
      offer.module.trainBlocks.clear();
      offer.module.functions = {only};
      offers.push_back(std::move(offer));
    }
  }
  for (size_t i = 0; trial.module.functions.size() > 1 && i < trial.module.functions.size(); ++i) {
    offers.push_back(trial);
    offers.back().module.functions.erase(offers.back().module.functions.begin() +
                                         static_cast<ptrdiff_t>(i));
  }
  return offers;
}

std::vector<Trial> fewerResults(const Trial &trial, const Finding &finding) {
  std::vector<Trial> offers;
  for (size_t f = 0; f < trial.module.functions.size(); ++f) {
    const Function &function = trial.module.functions[f];
    if (function.results.size() < 2)
      continue;
    auto keepOnly = [&](auto isKept) {
      offers.push_back(trial);
      Function &changed = offers.back().module.functions[f];
      changed.results.clear();
      changed.graph.results.clear();
      for (size_t i = 0; i < function.results.size(); ++i)
        if (isKept(i)) {
          changed.results.push_back(function.results[i]);
          changed.graph.results.push_back(function.graph.results[i]);
        }
    };
    keepOnly([&](size_t i) { return i == finding.result; });
    for (size_t left = 0; left < function.results.size(); ++left)
      keepOnly([&](size_t i) { return i != left; });
  }
  return offers;
}

std::vector<Trial> valuesAsInputs(const Trial &trial, const Finding &) {
  std::vector<Trial> offers;
  const Trial fixed = withArguments(trial);
  for (size_t f = 0; f < trial.module.functions.size(); ++f) {
    const Function &function = trial.module.functions[f];
    if (function.kind != FunctionKind::Entry)
      continue;
    const auto values = observe(fixed, function);
    for (size_t i = function.graph.ops().size(); i-- > 0;) {
      const Op &op = function.graph.ops()[i];
      if (std::ranges::any_of(op.results, [&](ValueId v) { return !values.contains(v); }))
        continue;
      offers.push_back(withFunction(
          fixed, f, replaceOp(function, i, [&](const Op &cut, GraphRewriter &to, Rebuilt &made) {
            for (ValueId result : cut.results) {
              const std::string name = freshName(made.function);
              to.map(result, made.function.graph.addArgument(function.graph.type(result), name));
              made.function.arguments.push_back({ArgumentRole::Input, name, std::nullopt});
              made.arguments[{ArgumentRole::Input, name}] = values.at(result);
            }
          })));
    }
  }
  return offers;
}

std::vector<Trial> valuesAsOperands(const Trial &trial, const Finding &) {
  std::vector<Trial> offers;
  for (size_t f = 0; f < trial.module.functions.size(); ++f) {
    const Function &function = trial.module.functions[f];
    for (size_t i = function.graph.ops().size(); i-- > 0;) {
      const Op &op = function.graph.ops()[i];
      if (op.results.size() != 1)
        continue;
      for (ValueId operand : op.operands)
        if (function.graph.type(operand) == function.graph.type(op.result()))
          offers.push_back(withFunction(
              trial, f, replaceOp(function, i, [&](const Op &cut, GraphRewriter &to, Rebuilt &) {
                to.map(cut.result(), to(operand));
              })));
    }
  }
  return offers;
}

std::vector<Trial> withoutDeadCode(const Trial &trial, const Finding &) {
  Trial offer = withArguments(trial);
  bool isSmaller = false;
  std::set<std::string> known;
  for (Function &function : offer.module.functions) {
    const size_t ops = function.graph.ops().size();
    function.graph = dropDeadCode(function.graph, DeadOps::Drop);
    isSmaller = isSmaller || function.graph.ops().size() < ops;
    const auto uses = function.graph.useCounts();
    Graph target;
    GraphRewriter rewriter(function.graph, target);
    std::vector<Argument> arguments;
    for (size_t i = 0; i < function.arguments.size(); ++i) {
      const ValueId old = function.graph.arguments()[i];
      if (uses[old] == 0) {
        isSmaller = true;
        continue;
      }
      const Value &value = function.graph.value(old);
      rewriter.map(old, target.addArgument(value.type, value.name));
      arguments.push_back(function.arguments[i]);
    }
    for (const Op &op : function.graph.ops())
      rewriter.copy(op);
    for (ValueId result : function.graph.results)
      target.results.push_back(rewriter(result));
    function.graph = std::move(target);
    function.arguments = std::move(arguments);
    for (const Argument &argument : function.arguments)
      known.insert(argument.name);
    for (const FunctionResult &result : function.results)
      known.insert(result.name);
  }
  auto isUnknown = [&](const auto &named) { return !known.contains(named.name); };
  isSmaller = std::erase_if(offer.module.state, isUnknown) > 0 || isSmaller;
  isSmaller = std::erase_if(offer.module.hypers, isUnknown) > 0 || isSmaller;
  if (!isSmaller)
    return {};
  return {offer};
}

std::vector<Trial> plainerRoles(const Trial &trial, const Finding &) {
  std::vector<Trial> offers;
  const Trial fixed = withArguments(trial);
  for (size_t f = 0; f < trial.module.functions.size(); ++f) {
    const Function &function = trial.module.functions[f];
    if (function.kind != FunctionKind::Entry)
      continue;
    for (size_t i = 0; i < function.arguments.size(); ++i) {
      if (function.arguments[i].role == ArgumentRole::Input)
        continue;
      Trial offer = fixed;
      Argument &argument = offer.module.functions[f].arguments[i];
      const Key old = keyOf(argument);
      argument = {ArgumentRole::Input, freshName(function), std::nullopt};
      offer.arguments[keyOf(argument)] = fixed.arguments.at(old);
      offers.push_back(std::move(offer));
    }
    for (size_t i = 0; i < function.results.size(); ++i)
      if (function.results[i].role == ResultRole::Update) {
        offers.push_back(fixed);
        offers.back().module.functions[f].results[i] = {
            ResultRole::Result, "new_" + function.results[i].name, ResultKind::Tensor};
      }
  }
  return offers;
}

namespace {

/// Elements of a larger tensor, as many as there are places; the first ones along every axis.
Tensor cropped(const Tensor &from, const std::vector<int64_t> &shape) {
  Tensor to = Tensor::zeros(from.dtype, shape);
  if (from.shape.size() != shape.size())
    return to;
  const size_t size = byteSize(from.dtype);
  std::vector<int64_t> place(shape.size(), 0);
  for (int64_t i = 0; i < to.count(); ++i) {
    int64_t rest = i, source = 0;
    for (size_t axis = shape.size(); axis-- > 0;) {
      place[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    bool isInside = true;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      isInside = isInside && place[axis] < from.shape[axis];
      source = source * from.shape[axis] + place[axis];
    }
    if (isInside)
      std::memcpy(&to.data[static_cast<size_t>(i) * size],
                  &from.data[static_cast<size_t>(source) * size], size);
  }
  return to;
}

void cropArguments(Trial &trial) {
  for (const Function &function : trial.module.functions)
    for (size_t i = 0; i < function.arguments.size(); ++i) {
      auto known = trial.arguments.find(keyOf(function.arguments[i]));
      auto shape = run::bindShape(function.graph.type(function.graph.arguments()[i]), trial.dims);
      if (known != trial.arguments.end() && shape)
        known->second = cropped(known->second, *shape);
    }
}

/// Replaces one number by another wherever it is a size or a bound.
void replaceSize(Graph &graph, int64_t from, int64_t to) {
  auto replace = [&](Dim &dim) {
    if (dim == Dim(from))
      dim = Dim(to);
  };
  for (ValueId v = 0; v < graph.values().size(); ++v)
    for (Dim &dim : graph.value(v).type.shape)
      replace(dim);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    Op &op = graph.op(i);
    Attributes attributes;
    for (auto [key, value] : op.attributes.entries()) {
      if (auto *dims = std::get_if<std::vector<Dim>>(&value))
        std::ranges::for_each(*dims, replace);
      attributes.set(key, std::move(value));
    }
    op.attributes = std::move(attributes);
    if (op.region) {
      auto region = std::make_shared<Graph>(*op.region);
      replaceSize(*region, from, to);
      op.region = std::move(region);
    }
  }
}

} // namespace

std::vector<Trial> smallerSizes(const Trial &trial, const Finding &) {
  std::vector<Trial> offers;
  const Trial fixed = withArguments(trial);
  for (const auto &[name, size] : trial.dims)
    for (int64_t smaller : {int64_t(0), int64_t(1), int64_t(2), size / 2, size - 1})
      if (smaller >= 0 && smaller < size) {
        Trial offer = fixed;
        offer.dims[name] = smaller;
        cropArguments(offer);
        offers.push_back(std::move(offer));
      }
  std::set<int64_t> sizes;
  for (const Function &function : trial.module.functions)
    for (const Value &value : function.graph.values())
      for (const Dim &dim : value.type.shape)
        if (auto constant = dim.asConstant())
          sizes.insert(*constant);
  for (auto size = sizes.rbegin(); size != sizes.rend(); ++size)
    for (int64_t smaller : {int64_t(1), *size / 2, *size - 1})
      if (smaller > 0 && smaller < *size) {
        Trial offer = fixed;
        for (Function &function : offer.module.functions)
          replaceSize(function.graph, *size, smaller);
        for (StateTensor &tensor : offer.module.state)
          for (Dim &dim : tensor.type.shape)
            if (dim == Dim(*size))
              dim = Dim(smaller);
        cropArguments(offer);
        offers.push_back(std::move(offer));
      }
  return offers;
}

std::vector<Trial> simplerArguments(const Trial &trial, const Finding &) {
  std::vector<Trial> offers;
  const Trial fixed = withArguments(trial);
  for (const auto &[key, tensor] : fixed.arguments) {
    const auto count = static_cast<size_t>(tensor.count());
    const size_t size = byteSize(tensor.dtype);
    const Literal zero = Literal::splat(tensor.dtype, 0), one = Literal::splat(tensor.dtype, 1);
    auto offer = [&](size_t begin, size_t end, const Literal &element) {
      Trial changed = fixed;
      Tensor &simple = changed.arguments.at(key);
      for (size_t i = begin; i < end; ++i)
        std::memcpy(&simple.data[i * size], element.bytes.data(), size);
      // Zeros are simpler than ones, so that the search ends.
      if (simple.data != tensor.data)
        offers.push_back(std::move(changed));
    };
    offer(0, count, zero);
    for (size_t pieces : {2, 4, 8, 16})
      for (size_t i = 0; i < pieces && count >= pieces; ++i)
        offer(count * i / pieces, count * (i + 1) / pieces, zero);
    auto isAny = [&](size_t i, const Literal &element) {
      return std::memcmp(&tensor.data[i * size], element.bytes.data(), size) == 0;
    };
    for (size_t i = 0; i < count && count <= 8; ++i)
      if (!isAny(i, zero) && !isAny(i, one))
        offer(i, i + 1, one);
  }
  return offers;
}

} // namespace apr::fuzz
