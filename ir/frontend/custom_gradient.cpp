// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fn f(x) = … with gradient(g) = …: the function's own derivative, as the region of an op around
// its result.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/regions.h"
#include "ir/frontend/value_tree.h"

#include <fmt/format.h>

namespace apr::frontend {

namespace {

const TensorValue *asFloatTensor(const Value &value) {
  auto *tensor = value.as<TensorValue>();
  return tensor && isFloat(tensor->type.dtype) ? tensor : nullptr;
}

std::vector<TensorValue> floatLeaves(const Value &tree) {
  std::vector<TensorValue> leaves;
  mapLeaves(tree, [&](const Value &leaf) {
    if (auto *tensor = asFloatTensor(leaf))
      leaves.push_back(*tensor);
    return leaf;
  });
  return leaves;
}

/// True of arguments that the gradient has a value for: floats and tuples with some. A number that
/// is known at compile time counts where its type is a float's, though nothing becomes of its
/// derivative.
bool isReal(const TypeExpr *type, const Value &value) {
  if (!floatLeaves(value).empty())
    return true;
  bool isNumber = value.is<NumberValue>() || value.is<DimValue>();
  if (!isNumber || (type && Elaborator::isKind(*type)))
    return false;
  auto dtype = type ? findDType(type->name) : std::nullopt;
  return !dtype || isFloat(*dtype);
}

/// What stands in a scope for the names of a pattern.
Value valueOf(const Pattern &pattern, Scope &scope) {
  if (pattern.elements.empty()) {
    Value *value = scope.findHere(pattern.name);
    return value ? *value : Value(NoneValue{});
  }
  TupleValue tuple;
  for (const Pattern &element : pattern.elements)
    tuple.elements.push_back(valueOf(element, scope));
  return tuple;
}

/// Binds the pattern's names, except for those that the body gave another meaning.
void bindUnlessHidden(const Pattern &pattern, const Value &value, Scope &scope, Scope &body) {
  if (pattern.elements.empty()) {
    if (pattern.name != "_" && !body.findHere(pattern.name))
      scope.names[pattern.name] = value;
    return;
  }
  for (size_t i = 0; i < pattern.elements.size(); ++i)
    bindUnlessHidden(pattern.elements[i], value.as<TupleValue>()->elements[i], scope, body);
}

/// Floats of one dtype laid side by side, so that several results have one derivative.
ValueId join(Builder &builder, const std::vector<TensorValue> &parts) {
  if (parts.size() == 1)
    return parts.front().id;
  std::vector<ValueId> flat;
  for (const TensorValue &part : parts)
    flat.push_back(builder.reshape(part.id, {elementCount(part.type.shape)}));
  return builder.concat(std::move(flat), 0);
}

std::vector<ValueId> takeApart(Builder &builder, ValueId joined,
                               const std::vector<TensorValue> &parts) {
  if (parts.size() == 1)
    return {joined};
  std::vector<ValueId> result;
  Dim at = 0;
  for (const TensorValue &part : parts) {
    Dim end = at + elementCount(part.type.shape);
    result.push_back(builder.reshape(builder.slice(joined, {at}, {end}, {1}), part.type.shape));
    at = end;
  }
  return result;
}

} // namespace

struct Elaborator::OwnGradient {
  const FunctionDecl &declaration;
  const std::string &name; ///< of the function
  Scope &parameters;
  Scope &body;
  /// The arguments that derivatives are returned for.
  std::vector<const Parameter *> reals;
  std::vector<Value> values; ///< of `reals`
};

/// The tensors of the region's results, in the order of the float arguments.
std::vector<ValueId> Elaborator::evaluateGradient(const OwnGradient &own, Value g,
                                                  const std::vector<Value> &arguments) {
  const FunctionDecl &declaration = own.declaration;
  Location location = declaration.gradientParameters.front().pattern.location;
  Scope &scope = *newScope(&own.body);
  for (size_t i = 0; i < own.reals.size(); ++i)
    bindUnlessHidden(own.reals[i]->pattern, arguments[i], scope, own.body);
  Signature signature{fmt::format("the gradient of '{}'", own.name),
                      &scope,
                      &own.parameters,
                      location,
                      Signature::Free::Infer,
                      {},
                      {},
                      nullptr};
  std::vector<CallArgument> handed;
  handed.push_back({{}, location, nullptr, nullptr, std::move(g)});
  bindArguments(declaration.gradientParameters, std::move(handed), signature);

  std::function<Expected(const Value &)> expectedOfValue = [&](const Value &value) {
    Expected expected;
    if (auto *tuple = value.as<TupleValue>())
      for (const Value &element : tuple->elements)
        expected.elements.push_back(expectedOfValue(element));
    if (auto *tensor = value.as<TensorValue>())
      expected = {tensor->type, tensor->type.dtype, {}};
    return expected;
  };
  bool isSingle = arguments.size() == 1;
  Value all = isSingle ? arguments.front() : Value(TupleValue{arguments, {}});
  Expected expected = expectedOfValue(all);
  Value given = evaluateBody(*declaration.gradient, scope, &expected);
  const Body &body = *declaration.gradient;
  Location end = body.expr                        ? body.expr->location
                 : body.block->statements.empty() ? location
                                                  : body.block->statements.back().location;
  auto *tuple = given.as<TupleValue>();
  if (!isSingle && (!tuple || tuple->elements.size() != arguments.size()))
    fail(DiagnosticKind::KindMismatch, end,
         fmt::format("the gradient of '{}' returns {} values, one per real argument, found {}",
                     own.name, arguments.size(), describe(given)),
         "'none' stands for a derivative of zero",
         {{declaration.location, "the function is here"}});
  std::vector<ValueId> derivatives;
  std::string what = fmt::format("the derivative that 'with gradient' of '{}' returns", own.name);
  auto derive = [&](const Value &argument, const Value &derivative) {
    auto *tensor = asFloatTensor(argument);
    if (!tensor)
      return argument;
    Value given = derivative;
    // Arithmetic among hyperparameters is f64; what it was computed with here is not.
    if (auto *known = asFloatTensor(derivative); known && tensor->isWeak)
      given = convertTo(anyTensor(*known, end, what), tensor->type.dtype);
    derivatives.push_back(requireType(given, tensor->type, end, what));
    return argument;
  };
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Value &derivative = isSingle ? given : tuple->elements[i];
    if (derivative.is<NoneValue>()) {
      for (const TensorValue &tensor : floatLeaves(arguments[i]))
        derivatives.push_back(context_->builder.splat(tensor.type, 0));
      continue;
    }
    if (!mapLeavesOf(arguments[i], derivative, derive))
      fail(DiagnosticKind::KindMismatch, end,
           fmt::format("the derivative by {} has the form of that argument, found {}",
                       describe(arguments[i]), describe(derivative)));
  }
  return derivatives;
}

/// The result of a call with the derivative that the function declares.
Value Elaborator::withGradient(const FunctionDecl &declaration, const std::string &name,
                               Scope &parameters, Scope &body, const Value &result,
                               Location location) {
  if (declaration.gradientParameters.size() != 1)
    fail(DiagnosticKind::WrongArguments, declaration.location,
         fmt::format("'with gradient' takes one parameter, the derivative by the result; found {}",
                     declaration.gradientParameters.size()),
         "of a function with several results it is a tuple: 'with gradient((a, b))'");
  std::vector<TensorValue> results = floatLeaves(result);
  if (results.empty()) {
    if (result.is<NumberValue>() || result.is<DimValue>())
      return result;
    fail(DiagnosticKind::DTypeMismatch, declaration.location,
         fmt::format("'{}' has a gradient, but no float result: {}", name, describe(result)));
  }
  for (TensorValue &part : results) {
    if (part.type.dtype != results.front().type.dtype)
      fail(DiagnosticKind::DTypeMismatch, declaration.location,
           fmt::format("the results of a function with a gradient have one float dtype, found {} "
                       "and {}",
                       str(results.front().type), str(part.type)));
    part = anyTensor(part, location, "a result");
  }

  OwnGradient own{declaration, name, parameters, body, {}, {}};
  std::vector<ValueId> operands;
  for (const Parameter &parameter : declaration.parameters) {
    Value value = valueOf(parameter.pattern, parameters);
    if (!isReal(parameter.type.get(), value))
      continue;
    own.reals.push_back(&parameter);
    own.values.push_back(mapLeaves(value, [&](const Value &leaf) -> Value {
      return leaf.is<TensorValue>() ? read(leaf, location) : leaf;
    }));
    for (const TensorValue &tensor : floatLeaves(own.values.back()))
      operands.push_back(tensor.id);
  }
  if (operands.empty())
    return result;

  if (Region::depthOf(*context_) >= Region::kMaximumDepth)
    fail(DiagnosticKind::TooLarge, location,
         fmt::format("functions with a gradient nest more than {} deep in each other's gradients "
                     "and in scans",
                     Region::kMaximumDepth));
  FunctionContext &outer = *context_;
  ValueId joined = join(outer.builder, results);
  Region region(outer, std::nullopt);
  std::vector<ValueId> derivatives;
  {
    ContextSwitch inside(*this, region);
    ValueId g = region.addArgument(outer.graph().type(joined), "g", location);
    std::vector<Value> arguments;
    for (const Value &value : own.values)
      arguments.push_back(mapLeaves(value, [&](const Value &leaf) -> Value {
        auto *tensor = asFloatTensor(leaf);
        if (!tensor)
          return leaf;
        return make(
            region.addArgument(tensor->type, outer.graph().value(tensor->id).name, location),
            tensor->isWeak);
      }));
    std::vector<ValueId> parts = takeApart(region.builder.at(location), g, results);
    size_t next = 0;
    Value derivative = mapLeaves(result, [&](const Value &leaf) -> Value {
      auto *tensor = asFloatTensor(leaf);
      return tensor ? Value(make(parts[next++], tensor->isWeak)) : Value(NoneValue{});
    });
    derivatives = evaluateGradient(own, std::move(derivative), arguments);
  }
  Region::Finished finished = region.complete(derivatives);
  auto count = static_cast<int64_t>(operands.size());
  operands.insert(operands.begin(), joined);
  operands.insert(operands.end(), finished.captured.begin(), finished.captured.end());
  Attributes attributes;
  attributes.set(AttrKey::Arguments, count);
  ValueId whole = outer.builder.at(location)
                      .createMulti(OpKind::WithGradient, operands, attributes, {}, finished.graph)
                      .front();
  std::vector<ValueId> parts = takeApart(outer.builder, whole, results);
  size_t next = 0;
  return mapLeaves(result, [&](const Value &leaf) -> Value {
    auto *tensor = asFloatTensor(leaf);
    if (!tensor)
      return leaf;
    TensorValue made = make(parts[next++], tensor->isWeak);
    made.rows = tensor->owner == context_ ? tensor->rows : std::nullopt;
    return made;
  });
}

} // namespace apr::frontend
