// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Order and computed positions along one axis: cumsum, argsort, sort, top_k, take_along, the
// scatters, dynamic_slice and dynamic_update.
#include "ir/frontend/constant_indices.h"

#include <fmt/format.h>
#include <numeric>

namespace apr::frontend {

namespace {

class IndexedAxisCall {
public:
  IndexedAxisCall(Elaborator &elaborator, BuiltinCall &call)
      : e_(elaborator), call_(call), b_(elaborator.context().builder),
        x_(elaborator.anyTensor(*call.values[0], call.locations[0],
                                fmt::format("the operand of '{}'", call.builtin.name))),
        shape_(x_.type.shape) {}

  Value run() {
    std::string_view name = call_.builtin.name;
    if (name == "cumsum")
      return cumsum();
    if (name == "argsort")
      return e_.make(argsort(axisOf(1, -1), flag(2)));
    if (name == "sort") {
      size_t axis = axisOf(1, -1);
      return e_.make(takeOrdered(argsort(axis, flag(2)), axis));
    }
    if (name == "top_k")
      return topK();
    if (name == "take_along") {
      size_t axis = axisOf(2, -1);
      return e_.make(takeAlong(alongIndices(axis), axis));
    }
    if (name == "dynamic_slice")
      return dynamicSlice();
    if (name == "dynamic_update")
      return dynamicUpdate();
    return scatter(name == "scatter_add" ? OpKind::ScatterAdd : OpKind::ScatterSet);
  }

private:
  Location at(size_t argument) const { return call_.locations[argument]; }

  size_t axisOf(size_t argument, int64_t usual) {
    Value value =
        call_.has(argument) ? *call_.values[argument] : Value(NumberValue{Rational(usual)});
    return e_.requireAxis(value, shape_.size(), at(argument));
  }

  bool flag(size_t argument) {
    return call_.has(argument) &&
           e_.requireBool(*call_.values[argument], at(argument), "'descending'");
  }

  void requireNumbers() {
    if (!isFloat(x_.type.dtype) && !isInteger(x_.type.dtype))
      e_.fail(
          DiagnosticKind::DTypeMismatch, at(0),
          fmt::format("'{}' takes floats or integers, found {}", call_.builtin.name, str(x_.type)),
          "convert it: 'real(x)'");
  }

  TensorValue indices(size_t argument, size_t axis) {
    return requireIndices(e_, *call_.values[argument], shape_[axis], at(argument),
                          fmt::format("the indices of '{}'", call_.builtin.name));
  }

  static Attributes alongAxis(size_t axis) { return {{AttrKey::Axis, static_cast<int64_t>(axis)}}; }

  Value cumsum() {
    size_t axis = axisOf(1, -1);
    if (x_.type.dtype == DType::Bool)
      x_ = e_.convertTo(x_, DType::I32);
    requireNumbers();
    return e_.make(b_.create(OpKind::CumSum, {x_.id}, alongAxis(axis)));
  }

  // ---- sorting ----

  ValueId argsort(size_t axis, bool isDescending) {
    requireNumbers();
    Attributes attributes = alongAxis(axis);
    if (isDescending)
      attributes.set(AttrKey::Descending, int64_t(1));
    return b_.create(OpKind::ArgSort, {x_.id}, attributes);
  }

  Value topK() {
    size_t axis = axisOf(2, -1);
    Dim count = e_.requireDim(*call_.values[1], at(1), "how many to take");
    demand(count, fmt::format("{} must not be negative", count.str()), at(1));
    demand(shape_[axis] - count,
           fmt::format("{} must not exceed {}", count.str(), shape_[axis].str()), at(1));
    Shape limit = shape_;
    limit[axis] = count;
    ValueId order = b_.slice(argsort(axis, true), Shape(shape_.size(), Dim(0)), limit,
                             std::vector<int64_t>(shape_.size(), 1));
    TupleValue result;
    result.elements = {Value(e_.make(takeOrdered(order, axis))), Value(e_.make(order))};
    result.names = {"values", "indices"};
    return result;
  }

  /// The elements at positions that argsort gave. A few per row are picked, which the rows of a
  /// batch can do apart; but the derivative of each pick looks at all of its row.
  ValueId takeOrdered(ValueId order, size_t axis) {
    constexpr int64_t kMostPicked = 16, kShortRow = 64;
    auto picked = b_.type(order).shape[axis].asConstant(), row = shape_[axis].asConstant();
    bool isFew = picked && (*picked <= kMostPicked || (row && *row <= kShortRow));
    return axis + 1 == shape_.size() && isFew ? pickEach(order) : takeAlong(order, axis);
  }

  /// result[.., i] = x[.., index[.., i]].
  ValueId pickEach(ValueId index) {
    Shape shape = b_.type(index).shape;
    std::vector<int64_t> axes(shape_.size());
    std::iota(axes.begin(), axes.end(), 0);
    ++axes.back();
    shape.push_back(shape_.back());
    return b_.create(OpKind::Pick, {b_.broadcast(x_.id, shape, axes), index});
  }

  // ---- take_along ----

  ValueId alongIndices(size_t axis) {
    TensorValue index = indices(1, axis);
    Shape expected = shape_;
    if (index.type.rank() == shape_.size())
      expected[axis] = index.type.shape[axis];
    if (index.type.shape != expected)
      e_.fail(DiagnosticKind::ShapeMismatch, at(1),
              fmt::format("'take_along' of {} along axis {} by indices {}", str(x_.type), axis,
                          str(index.type)),
              "the indices have the operand's shape but for that axis");
    return index.id;
  }

  /// result[a, i, b] = x[a, index[a, i, b], b]: a gather from x as one axis.
  ValueId takeAlong(ValueId index, size_t axis) {
    if (shape_.size() == 1)
      return b_.create(OpKind::Gather, {x_.id, index}, alongAxis(0));
    const Shape shape = b_.type(index).shape;
    const auto split = static_cast<std::ptrdiff_t>(axis);
    const Dim outer = elementCount({shape.begin(), shape.begin() + split});
    const Dim inner = elementCount({shape.begin() + split + 1, shape.end()});
    Type flat{DType::I64, {outer, shape[axis], inner}};
    auto repeat = [&](const Dim &dim) {
      return b_.broadcast(e_.dimTensor(dim, DType::I64).id, flat.shape, {});
    };
    // Clamped before it is scaled, so that it stays in its own line.
    ValueId last = b_.sub(repeat(shape_[axis]), b_.splatInteger(flat, 1));
    ValueId position = b_.convert(b_.reshape(index, flat.shape), DType::I64);
    position = b_.binary(OpKind::Min, position, last);
    position = b_.binary(OpKind::Max, position, b_.splatInteger(flat, 0));
    ValueId line = b_.mul(b_.iota(flat, 0), repeat(shape_[axis]));
    position = b_.mul(b_.add(line, position), repeat(inner));
    position = b_.add(position, b_.iota(flat, 2));
    ValueId all = b_.reshape(x_.id, {elementCount(shape_)});
    return b_.reshape(b_.create(OpKind::Gather, {all, position}, alongAxis(0)), shape);
  }

  // ---- writing ----

  Value scatter(OpKind kind) {
    size_t axis = axisOf(3, 0);
    TensorValue index = indices(1, axis);
    if (kind == OpKind::ScatterAdd)
      requireNumbers();
    Shape expected = shape_;
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(axis));
    expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(axis), index.type.shape.begin(),
                    index.type.shape.end());
    ValueId updates =
        e_.requireType(*call_.values[2], {x_.type.dtype, expected}, at(2), "what is written");
    return e_.make(b_.create(kind, {x_.id, index.id, updates}, alongAxis(axis)));
  }

  // ---- a part whose place is computed ----

  /// The positions start, start + 1, …, with a start clamped so that all `count` lie on the axis.
  ValueId positions(size_t axis, const Dim &count) {
    TensorValue start = e_.requireTensor(*call_.values[1], startType(), at(1), "the start");
    if (!start.type.shape.empty())
      e_.fail(DiagnosticKind::ShapeMismatch, at(1),
              fmt::format("the start is one whole number, found {}", str(start.type)));
    demand(shape_[axis] - count,
           fmt::format("{} must not exceed {}", count.str(), shape_[axis].str()), call_.location);
    ValueId last = e_.dimTensor(shape_[axis] - count, DType::I64).id;
    ValueId first = b_.binary(OpKind::Min, b_.convert(start.id, DType::I64), last);
    first = b_.binary(OpKind::Max, first, b_.splatInteger({DType::I64, {}}, 0));
    Type type{DType::I64, {count}};
    ValueId counts = b_.iota(type, 0);
    return b_.add(b_.broadcast(first, type.shape, {}), counts);
  }

  /// A start may be i32 or i64.
  DType startType() {
    Value value = e_.read(*call_.values[1], at(1));
    auto *tensor = value.as<TensorValue>();
    return tensor && tensor->type.dtype == DType::I32 ? DType::I32 : DType::I64;
  }

  Value dynamicSlice() {
    size_t axis = axisOf(3, 0);
    Dim count = e_.requireDim(*call_.values[2], at(2), "the size");
    demand(count, fmt::format("{} must not be negative", count.str()), at(2));
    ValueId from = positions(axis, count);
    return e_.make(b_.create(OpKind::Gather, {x_.id, from}, alongAxis(axis)));
  }

  Value dynamicUpdate() {
    size_t axis = axisOf(3, 0);
    TensorValue part = e_.requireTensor(*call_.values[2], x_.type.dtype, at(2), "what is written");
    Shape expected = shape_;
    if (part.type.rank() == shape_.size())
      expected[axis] = part.type.shape[axis];
    if (part.type.shape != expected)
      e_.fail(DiagnosticKind::ShapeMismatch, at(2),
              fmt::format("'dynamic_update' of {} along axis {} by {}", str(x_.type), axis,
                          str(part.type)),
              "what is written has the operand's shape but for that axis");
    ValueId to = positions(axis, part.type.shape[axis]);
    return e_.make(b_.create(OpKind::ScatterSet, {x_.id, to, part.id}, alongAxis(axis)));
  }

  void demand(const Dim &value, const std::string &message, Location location) {
    e_.requireNonNegative(value, call_, x_, message, location);
  }

  Elaborator &e_;
  BuiltinCall &call_;
  Builder &b_;
  TensorValue x_;
  const Shape shape_;
};

} // namespace

Value Elaborator::builtinIndexed(BuiltinCall &call) { return IndexedAxisCall(*this, call).run(); }

} // namespace apr::frontend
