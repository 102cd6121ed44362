// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values against the types of signatures and annotations.
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

void Elaborator::matchTensor(const TypeExpr &type, const Type &actual, Signature &signature,
                             Location location, const std::string &what,
                             const TensorValue *tensor) {
  bindDType(type, actual.dtype, signature, location, what, false);
  matchDims(type, actual.shape, signature, location, what, tensor);
}

Value Elaborator::matchValue(const TypeExpr &type, const Value &given, Signature &signature,
                             Location location, const std::string &what) {
  if (given.is<PoisonValue>())
    throw Failed{};
  auto wrong = [&](std::string_view expected) {
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("{} must be {}, found {}", what, expected, describe(given)), {},
         {{type.location, "the type is declared here"}});
  };
  if (!type.fields.empty()) {
    auto *tuple = given.as<TupleValue>();
    if (!tuple || tuple->elements.size() != type.fields.size())
      wrong(fmt::format("a tuple of {}", type.fields.size()));
    TupleValue result;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      const TypeField &field = type.fields[i];
      result.elements.push_back(matchValue(*field.type, tuple->elements[i], signature, location,
                                           field.name
                                               ? fmt::format("{} '{}'", what, field.name->text)
                                               : fmt::format("{} ({})", what, i + 1)));
      result.names.push_back(field.name ? field.name->text : std::string());
    }
    return result;
  }
  if (given.is<NoneValue>()) {
    if (!type.isOptional)
      wrong(isKind(type) ? type.name : describeType(type, signature));
    return given;
  }
  if (type.name == "int") {
    if (!asDim(given))
      wrong("a whole number");
    return given;
  }
  if (type.name == "ints") {
    if (!asDim(given) && !given.is<ListValue>() && !given.is<TupleValue>())
      wrong("a whole number or a list of them");
    return given;
  }
  if (type.name == "bool" && !type.hasBrackets) {
    if (!given.is<BoolValue>())
      wrong("true or false at compile time");
    return given;
  }
  if (type.name == "str" || type.name == "dtype") {
    if (type.name == "str" ? !given.is<StringValue>() : !given.is<DTypeValue>())
      wrong(type.name == "str" ? "a string" : "a dtype");
    return given;
  }
  if (type.name == "fn") {
    bool isCallable = given.is<FunctionsValue>() || given.is<BuiltinValue>() ||
                      given.is<LayerValue>() || given.is<InstanceValue>() ||
                      given.is<ChainValue>() || given.is<DTypeValue>() ||
                      given.is<OptimizerValue>();
    if (!isCallable)
      wrong("a function, a layer or an instance");
    return given;
  }
  if (type.name == "tensors") {
    if (!isBundleLike(given))
      wrong("a bundle of tensors");
    return given;
  }
  if (Value *named = signature.scope->find(type.name); named && named->is<LayerValue>()) {
    auto *instance = given.as<InstanceValue>();
    if (!instance || instance->instance->declaration != named->as<LayerValue>()->declaration)
      wrong(fmt::format("an instance of '{}'", type.name));
    return given;
  }

  // A tensor.
  if (given.is<HyperValue>() && context_->purpose == FunctionContext::Purpose::Members) {
    matchDims(type, {}, signature, location, what, nullptr);
    return given;
  }
  Value value = read(given, location);
  auto known = tryDType(type, signature);
  if (value.is<NumberValue>() || value.is<DimValue>()) {
    if (known && !isFloat(*known) && *known != DType::BF16 &&
        (*known == DType::Bool || !asDim(value)))
      wrong(fmt::format("of dtype {}", name(*known)));
    Type scalar{known.value_or(real_), {}};
    TensorValue shown{};
    shown.type = scalar;
    bool mustBeScalar = std::none_of(type.dims.begin(), type.dims.end(),
                                     [](const DimExpr &dim) { return !dim.isRest; });
    if (!mustBeScalar)
      failMismatch(type, fmt::format("a scalar ({})", describe(value)), signature, location, what,
                   nullptr);
    matchDims(type, {}, signature, location, what, nullptr);
    return value;
  }
  if (auto *boolean = value.as<BoolValue>(); boolean && known == DType::Bool) {
    matchDims(type, {}, signature, location, what, nullptr);
    return make(context_->builder.splatInteger({DType::Bool, {}}, boolean->value));
  }
  if (auto *list = value.as<ListValue>())
    value = tensorOfList(*list, known.value_or(real_), location);
  auto *tensor = value.as<TensorValue>();
  if (!tensor)
    wrong(describeType(type, signature));
  if (tensor->isWeak) {
    matchDims(type, tensor->type.shape, signature, location, what, tensor);
    if (known && isFloat(*known) != isFloat(tensor->type.dtype))
      fail(DiagnosticKind::DTypeMismatch, location,
           fmt::format("{} must be of dtype {}, found {}", what, name(*known), describe(value)),
           isFloat(*known) ? "convert it: 'real(…)'" : "");
    // A stated dtype is meant; `real` and integers stay as exact as they are.
    if (findDType(type.name) && isFloat(*known)) {
      TensorValue strict = convertTo(*tensor, *known);
      strict.isWeak = false;
      return strict;
    }
    return value;
  }
  matchTensor(type, tensor->type, signature, location, what, tensor);
  return value;
}

} // namespace apr::frontend
