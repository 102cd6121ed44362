// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/compose_steps.h"

#include "ir/rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace apr {
namespace {

/// Arguments are shared by role and name.
using ArgumentKey = std::pair<ArgumentRole, std::string>;

struct Declared {
  Argument argument;
  Value value;
};

/// Where an argument stands among those of its role: the module's order for state and
/// hyperparameters, the order of the functions for the rest.
template <typename T> size_t positionOf(const std::vector<T> &all, std::string_view name) {
  return size_t(std::ranges::find(all, name, &T::name) - all.begin());
}

size_t positionInRole(const Module &module, const Argument &argument) {
  if (argument.role == ArgumentRole::State)
    return positionOf(module.state, argument.name);
  if (argument.role == ArgumentRole::Hyper)
    return positionOf(module.hypers, argument.name);
  return 0;
}

void collectArguments(const Function &function, std::vector<Declared> &all) {
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const Argument &argument = function.arguments[i];
    auto same = [&](const Declared &other) {
      return other.argument.role == argument.role && other.argument.name == argument.name;
    };
    bool isInner = argument.role == ArgumentRole::Gradient && function.kind == FunctionKind::Apply;
    if (!isInner && std::ranges::none_of(all, same))
      all.push_back({argument, function.graph.value(function.graph.arguments()[i])});
  }
}

/// Builds one step.
class Composer {
public:
  Composer(const Module &module, const Function &grad, const Function &apply)
      : module_(module), grad_(grad), apply_(apply) {}

  Function compose(std::string name) {
    step_.name = std::move(name);
    step_.kind = FunctionKind::Step;
    step_.trainBlock = grad_.trainBlock;
    step_.doc = grad_.doc;
    step_.location = grad_.location;
    mergeDims();
    declareArguments();
    inlineGrad();
    inlineApply();
    return std::move(step_);
  }

private:
  void mergeDims() {
    for (const Function *function : {&grad_, &apply_}) {
      for (const std::string &dim : function->dims)
        if (std::ranges::find(step_.dims, dim) == step_.dims.end())
          step_.dims.push_back(dim);
      step_.checks.insert(step_.checks.end(), function->checks.begin(), function->checks.end());
    }
  }

  void declareArguments() {
    std::vector<Declared> all;
    collectArguments(grad_, all);
    collectArguments(apply_, all);
    std::ranges::stable_sort(all, {}, [&](const Declared &d) {
      return std::pair(d.argument.role, positionInRole(module_, d.argument));
    });
    for (const Declared &declared : all) {
      const auto &[argument, value] = declared;
      shared_[{argument.role, argument.name}] =
          step_.graph.addArgument(value.type, value.name, value.location);
      step_.arguments.push_back(argument);
    }
  }

  std::vector<ValueId> inlineFunction(const Function &function) {
    std::vector<ValueId> arguments;
    for (const Argument &argument : function.arguments)
      arguments.push_back(shared_.at({argument.role, argument.name}));
    Builder builder(step_.graph);
    return inlineGraph(builder, function.graph, arguments);
  }

  void inlineGrad() {
    std::vector<ValueId> results = inlineFunction(grad_);
    for (size_t i = 0; i < results.size(); ++i) {
      const FunctionResult &result = grad_.results[i];
      if (result.role == ResultRole::Gradient)
        shared_[{ArgumentRole::Gradient, result.name}] = results[i];
      else
        addResult(result, results[i]);
    }
  }

  void inlineApply() {
    std::vector<ValueId> results = inlineFunction(apply_);
    for (size_t i = 0; i < results.size(); ++i)
      addResult(apply_.results[i], results[i]);
  }

  void addResult(const FunctionResult &result, ValueId value) {
    step_.results.push_back(result);
    step_.graph.results.push_back(value);
  }

  const Module &module_;
  const Function &grad_;
  const Function &apply_;
  Function step_;
  std::map<ArgumentKey, ValueId> shared_;
};

/// What the parts hand to or share with each other, by role and name.
std::map<ArgumentKey, Type> typesOffered(const Function &grad) {
  std::map<ArgumentKey, Type> types;
  for (size_t i = 0; i < grad.arguments.size(); ++i)
    types[{grad.arguments[i].role, grad.arguments[i].name}] =
        grad.graph.type(grad.graph.arguments()[i]);
  for (size_t i = 0; i < grad.results.size(); ++i)
    if (grad.results[i].role == ResultRole::Gradient)
      types[{ArgumentRole::Gradient, grad.results[i].name}] =
          grad.graph.type(grad.graph.results[i]);
  return types;
}

/// True where every gradient that apply takes is one that grad gives, and what both name has one
/// type. The frontend guarantees it; IR text may not.
bool canCompose(const Function &grad, const Function &apply, Diagnostics &diagnostics) {
  std::map<ArgumentKey, Type> offered = typesOffered(grad);
  bool good = true;
  for (size_t i = 0; i < apply.arguments.size(); ++i) {
    const Argument &argument = apply.arguments[i];
    const Value &value = apply.graph.value(apply.graph.arguments()[i]);
    auto found = offered.find({argument.role, argument.name});
    if (found == offered.end() && argument.role != ArgumentRole::Gradient)
      continue;
    if (found != offered.end() && found->second == value.type)
      continue;
    good = false;
    std::string given = found == offered.end() ? "does not give" : "has as " + str(found->second);
    diagnostics.report(DiagnosticKind::IrInvalid, value.location,
                       fmt::format("@{} takes '{}' as {}, which @{} {}", apply.name, argument.name,
                                   str(value.type), grad.name, given));
  }
  return good;
}

const Function *findPart(const Module &module, std::string_view block, FunctionKind kind) {
  auto found = std::ranges::find_if(module.functions, [&](const Function &function) {
    return function.trainBlock == block && function.kind == kind;
  });
  return found == module.functions.end() ? nullptr : &*found;
}

} // namespace

void composeSteps(Module &module, const PassOptions &, Diagnostics &diagnostics) {
  for (const std::string &block : module.trainBlocks) {
    const Function *grad = findPart(module, block, FunctionKind::Grad);
    const Function *apply = findPart(module, block, FunctionKind::Apply);
    if (!grad || !apply || module.findFunction(block) || !canCompose(*grad, *apply, diagnostics))
      continue;
    Function step = Composer(module, *grad, *apply).compose(block);
    module.functions.insert(module.functions.begin() + (grad - module.functions.data()),
                            std::move(step));
  }
}

} // namespace apr
