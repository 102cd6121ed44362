// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Movement and indexing: what decides which element goes where.
#include "ir/frontend/constant_indices.h"
#include "ir/frontend/test_host.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <numeric>

namespace apr::frontend {

namespace {

std::vector<int64_t> unitStrides(size_t rank) { return std::vector<int64_t>(rank, 1); }
Shape zeros(size_t rank) { return Shape(rank, Dim(0)); }

} // namespace

/// The shape that 'reshape' is given. One dim of -1 is what the others leave of the elements.
Shape Elaborator::reshapedShape(const Value &given, const TensorValue &x, Location location) {
  auto *list = given.as<ListValue>();
  if (!list)
    return requireShape(given, location);
  ListValue others;
  std::optional<size_t> inferred;
  for (size_t i = 0; i < list->elements.size(); ++i) {
    if (asInt(list->elements[i]) != -1) {
      others.elements.push_back(list->elements[i]);
      continue;
    }
    if (inferred)
      fail(DiagnosticKind::BadConstant, location, "only one dim of a shape can be -1");
    inferred = i;
  }
  Shape shape = requireShape(others, location);
  if (!inferred)
    return shape;
  Dim have = elementCount(x.type.shape), known = elementCount(shape);
  auto rest = known == Dim(0) ? std::nullopt : have.dividedExactlyBy(known);
  if (!rest)
    fail(DiagnosticKind::ShapeMismatch, location,
         fmt::format("'reshape' of {} with {} elements: they do not divide by {}", str(x.type),
                     have.str(), known.str()),
         "the dim that -1 stands for must be known to come out whole");
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(*inferred), *rest);
  return shape;
}

void Elaborator::requireNonNegative(const Dim &value, const BuiltinCall &call, const TensorValue &x,
                                    const std::string &message, Location location) {
  if (auto known = value.asConstant(); known && *known < 0)
    fail(DiagnosticKind::ShapeMismatch, location,
         fmt::format("'{}' of {}: {}", call.builtin.name, str(x.type), message));
  if (!value.isProvablyNonNegative())
    context_->addCheck(DimCheck::Kind::NonNegative, value, message, location);
}

Value Elaborator::builtinReshape(BuiltinCall &call) {
  Value operand = read(*call.values[0], call.locations[0]);
  TensorValue x = anyTensor(operand, call.locations[0], "the operand of 'reshape'");
  Shape shape = reshapedShape(*call.values[1], x, call.locations[1]);
  Dim have = elementCount(x.type.shape);
  Dim want = elementCount(shape);
  if (have != want) {
    std::vector<DiagnosticNote> notes;
    addOrigin(notes, x, "the operand");
    fail(DiagnosticKind::ShapeMismatch, call.location,
         fmt::format("'reshape' of {} with {} elements to {} with {}", str(x.type), have.str(),
                     str(shape), want.str()),
         {}, std::move(notes));
  }
  if (shape == x.type.shape)
    return operand;
  if (x.isWeak && isFloat(x.type.dtype))
    x = convertTo(x, real_);
  return make(context_->builder.reshape(x.id, shape));
}

Value Elaborator::builtinTranspose(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'transpose'");
  size_t rank = x.type.rank();
  std::vector<int64_t> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  if (call.has(1)) {
    perm = requireAxes(*call.values[1], rank, call.locations[1]);
    if (perm.size() != rank)
      fail(DiagnosticKind::BadAxis, call.locations[1],
           fmt::format("{} axes for a tensor of rank {}", perm.size(), rank));
  } else {
    if (rank < 2)
      fail(DiagnosticKind::ShapeMismatch, call.location,
           fmt::format("'transpose' swaps the last two axes, found {}", str(x.type)));
    std::swap(perm[rank - 1], perm[rank - 2]);
  }
  return make(context_->builder.transpose(x.id, perm));
}

Value Elaborator::builtinBroadcast(BuiltinCall &call) {
  TensorValue x =
      requireTensor(*call.values[0],
                    call.values[0]->is<NumberValue>()
                        ? real_
                        : anyTensor(*call.values[0], call.locations[0], "the operand").type.dtype,
                    call.locations[0], "the operand of 'broadcast'");
  Shape shape = requireShape(*call.values[1], call.locations[1]);
  std::vector<TensorValue> operands{x};
  const Shape &own = x.type.shape;
  bool isTail = own.size() <= shape.size() && std::equal(own.rbegin(), own.rend(), shape.rbegin());
  bool isExpansion = own.size() == shape.size();
  for (size_t i = 0; isExpansion && i < own.size(); ++i)
    isExpansion = own[i] == shape[i] || own[i].asConstant() == 1;
  if (!isTail && !isExpansion)
    fail(DiagnosticKind::ShapeMismatch, call.location,
         fmt::format("'broadcast' of {} to {}", str(x.type), str(shape)),
         "the shape must be the end of the new one, or of equal rank with sizes of 1");
  Builder &builder = context_->builder;
  if (isTail)
    return make(builder.broadcastTail(x.id, shape));
  Shape kept;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < own.size(); ++i)
    if (own[i] == shape[i]) {
      kept.push_back(own[i]);
      axes.push_back(static_cast<int64_t>(i));
    }
  return make(builder.broadcast(builder.reshape(x.id, kept), shape, axes));
}

Value Elaborator::builtinConcat(BuiltinCall &call) {
  bool isStack = call.builtin.name == "stack";
  const std::vector<Value> *elements = nullptr;
  if (auto *list = call.values[0]->as<ListValue>())
    elements = &list->elements;
  else if (auto *tuple = call.values[0]->as<TupleValue>())
    elements = &tuple->elements;
  if (!elements || elements->empty())
    fail(DiagnosticKind::KindMismatch, call.locations[0],
         fmt::format("'{}' takes a list of tensors, found {}", call.builtin.name,
                     describe(*call.values[0])));
  Builder &builder = context_->builder;
  std::vector<TensorValue> parts;
  for (const Value &element : *elements)
    parts.push_back(anyTensor(element, call.locations[0], "a part"));
  DType dtype = parts.front().isWeak ? real_ : parts.front().type.dtype;
  for (TensorValue &part : parts)
    part = requireTensor(part, dtype, call.locations[0], "a part");
  const Shape first = parts.front().type.shape;
  Value axisValue = call.has(1) ? *call.values[1] : Value(NumberValue{0});
  size_t rank = first.size() + (isStack ? 1 : 0);
  if (rank == 0)
    fail(DiagnosticKind::ShapeMismatch, call.location,
         "'concat' joins along an axis; scalars have none", "'stack' makes a new axis");
  auto axes = requireAxes(axisValue, rank, call.locations[1]);
  if (axes.size() != 1)
    fail(DiagnosticKind::BadAxis, call.locations[1], "one axis is needed here");
  auto axis = static_cast<size_t>(axes[0]);
  std::vector<ValueId> ids;
  for (TensorValue &part : parts) {
    Shape shape = part.type.shape;
    bool fits = shape.size() == first.size();
    for (size_t i = 0; fits && i < shape.size(); ++i)
      fits = shape[i] == first[i] || (!isStack && i == axis);
    if (!fits)
      fail(DiagnosticKind::ShapeMismatch, call.location,
           fmt::format("'{}' of {} and {}", call.builtin.name, str(parts.front().type),
                       str(part.type)));
    if (isStack) {
      shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), Dim(1));
      ids.push_back(builder.reshape(part.id, shape));
    } else {
      ids.push_back(part.id);
    }
  }
  return make(builder.concat(std::move(ids), static_cast<int64_t>(axis)));
}

/// Parts of the listed sizes, which must cover the axis.
Value Elaborator::splitBySizes(BuiltinCall &call, const TensorValue &x) {
  Shape sizes = requireShape(*call.values[1], call.locations[1]);
  Value axisValue = call.has(2) ? *call.values[2] : Value(NumberValue{Rational(-1)});
  size_t axis = requireAxis(axisValue, x.type.rank(), call.locations[2]);
  Dim total(0);
  for (const Dim &size : sizes)
    total += size;
  if (total != x.type.shape[axis])
    fail(DiagnosticKind::ShapeMismatch, call.locations[1],
         fmt::format("parts of {} elements in all, axis {} of {} has {}", total.str(), axis,
                     str(x.type), x.type.shape[axis].str()));
  TupleValue result;
  Shape start = zeros(x.type.rank()), limit = x.type.shape;
  Dim offset(0);
  for (const Dim &size : sizes) {
    start[axis] = offset;
    offset += size;
    limit[axis] = offset;
    result.elements.emplace_back(
        make(context_->builder.slice(x.id, start, limit, unitStrides(x.type.rank()))));
  }
  return result;
}

/// Equal parts along an axis, the last by default.
Value Elaborator::builtinSplit(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'split'");
  if (call.values[1]->is<ListValue>() || call.values[1]->is<TupleValue>())
    return splitBySizes(call, x);
  int64_t parts = requireInt(*call.values[1], call.locations[1], "the number of parts");
  Value axisValue = call.has(2) ? *call.values[2] : Value(NumberValue{Rational(-1)});
  auto axes = requireAxes(axisValue, x.type.rank(), call.locations[2]);
  if (axes.size() != 1)
    fail(DiagnosticKind::BadAxis, call.locations[2], "one axis is needed here");
  if (parts < 1 || parts > 1000)
    fail(DiagnosticKind::BadConstant, call.locations[1],
         fmt::format("between 1 and 1000 parts are possible, found {}", parts));
  auto axis = static_cast<size_t>(axes[0]);
  const Dim size = x.type.shape[axis];
  auto part = size.dividedExactlyBy(Dim(parts));
  if (!part && size.isConstant())
    fail(DiagnosticKind::ShapeMismatch, call.location,
         fmt::format("{} elements do not split into {} equal parts", size.str(), parts));
  if (!part) {
    part = Dim::floorDivide(size, Dim(parts));
    context_->addCheck(DimCheck::Kind::Zero, size - *part * Dim(parts),
                       fmt::format("{} must be a multiple of {}", size.str(), parts),
                       call.location);
    // The parts cover the operand only where the check holds, so types stay as they are declared.
  }
  TupleValue result;
  for (int64_t i = 0; i < parts; ++i) {
    Shape start = zeros(x.type.rank());
    Shape limit = x.type.shape;
    start[axis] = *part * Dim(i);
    limit[axis] = *part * Dim(i + 1);
    result.elements.emplace_back(
        make(context_->builder.slice(x.id, start, limit, unitStrides(x.type.rank()))));
  }
  return result;
}

Value Elaborator::builtinUnstack(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'unstack'");
  Value axisValue = call.has(1) ? *call.values[1] : Value(NumberValue{0});
  auto axes = requireAxes(axisValue, x.type.rank(), call.locations[1]);
  if (axes.size() != 1)
    fail(DiagnosticKind::BadAxis, call.locations[1], "one axis is needed here");
  auto axis = static_cast<size_t>(axes[0]);
  auto count = x.type.shape[axis].asConstant();
  if (!count || *count > 1000)
    fail(DiagnosticKind::OpenDim, call.location,
         fmt::format("'unstack' needs a known size of at most 1000, found {}",
                     x.type.shape[axis].str()));
  Shape rest = x.type.shape;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(axis));
  TupleValue result;
  for (int64_t i = 0; i < *count; ++i) {
    Shape start = zeros(x.type.rank());
    Shape limit = x.type.shape;
    start[axis] = Dim(i);
    limit[axis] = Dim(i + 1);
    ValueId part = context_->builder.slice(x.id, start, limit, unitStrides(x.type.rank()));
    result.elements.emplace_back(make(context_->builder.reshape(part, rest)));
  }
  return result;
}

// ---- computed indices ----

namespace {

bool isIndexType(DType dtype) { return dtype == DType::I32 || dtype == DType::I64; }

} // namespace

Value Elaborator::builtinTake(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'take'");
  Value axisValue = call.has(2) ? *call.values[2] : Value(NumberValue{0});
  size_t axis = requireAxis(axisValue, x.type.rank(), call.locations[2]);
  TensorValue indices = requireIndices(*this, *call.values[1], x.type.shape[axis],
                                       call.locations[1], "the indices of 'take'");
  Attributes attributes{{AttrKey::Axis, static_cast<int64_t>(axis)}};
  return make(context_->builder.create(OpKind::Gather, {x.id, indices.id}, attributes));
}

Value Elaborator::builtinPick(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'pick'");
  TensorValue indices = anyTensor(*call.values[1], call.locations[1], "the indices of 'pick'");
  if (!isIndexType(indices.type.dtype))
    fail(DiagnosticKind::DTypeMismatch, call.locations[1],
         fmt::format("class indices are i32 or i64, found {}", str(indices.type)));
  Shape rows = x.type.shape;
  if (!rows.empty())
    rows.pop_back();
  if (x.type.shape.empty() || rows != indices.type.shape)
    fail(DiagnosticKind::ShapeMismatch, call.location,
         fmt::format("'pick' takes one index per row: {} needs indices of shape {}, found {}",
                     str(x.type), str(rows), str(indices.type)));
  return make(context_->builder.create(OpKind::Pick, {x.id, indices.id}));
}

Value Elaborator::builtinOneHot(BuiltinCall &call) {
  TensorValue indices = anyTensor(*call.values[0], call.locations[0], "the indices of 'one_hot'");
  if (!isIndexType(indices.type.dtype))
    fail(DiagnosticKind::DTypeMismatch, call.locations[0],
         fmt::format("class indices are i32 or i64, found {}", str(indices.type)));
  Type type{real_, indices.type.shape};
  type.shape.push_back(requireDim(*call.values[1], call.locations[1], "the class count"));
  if (call.has(2)) {
    auto *dtype = call.values[2]->as<DTypeValue>();
    if (!dtype)
      fail(DiagnosticKind::KindMismatch, call.locations[2],
           fmt::format("a dtype is needed, found {}", describe(*call.values[2])));
    if (dtype->dtype == DType::BF16)
      fail(DiagnosticKind::DTypeMismatch, call.locations[2],
           "'one_hot' gives no bf16, which is for storage");
    type.dtype = dtype->dtype;
  }
  return make(context_->builder.create(OpKind::OneHot, {indices.id}, {}, type));
}

// ---- x[…] ----

Value Elaborator::index(const IndexExpr &expr, Scope &scope, Location location) {
  Value object = evaluate(*expr.object, scope);
  const std::vector<Value> *elements = nullptr;
  if (auto *list = object.as<ListValue>())
    elements = &list->elements;
  else if (auto *tuple = object.as<TupleValue>())
    elements = &tuple->elements;
  else if (auto *chain = object.as<ChainValue>())
    elements = &chain->parts;
  if (elements) {
    if (expr.indices.size() != 1 || expr.indices[0].kind != Index::Kind::Element)
      fail(DiagnosticKind::BadIndex, location,
           fmt::format("one index takes an element of {}", describe(object)));
    int64_t i =
        requireInt(evaluate(*expr.indices[0].first, scope), expr.indices[0].location, "the index");
    auto size = static_cast<int64_t>(elements->size());
    if (i < -size || i >= size)
      fail(DiagnosticKind::BadIndex, expr.indices[0].location,
           fmt::format("index {} of {}", i, describe(object)));
    return (*elements)[static_cast<size_t>(i < 0 ? i + size : i)];
  }
  if (auto *model = object.as<TestModelValue>();
      model && expr.indices.size() == 1 && expr.indices[0].kind == Index::Kind::Element) {
    const Index &part = expr.indices[0];
    int64_t i = requireInt(evaluate(*part.first, scope), part.location, "the index");
    return testHost_->member(*model, {std::to_string(i), part.location}, location);
  }

  TensorValue x = anyTensor(object, expr.object->location, "what is indexed");
  Builder &builder = context_->builder;
  size_t rank = x.type.rank();
  // Evaluated first: how many axes the indices use decides what '..' stands for.
  std::vector<Value> values(expr.indices.size());
  size_t used = 0;
  for (size_t i = 0; i < expr.indices.size(); ++i) {
    const Index &index = expr.indices[i];
    if (index.kind == Index::Kind::Element)
      values[i] = read(evaluate(*index.first, scope), index.location);
    bool takesAxis = index.kind == Index::Kind::Slice ||
                     (index.kind == Index::Kind::Element && !values[i].is<NoneValue>());
    used += takesAxis;
  }
  if (used > rank)
    fail(DiagnosticKind::BadIndex, location, fmt::format("{} indices for {}", used, str(x.type)));

  Shape start = zeros(rank);
  Shape limit = x.type.shape;
  std::vector<int64_t> strides = unitStrides(rank);
  std::vector<int64_t> reversed; // axes with a negative stride
  struct ResultAxis {
    enum class Kind : uint8_t { Keep, Drop, New, Gather } kind;
    size_t axis;
    ValueId indices;
  };
  std::vector<ResultAxis> plan;
  size_t axis = 0;
  bool isSliced = false;
  // A position relative to the axis: negative constants count from its end.
  auto position = [&](const Expr &part, const Dim &size) {
    Dim at = requireDim(evaluate(part, scope), part.location, "an index");
    if (auto known = at.asConstant(); known && *known < 0)
      at = size + at;
    return at;
  };
  auto requireRange = [&](const Dim &low, const Dim &high, Location where) {
    Dim difference = high - low;
    if (auto known = difference.asConstant()) {
      if (*known < 0)
        fail(DiagnosticKind::BadIndex, where,
             fmt::format("{} is beyond {} in {}", low.str(), high.str(), str(x.type)));
    } else if (!difference.isProvablyNonNegative()) {
      context_->addCheck(DimCheck::Kind::NonNegative, difference,
                         fmt::format("{} must not exceed {}", low.str(), high.str()), where);
    }
  };
  bool hasRest = false;
  for (size_t i = 0; i < expr.indices.size(); ++i) {
    const Index &index = expr.indices[i];
    if (index.kind == Index::Kind::Rest) {
      if (std::exchange(hasRest, true))
        fail(DiagnosticKind::BadIndex, index.location, "'..' stands only once among indices");
      for (size_t skipped = rank - used; skipped > 0; --skipped)
        plan.push_back({ResultAxis::Kind::Keep, axis++, kNoValue});
      continue;
    }
    if (index.kind == Index::Kind::Slice) {
      const Dim &size = x.type.shape[axis];
      if (index.stride) {
        strides[axis] = requireInt(evaluate(*index.stride, scope), index.location, "a stride");
        if (strides[axis] == 0 || strides[axis] == std::numeric_limits<int64_t>::min())
          fail(DiagnosticKind::BadIndex, index.location,
               fmt::format("a stride of {} leads nowhere", strides[axis]));
      }
      const bool isBackwards = strides[axis] < 0;
      // Backwards, x[a:b:-s] begins at a and ends before b: the elements b + 1 to a, reversed.
      if (isBackwards) {
        reversed.push_back(static_cast<int64_t>(axis));
        strides[axis] = -strides[axis];
      }
      if (index.first)
        (isBackwards ? limit : start)[axis] =
            position(*index.first, size) + Dim(isBackwards ? 1 : 0);
      if (index.last)
        (isBackwards ? start : limit)[axis] =
            position(*index.last, size) + Dim(isBackwards ? 1 : 0);
      requireRange(Dim(0), start[axis], index.location);
      requireRange(start[axis], limit[axis], index.location);
      requireRange(limit[axis], size, index.location);
      isSliced = isSliced || start[axis] != Dim(0) || limit[axis] != size || strides[axis] != 1;
      plan.push_back({ResultAxis::Kind::Keep, axis++, kNoValue});
      continue;
    }
    if (values[i].is<NoneValue>()) {
      plan.push_back({ResultAxis::Kind::New, 0, kNoValue});
      continue;
    }
    if (values[i].is<ListValue>())
      values[i] = requireIndices(*this, values[i], x.type.shape[axis], index.location, "an index");
    auto *tensor = values[i].as<TensorValue>();
    if (tensor) {
      if (!isIndexType(tensor->type.dtype))
        fail(DiagnosticKind::DTypeMismatch, index.location,
             fmt::format("an index is i32 or i64, found {}", str(tensor->type)));
      plan.push_back({ResultAxis::Kind::Gather, axis++, tensor->id});
      continue;
    }
    const Dim &size = x.type.shape[axis];
    Dim at = requireDim(values[i], index.location, "an index");
    if (auto known = at.asConstant(); known && *known < 0)
      at = size + at;
    requireRange(Dim(0), at, index.location);
    requireRange(at + Dim(1), size, index.location);
    start[axis] = at;
    limit[axis] = at + Dim(1);
    isSliced = true;
    plan.push_back({ResultAxis::Kind::Drop, axis++, kNoValue});
  }
  while (axis < rank)
    plan.push_back({ResultAxis::Kind::Keep, axis++, kNoValue});

  builder.at(location);
  ValueId result = x.id;
  if (!reversed.empty()) {
    result = builder.slice(result, start, limit, unitStrides(rank));
    result = builder.create(OpKind::Reverse, {result}, {{AttrKey::Axes, reversed}});
    start = zeros(rank);
    limit = builder.type(result).shape;
    isSliced = std::ranges::any_of(strides, [](int64_t stride) { return stride != 1; });
  }
  if (isSliced)
    result = builder.slice(result, start, limit, strides);
  Shape sliced = builder.type(result).shape;
  Shape shape;
  std::optional<int64_t> gathered;
  ValueId indices = kNoValue;
  for (const ResultAxis &step : plan) {
    if (step.kind == ResultAxis::Kind::New)
      shape.emplace_back(1);
    if (step.kind == ResultAxis::Kind::Gather) {
      if (gathered)
        fail(DiagnosticKind::BadIndex, location, "one index tensor is possible at a time");
      gathered = static_cast<int64_t>(shape.size());
      indices = step.indices;
    }
    if (step.kind == ResultAxis::Kind::Keep || step.kind == ResultAxis::Kind::Gather)
      shape.push_back(sliced[step.axis]);
  }
  if (shape != sliced)
    result = builder.reshape(result, shape);
  if (gathered) {
    Attributes attributes;
    attributes.set(AttrKey::Axis, *gathered);
    result = builder.create(OpKind::Gather, {result, indices}, attributes);
  }
  return make(result);
}

} // namespace apr::frontend
