// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/compose_steps.h"

#include "ir/dim_value.h"
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
    if (grad_.shards)
      inlineParts();
    else
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
      Type type = value.type;
      if (isOfPart(argument, type))
        type.shape[0] = Dim::variable(grad_.shards->rows);
      shared_[{argument.role, argument.name}] =
          step_.graph.addArgument(type, value.name, value.location);
      step_.arguments.push_back(argument);
    }
  }

  std::vector<ValueId> inlineFunction(const Function &function) {
    std::vector<ValueId> arguments;
    for (const Argument &argument : function.arguments)
      arguments.push_back(shared_.at({argument.role, argument.name}));
    return inlineGraph(builder_, function.graph, arguments);
  }

  void inlineGrad() { addGradResults(inlineFunction(grad_)); }

  void addGradResults(const std::vector<ValueId> &results) {
    for (size_t i = 0; i < results.size(); ++i) {
      const FunctionResult &result = grad_.results[i];
      if (result.role == ResultRole::Gradient)
        shared_[{ArgumentRole::Gradient, result.name}] = results[i];
      else
        addResult(result, results[i]);
    }
  }

  // ---- shards ----

  Dim partRows() const {
    return Dim::floorDivide(Dim::variable(grad_.shards->rows), Dim(grad_.shards->count));
  }

  /// An input whose rows are those of one part.
  bool isOfPart(const Argument &argument, const Type &type) const {
    return grad_.shards && argument.role == ArgumentRole::Input && type.rank() != 0 &&
           type.shape[0] == partRows();
  }

  /// The step of a block with shards: the grads of the parts, added by the binary tree.
  void inlineParts() {
    std::vector<std::vector<ValueId>> parts;
    for (int64_t part = 0; part < grad_.shards->count; ++part)
      parts.push_back(inlinePart(part));
    std::vector<ValueId> results;
    for (size_t i = 0; i < grad_.results.size(); ++i) {
      std::vector<ValueId> values;
      for (const std::vector<ValueId> &part : parts)
        values.push_back(part[i]);
      results.push_back(combined(grad_.results[i], std::move(values)));
    }
    addGradResults(results);
  }

  std::vector<ValueId> inlinePart(int64_t part) {
    std::vector<ValueId> arguments;
    for (size_t i = 0; i < grad_.arguments.size(); ++i) {
      const Argument &argument = grad_.arguments[i];
      const Value &value = grad_.graph.value(grad_.graph.arguments()[i]);
      const ValueId whole = shared_.at({argument.role, argument.name});
      builder_.at(value.location);
      if (isOfPart(argument, value.type))
        arguments.push_back(rowsOf(whole, part));
      else if (argument.role == ArgumentRole::Exec)
        arguments.push_back(firstRow(whole, part));
      else
        arguments.push_back(whole);
    }
    return inlineGraph(builder_, grad_.graph, arguments);
  }

  ValueId rowsOf(ValueId whole, int64_t part) {
    Shape limit = step_.graph.type(whole).shape;
    Shape start(limit.size(), Dim(0));
    start[0] = partRows() * Dim(part);
    limit[0] = partRows() * Dim(part + 1);
    std::vector<int64_t> stride(limit.size(), 1);
    return builder_.slice(whole, start, limit, stride);
  }

  /// The row offset of a part, counted from that of the call.
  ValueId firstRow(ValueId offset, int64_t part) {
    if (part == 0)
      return offset;
    return builder_.add(offset, dimValue(builder_, partRows() * Dim(part), DType::I64));
  }

  ValueId combined(const FunctionResult &result, std::vector<ValueId> parts) {
    const bool addsUp = result.role == ResultRole::Gradient || result.kind != ResultKind::Scalar;
    if (!addsUp)
      return parts.front();
    builder_.at(step_.location);
    const OpKind kind =
        step_.graph.type(parts.front()).dtype == DType::Bool ? OpKind::Or : OpKind::Add;
    while (parts.size() > 1) {
      std::vector<ValueId> pairs;
      for (size_t i = 0; i + 1 < parts.size(); i += 2)
        pairs.push_back(builder_.binary(kind, parts[i], parts[i + 1]));
      if (parts.size() % 2 != 0)
        pairs.push_back(parts.back());
      parts = std::move(pairs);
    }
    return parts.front();
  }

  void inlineApply() {
    std::vector<ValueId> results = inlineFunction(apply_);
    for (size_t i = 0; i < results.size(); ++i)
      addResult(apply_.results[i], results[i]);
  }

  void addResult(FunctionResult result, ValueId value) {
    // What parts report as their share is a mean of the whole batch; counts stay counts.
    const Type &type = step_.graph.type(value);
    if (grad_.shards && result.kind == ResultKind::Sum && type.rank() == 0 && isFloat(type.dtype))
      result.kind = ResultKind::Scalar;
    step_.results.push_back(std::move(result));
    step_.graph.results.push_back(value);
  }

  const Module &module_;
  const Function &grad_;
  const Function &apply_;
  Function step_;
  Builder builder_{step_.graph};
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
    const bool isBound = grad && grad->shards && grad->shards->rows.empty();
    if (!grad || !apply || isBound || module.findFunction(block) ||
        !canCompose(*grad, *apply, diagnostics))
      continue;
    Function step = Composer(module, *grad, *apply).compose(block);
    module.functions.insert(module.functions.begin() + (grad - module.functions.data()),
                            std::move(step));
  }
}

} // namespace apr
