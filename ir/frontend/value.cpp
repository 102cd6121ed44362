// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/value.h"

#include "ir/frontend/elaborator.h"

#include <fmt/format.h>

namespace apr::frontend {

Value *Scope::findHere(std::string_view name) {
  auto found = names.find(name);
  return found == names.end() ? nullptr : &found->second;
}

Value *Scope::find(std::string_view name) {
  Scope *holder = findHolder(name);
  return holder ? holder->findHere(name) : nullptr;
}

Scope *Scope::findHolder(std::string_view name) {
  for (Scope *scope = this; scope; scope = scope->parent)
    if (scope->findHere(name))
      return scope;
  return nullptr;
}

std::string dotted(std::string_view prefix, std::string_view name) {
  if (prefix.empty() || name.empty())
    return std::string(prefix.empty() ? name : prefix);
  return fmt::format("{}.{}", prefix, name);
}

namespace {

std::string describeNumber(const NumberValue &number) {
  if (number.kind == NumberValue::Kind::Finite)
    return fmt::format("the number {}", number.value.str());
  return number.kind == NumberValue::Kind::Infinity ? "inf" : "-inf";
}

struct Describe {
  std::string operator()(const PoisonValue &) { return "a value with an error"; }
  std::string operator()(const NoneValue &) { return "none"; }
  std::string operator()(const NumberValue &number) { return describeNumber(number); }
  std::string operator()(const DimValue &dim) { return fmt::format("the dim {}", dim.dim.str()); }
  std::string operator()(const BoolValue &boolean) { return boolean.value ? "true" : "false"; }
  std::string operator()(const StringValue &string) { return fmt::format("\"{}\"", string.text); }
  std::string operator()(const DTypeValue &dtype) {
    return fmt::format("the dtype {}", name(dtype.dtype));
  }
  std::string operator()(const OrderValue &order) {
    return fmt::format("the order {}", order.order.str());
  }
  std::string operator()(const TensorValue &tensor) {
    if (!tensor.isWeak)
      return str(tensor.type);
    return isFloat(tensor.type.dtype) ? "a run-time number" : "a run-time integer";
  }
  std::string operator()(const StateValue &) { return "a parameter"; }
  std::string operator()(const HyperValue &) { return "a hyperparameter"; }
  std::string operator()(const TupleValue &tuple) {
    return fmt::format("a tuple of {}", tuple.elements.size());
  }
  std::string operator()(const ListValue &list) {
    return fmt::format("a list of {}", list.elements.size());
  }
  std::string operator()(const FunctionsValue &function) {
    return function.name.empty() ? "a function" : fmt::format("function '{}'", function.name);
  }
  std::string operator()(const BuiltinValue &function) {
    return fmt::format("function '{}'", function.builtin->name);
  }
  std::string operator()(const LayerValue &layer) {
    return fmt::format("layer '{}'", layer.declaration->name.text);
  }
  std::string operator()(const OptimizerValue &optimizer) {
    return fmt::format("optimizer '{}'", optimizer.declaration->name.text);
  }
  std::string operator()(const InstanceValue &instance) {
    const std::string &path = instance.instance->path;
    return fmt::format("an instance of '{}'{}", instance.instance->declaration->name.text,
                       path.empty() ? "" : fmt::format(" ('{}')", path));
  }
  std::string operator()(const ChainValue &chain) {
    return fmt::format("a chain of {}", chain.parts.size());
  }
  std::string operator()(const BundleValue &bundle) {
    return fmt::format("a bundle of {} tensors", bundle.leaves.size());
  }
  std::string operator()(const TestModelValue &value) {
    return value.path.empty() ? "a model" : fmt::format("the model's '{}'", value.path);
  }
};

} // namespace

std::string describe(const Value &value) { return std::visit(Describe{}, value.content); }

} // namespace apr::frontend
