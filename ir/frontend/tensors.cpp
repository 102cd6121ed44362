// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values as tensors of the current graph: reading state, constants, sizes and lists.
#include "ir/dim_value.h"
#include "ir/frontend/operators.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace apr::frontend {

TensorValue Elaborator::make(ValueId id, bool isWeak) {
  return {id, context_, context_->graph().type(id), isWeak, std::nullopt};
}

Value Elaborator::read(const Value &value, Location location) {
  if (value.is<PoisonValue>())
    throw Failed{};
  if (auto *state = value.as<StateValue>()) {
    const StateTensor &tensor = tables_.states[state->index].tensor;
    if (context_->purpose == FunctionContext::Purpose::Members)
      fail(DiagnosticKind::KindMismatch, location,
           fmt::format("'{}' has no value while members are made", tensor.name));
    if (context_->purpose == FunctionContext::Purpose::Init)
      fail(DiagnosticKind::KindMismatch, location,
           fmt::format("a start value cannot read '{}', which has none yet", tensor.name));
    return make(context_->stateValue(state->index), state->isWeak);
  }
  if (auto *hyper = value.as<HyperValue>())
    return make(context_->hyper(hyper->index), true);
  auto *tensor = value.as<TensorValue>();
  if (!tensor || tensor->owner == context_)
    return value;
  auto imported = context_->import(*tensor->owner, tensor->id);
  if (!imported)
    fail(DiagnosticKind::NotInApply, location,
         "this value depends on the inputs or parameters of the step",
         context_->isAfter ? "'after' sees the state, hyperparameters and 'step'"
                           : "'using' sees hyperparameters, 'step' and gradients only");
  return make(*imported, tensor->isWeak);
}

TensorValue Elaborator::convertTo(const TensorValue &tensor, DType dtype) {
  if (tensor.type.dtype == dtype)
    return tensor;
  return make(context_->builder.convert(tensor.id, dtype), tensor.isWeak);
}

TensorValue Elaborator::constantOf(const NumberValue &number, DType dtype, Location location) {
  Type type{dtype, {}};
  Builder &builder = context_->builder;
  if (number.kind != NumberValue::Kind::Finite) {
    if (!isFloat(dtype) && dtype != DType::BF16)
      fail(DiagnosticKind::BadConstant, location,
           fmt::format("inf has no place in {}", name(dtype)));
    double infinity = std::numeric_limits<double>::infinity();
    return make(
        builder.splat(type, number.kind == NumberValue::Kind::Infinity ? infinity : -infinity));
  }
  if (isFloat(dtype)) {
    double value =
        dtype == DType::F64 ? number.value.toDouble() : static_cast<double>(number.value.toFloat());
    if (std::abs(value) == std::numeric_limits<double>::infinity())
      fail(DiagnosticKind::BadConstant, location,
           fmt::format("{} is too large for {}", number.value.str(), name(dtype)));
    return make(builder.splat(type, value));
  }
  if (dtype == DType::BF16)
    return make(builder.splat(type, number.value.toDouble()));
  auto whole = number.value.asInt64();
  bool fits = whole && (dtype == DType::I64 ||
                        (dtype == DType::I32 && *whole == static_cast<int32_t>(*whole)) ||
                        (dtype == DType::U8 && *whole == static_cast<uint8_t>(*whole)));
  if (dtype == DType::Bool || !fits)
    fail(DiagnosticKind::BadConstant, location,
         fmt::format("{} is not a value of {}", number.value.str(), name(dtype)),
         dtype == DType::Bool ? "compare with '== 0' or '!= 0'" : "convert the tensor: 'real(x)'");
  return make(builder.splatInteger(type, *whole));
}

TensorValue Elaborator::dimTensor(const Dim &dim, DType dtype) {
  return make(dimValue(context_->builder, context_->root().wholeSize(dim), dtype));
}

TensorValue Elaborator::tensorOfList(const ListValue &list, DType dtype, Location location) {
  Shape shape;
  std::vector<const Value *> level{nullptr};
  std::vector<const ListValue *> lists{&list};
  while (!lists.empty()) {
    size_t size = lists.front()->elements.size();
    shape.emplace_back(static_cast<int64_t>(size));
    level.clear();
    std::vector<const ListValue *> inner;
    for (const ListValue *row : lists) {
      if (row->elements.size() != size)
        fail(DiagnosticKind::ShapeMismatch, location,
             fmt::format("rows of {} and {} elements in one list", size, row->elements.size()));
      for (const Value &element : row->elements) {
        level.push_back(&element);
        if (auto *nested = element.as<ListValue>())
          inner.push_back(nested);
      }
    }
    if (!inner.empty() && inner.size() != level.size())
      fail(DiagnosticKind::ShapeMismatch, location, "a list mixes numbers and lists");
    lists = std::move(inner);
  }
  Literal literal{dtype, {}};
  for (const Value *element : level) {
    ValueId id;
    if (auto *number = element->as<NumberValue>())
      id = constantOf(*number, dtype, location).id;
    else if (auto *boolean = element->as<BoolValue>(); boolean && dtype == DType::Bool)
      id = context_->builder.splatInteger({DType::Bool, {}}, boolean->value);
    else
      fail(DiagnosticKind::KindMismatch, location,
           fmt::format("a list of constants holds {}", describe(*element)),
           "join tensors with stack([…]) or concat([…])");
    const Literal &one = context_->graph().definition(id)->attributes.literal();
    literal.bytes.insert(literal.bytes.end(), one.bytes.begin(), one.bytes.end());
  }
  return make(context_->builder.constant({dtype, shape}, std::move(literal)));
}

TensorValue Elaborator::requireTensor(const Value &given, DType dtype, Location location,
                                      std::string_view what) {
  Value value = read(given, location);
  if (auto *number = value.as<NumberValue>())
    return constantOf(*number, dtype, location);
  if (auto *dim = value.as<DimValue>())
    return dimTensor(dim->dim, dtype);
  if (auto *list = value.as<ListValue>())
    return tensorOfList(*list, dtype, location);
  if (auto *boolean = value.as<BoolValue>(); boolean && dtype == DType::Bool)
    return make(context_->builder.splatInteger({DType::Bool, {}}, boolean->value));
  auto *tensor = value.as<TensorValue>();
  if (!tensor)
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("{} must be a tensor, found {}", what, describe(value)));
  if (tensor->isWeak && isFloat(tensor->type.dtype) == isFloat(dtype)) {
    TensorValue converted = convertTo(*tensor, dtype);
    converted.isWeak = false;
    return converted;
  }
  if (tensor->type.dtype != dtype) {
    std::vector<DiagnosticNote> notes;
    addOrigin(notes, *tensor, "it");
    fail(DiagnosticKind::DTypeMismatch, location,
         fmt::format("{} must be of dtype {}, found {}", what, name(dtype), str(tensor->type)),
         fmt::format("convert it: '{}(…)'", name(dtype)), std::move(notes));
  }
  return *tensor;
}

TensorValue Elaborator::anyTensor(const Value &given, Location location, std::string_view what) {
  Value value = read(given, location);
  if (auto *tensor = value.as<TensorValue>())
    return *tensor;
  TensorValue tensor =
      requireTensor(value, value.is<ListValue>() ? real_ : DType::F64, location, what);
  tensor.isWeak = !value.is<ListValue>();
  return tensor;
}

ValueId Elaborator::requireType(const Value &value, const Type &type, Location location,
                                std::string_view what) {
  TensorValue tensor = requireTensor(value, type.dtype, location, what);
  if (tensor.type.shape != type.shape) {
    std::vector<DiagnosticNote> notes;
    addOrigin(notes, tensor, "it");
    fail(DiagnosticKind::ShapeMismatch, location,
         fmt::format("{} must be {}, found {}", what, str(type), str(tensor.type)),
         tensor.type.shape.empty() ? "fill a shape with 'constant(value)' or 'zeros()'" : "",
         std::move(notes));
  }
  return tensor.id;
}

void Elaborator::addOrigin(std::vector<DiagnosticNote> &notes, const TensorValue &tensor,
                           std::string_view role) {
  const apr::Value &value = tensor.owner->function.graph.value(tensor.id);
  if (!value.location.isKnown())
    return;
  std::string named = value.name.empty() ? std::string(role) : fmt::format("'{}'", value.name);
  notes.push_back({value.location, fmt::format("{} is {}", named, str(tensor.type))});
}

} // namespace apr::frontend
