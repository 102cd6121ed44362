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

/// A number, or a tuple of numbers: what a call of constants gives, whose derivative is zero.
bool isConstant(const Value &tree) {
  if (auto *tuple = tree.as<TupleValue>())
    return std::all_of(tuple->elements.begin(), tuple->elements.end(), isConstant);
  return tree.is<NumberValue>() || tree.is<DimValue>();
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

/// The type that each tensor of a tree asks of what stands in its place.
Expected expectedLike(const Value &value) {
  Expected expected;
  if (auto *tuple = value.as<TupleValue>())
    for (const Value &element : tuple->elements)
      expected.elements.push_back(expectedLike(element));
  if (auto *tensor = value.as<TensorValue>())
    expected = {tensor->type, tensor->type.dtype, {}};
  return expected;
}

/// One call of a function with a gradient of its own.
class OwnGradient {
public:
  OwnGradient(Elaborator &elaborator, const FunctionDecl &declaration, const std::string &name,
              Scope &parameters, Scope &body, Location location)
      : e_(elaborator), declaration_(declaration), name_(name), parameters_(parameters),
        body_(body), location_(location) {}

  /// The result with its derivative.
  Value attachTo(const Value &result) {
    checkResult(result);
    readArguments();
    if (results_.empty() || operands_.empty())
      return result;
    if (Region::depthOf(e_.context()) >= Region::kMaximumDepth)
      e_.fail(DiagnosticKind::TooLarge, location_,
              fmt::format("functions with a gradient nest more than {} deep in each other's "
                          "gradients and in scans",
                          Region::kMaximumDepth));
    FunctionContext &outer = e_.context();
    ValueId joined = join(outer.builder, results_);
    Region region(outer, std::nullopt);
    std::vector<ValueId> derivatives = buildRegion(region, joined, result);
    Region::Finished finished = region.complete(derivatives);
    auto count = static_cast<int64_t>(operands_.size());
    operands_.insert(operands_.begin(), joined);
    operands_.insert(operands_.end(), finished.captured.begin(), finished.captured.end());
    Attributes attributes;
    attributes.set(AttrKey::Arguments, count);
    ValueId whole =
        outer.builder.at(location_)
            .createMulti(OpKind::WithGradient, operands_, attributes, {}, finished.graph)
            .front();
    return replaceFloats(result, takeApart(outer.builder, whole, results_));
  }

private:
  void checkResult(const Value &result) {
    const auto &parameters = declaration_.gradientParameters;
    if (parameters.size() != 1)
      e_.fail(DiagnosticKind::WrongArguments, declaration_.location,
              fmt::format("'with gradient' takes one parameter, the derivative by the result; "
                          "found {}",
                          parameters.size()),
              "of a function with several results it is a tuple: 'with gradient((a, b))'");
    results_ = floatLeaves(result);
    if (results_.empty() && !isConstant(result))
      e_.fail(DiagnosticKind::DTypeMismatch, declaration_.location,
              fmt::format("'{}' has a gradient, but no float result: {}", name_, describe(result)));
    for (TensorValue &part : results_) {
      if (part.type.dtype != results_.front().type.dtype)
        e_.fail(DiagnosticKind::DTypeMismatch, declaration_.location,
                fmt::format("the results of a function with a gradient have one float dtype, "
                            "found {} and {}",
                            str(results_.front().type), str(part.type)));
      part = e_.anyTensor(part, location_, "a result");
    }
  }

  void readArguments() {
    for (const Parameter &parameter : declaration_.parameters) {
      Value value = valueOf(parameter.pattern, parameters_);
      if (!isReal(parameter.type.get(), value))
        continue;
      reals_.push_back(&parameter);
      values_.push_back(mapLeaves(value, [&](const Value &leaf) -> Value {
        return leaf.is<TensorValue>() ? e_.read(leaf, location_) : leaf;
      }));
      for (const TensorValue &tensor : floatLeaves(values_.back()))
        operands_.push_back(tensor.id);
    }
  }

  /// The region's results: one derivative for each of the operands.
  std::vector<ValueId> buildRegion(Region &region, ValueId joined, const Value &result) {
    const Graph &outer = region.outer().graph();
    Elaborator::ContextSwitch inside(e_, region);
    ValueId g = region.addArgument(outer.type(joined), "g", location_);
    std::vector<Value> arguments;
    for (const Value &value : values_)
      arguments.push_back(mapLeaves(value, [&](const Value &leaf) -> Value {
        auto *tensor = asFloatTensor(leaf);
        if (!tensor)
          return leaf;
        const std::string &name = outer.value(tensor->id).name;
        return e_.make(region.addArgument(tensor->type, name, location_), tensor->isWeak);
      }));
    std::vector<ValueId> parts = takeApart(region.builder.at(location_), g, results_);
    size_t next = 0;
    Value derivative = mapLeaves(result, [&](const Value &leaf) -> Value {
      auto *tensor = asFloatTensor(leaf);
      return tensor ? Value(e_.make(parts[next++], tensor->isWeak)) : Value(NoneValue{});
    });
    return derivativesOf(arguments, evaluate(std::move(derivative), arguments));
  }

  /// What the gradient's body returns, one value per real argument.
  std::vector<Value> evaluate(Value g, const std::vector<Value> &arguments) {
    Location location = declaration_.gradientParameters.front().pattern.location;
    Scope &scope = *e_.newScope(&body_);
    for (size_t i = 0; i < reals_.size(); ++i)
      bindUnlessHidden(reals_[i]->pattern, arguments[i], scope, body_);
    Signature signature{fmt::format("the gradient of '{}'", name_),
                        &scope,
                        &parameters_,
                        location,
                        Signature::Free::Infer,
                        {},
                        {},
                        nullptr};
    std::vector<CallArgument> handed;
    handed.push_back({{}, location, nullptr, nullptr, std::move(g)});
    e_.bindArguments(declaration_.gradientParameters, std::move(handed), signature);
    bool isSingle = arguments.size() == 1;
    Expected expected =
        expectedLike(isSingle ? arguments.front() : Value(TupleValue{arguments, {}}));
    Value given = e_.evaluateBody(*declaration_.gradient, scope, &expected);
    if (isSingle)
      return {given};
    auto *tuple = given.as<TupleValue>();
    if (!tuple || tuple->elements.size() != arguments.size())
      e_.fail(DiagnosticKind::KindMismatch, end(),
              fmt::format("the gradient of '{}' returns {} values, one per real argument, found {}",
                          name_, arguments.size(), describe(given)),
              "'none' stands for a derivative of zero",
              {{declaration_.location, "the function is here"}});
    return tuple->elements;
  }

  std::vector<ValueId> derivativesOf(const std::vector<Value> &arguments,
                                     const std::vector<Value> &given) {
    std::vector<ValueId> derivatives;
    auto derive = [&](const Value &argument, const Value &derivative) {
      if (auto *tensor = asFloatTensor(argument))
        derivatives.push_back(derivativeBy(*tensor, derivative));
      return argument;
    };
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (given[i].is<NoneValue>()) {
        for (const TensorValue &tensor : floatLeaves(arguments[i]))
          derivatives.push_back(e_.context().builder.splat(tensor.type, 0));
        continue;
      }
      if (!mapLeavesOf(arguments[i], given[i], derive))
        e_.fail(DiagnosticKind::KindMismatch, end(),
                fmt::format("the derivative by {} has the form of that argument, found {}",
                            describe(arguments[i]), describe(given[i])));
    }
    return derivatives;
  }

  ValueId derivativeBy(const TensorValue &argument, const Value &derivative) {
    std::string what = fmt::format("the derivative that 'with gradient' of '{}' returns", name_);
    Value given = derivative;
    // Arithmetic among hyperparameters is f64; what the derivative was computed with here is not.
    if (auto *known = asFloatTensor(derivative); known && argument.isWeak)
      given = e_.convertTo(e_.anyTensor(*known, end(), what), argument.type.dtype);
    return e_.requireType(given, argument.type, end(), what);
  }

  Value replaceFloats(const Value &result, const std::vector<ValueId> &parts) {
    size_t next = 0;
    return mapLeaves(result, [&](const Value &leaf) -> Value {
      auto *tensor = asFloatTensor(leaf);
      if (!tensor)
        return leaf;
      TensorValue made = e_.make(parts[next++], tensor->isWeak);
      if (tensor->owner == &e_.context())
        made.rows = tensor->rows;
      return made;
    });
  }

  /// Where the gradient's body ends, for messages on what it returns.
  Location end() const {
    const Body &body = *declaration_.gradient;
    if (body.expr)
      return body.expr->location;
    return body.block->statements.empty() ? declaration_.location
                                          : body.block->statements.back().location;
  }

  Elaborator &e_;
  const FunctionDecl &declaration_;
  const std::string &name_;
  Scope &parameters_; ///< of the function
  Scope &body_;       ///< has the names that its body binds
  const Location location_;
  std::vector<TensorValue> results_;
  std::vector<const Parameter *> reals_; ///< the arguments that have derivatives
  std::vector<Value> values_;            ///< of `reals_`
  std::vector<ValueId> operands_;        ///< the floats in `values_`
};

} // namespace

Value Elaborator::withGradient(const FunctionDecl &declaration, const std::string &name,
                               Scope &parameters, Scope &body, const Value &result,
                               Location location) {
  return OwnGradient(*this, declaration, name, parameters, body, location).attachTo(result);
}

} // namespace apr::frontend
