// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Movement made of slices, reversals, repetition and joins: flip, roll, tile, pad, tril, triu,
// expand, squeeze.
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace apr::frontend {

namespace {

class Arrangement {
public:
  Arrangement(Elaborator &elaborator, BuiltinCall &call)
      : e_(elaborator), call_(call), b_(elaborator.context().builder),
        x_(elaborator.anyTensor(*call.values[0], call.locations[0],
                                fmt::format("the operand of '{}'", call.builtin.name))),
        shape_(x_.type.shape) {
    if (x_.isWeak && isFloat(x_.type.dtype)) {
      x_ = elaborator.convertTo(x_, elaborator.real());
      x_.isWeak = false;
    }
  }

  Value run() {
    std::string_view name = call_.builtin.name;
    if (name == "flip")
      return flip();
    if (name == "roll")
      return roll();
    if (name == "tile")
      return tile();
    if (name == "pad")
      return pad();
    if (name == "expand")
      return expand();
    if (name == "squeeze")
      return squeeze();
    return triangle(name == "tril");
  }

private:
  size_t rank() const { return shape_.size(); }
  Location at(size_t argument) const { return call_.locations[argument]; }
  Value result(ValueId id) { return e_.make(id); }

  /// The elements [start, limit) along an axis.
  ValueId part(ValueId x, size_t axis, const Dim &start, const Dim &limit) {
    Shape from(rank(), Dim(0)), to = b_.type(x).shape;
    if (start == Dim(0) && limit == to[axis])
      return x;
    from[axis] = start;
    to[axis] = limit;
    return b_.slice(x, from, to, std::vector<int64_t>(rank(), 1));
  }

  ValueId reverse(ValueId x, std::vector<int64_t> axes) {
    return b_.create(OpKind::Reverse, {x}, {{AttrKey::Axes, std::move(axes)}});
  }

  ValueId join(std::vector<ValueId> parts, size_t axis) {
    const ValueId first = parts[0];
    std::erase_if(parts, [&](ValueId v) { return b_.type(v).shape[axis] == Dim(0); });
    if (parts.empty())
      return first;
    return parts.size() == 1 ? parts[0] : b_.concat(std::move(parts), static_cast<int64_t>(axis));
  }

  void demand(const Dim &value, const std::string &message, Location location) {
    e_.requireNonNegative(value, call_, x_, message, location);
  }

  Value flip() {
    std::vector<int64_t> axes(rank());
    std::iota(axes.begin(), axes.end(), 0);
    if (call_.has(1))
      axes = e_.requireAxes(*call_.values[1], rank(), at(1));
    std::sort(axes.begin(), axes.end());
    return axes.empty() ? Value(x_) : result(reverse(x_.id, axes));
  }

  Value roll() {
    Value axisValue = call_.has(2) ? *call_.values[2] : Value(NumberValue{Rational(-1)});
    size_t axis = e_.requireAxis(axisValue, rank(), at(2));
    const Dim &size = shape_[axis];
    Value shift = e_.read(*call_.values[1], at(1));
    if (auto *tensor = shift.as<TensorValue>())
      return rollBy(*tensor, axis);
    Dim by = e_.requireDim(shift, at(1), "the shift");
    auto known = by.asConstant(), length = size.asConstant();
    if (known && length)
      by = Dim(*length == 0 ? 0 : (*known % *length + *length) % *length);
    else if (known && *known < 0)
      by = size + by;
    std::string reach = known && *known < 0 ? Dim(-*known).str() : by.str();
    std::string message = fmt::format("{} must lie between 0 and {}", reach, size.str());
    demand(by, message, at(1));
    demand(size - by, message, at(1));
    ValueId last = part(x_.id, axis, size - by, size);
    return result(join({last, part(x_.id, axis, Dim(0), size - by)}, axis));
  }

  /// By a number that is known at run time only: elements are taken from (i - shift) mod size.
  Value rollBy(const TensorValue &shift, size_t axis) {
    if (!isInteger(shift.type.dtype) || !shift.type.shape.empty())
      e_.fail(DiagnosticKind::DTypeMismatch, at(1),
              fmt::format("the shift of 'roll' is a whole number, found {}", str(shift.type)));
    Type type{DType::I64, {shape_[axis]}};
    ValueId by = b_.broadcast(b_.convert(shift.id, DType::I64), type.shape, {});
    ValueId size = b_.broadcast(e_.dimTensor(shape_[axis], DType::I64).id, type.shape, {});
    ValueId from = b_.binary(OpKind::Rem, b_.sub(b_.iota(type, 0), by), size);
    return result(
        b_.create(OpKind::Gather, {x_.id, from}, {{AttrKey::Axis, static_cast<int64_t>(axis)}}));
  }

  Value tile() {
    Shape repeats = e_.requireShape(*call_.values[1], at(1));
    if (repeats.size() != rank())
      e_.fail(DiagnosticKind::ShapeMismatch, at(1),
              fmt::format("{} numbers of repetitions for {}", repeats.size(), str(x_.type)),
              "one for each axis is needed");
    Shape split, joined;
    std::vector<int64_t> axes;
    for (size_t i = 0; i < rank(); ++i) {
      split.push_back(repeats[i]);
      axes.push_back(static_cast<int64_t>(split.size()));
      split.push_back(shape_[i]);
      joined.push_back(repeats[i] * shape_[i]);
    }
    return result(b_.reshape(b_.broadcast(x_.id, split, axes), joined));
  }

  // ---- pad ----

  struct Amounts {
    Dim low, high;
  };

  Dim amount(const Value &value) {
    Dim dim = e_.requireDim(value, at(1), "a width of padding");
    demand(dim, fmt::format("a padding of {} is below 0", dim.str()), at(1));
    return dim;
  }

  Amounts amounts(const Value &entry) {
    const std::vector<Value> *pair = nullptr;
    if (auto *list = entry.as<ListValue>())
      pair = &list->elements;
    else if (auto *tuple = entry.as<TupleValue>())
      pair = &tuple->elements;
    if (!pair)
      return {amount(entry), amount(entry)};
    if (pair->size() != 2)
      e_.fail(DiagnosticKind::ShapeMismatch, at(1),
              fmt::format("{} widths for one axis", pair->size()), "[before, after] are needed");
    return {amount((*pair)[0]), amount((*pair)[1])};
  }

  std::vector<Amounts> allAmounts() {
    const Value &value = *call_.values[1];
    auto *list = value.as<ListValue>();
    if (!list)
      return std::vector<Amounts>(rank(), amounts(value));
    if (list->elements.size() != rank())
      e_.fail(
          DiagnosticKind::ShapeMismatch, at(1),
          fmt::format("widths for {} axes, {} has {}", list->elements.size(), str(x_.type), rank()),
          "pad(x, [0, [1, 2]]) gives each axis a number or [before, after]");
    std::vector<Amounts> result;
    for (const Value &entry : list->elements)
      result.push_back(amounts(entry));
    return result;
  }

  ValueId fill() {
    Type scalar{x_.type.dtype, {}};
    if (!call_.has(3))
      return scalar.dtype == DType::BF16 ? b_.splat(scalar, 0) : b_.splatInteger(scalar, 0);
    if (auto *known = call_.values[3]->as<BoolValue>(); known && scalar.dtype == DType::Bool)
      return b_.splatInteger(scalar, known->value);
    TensorValue value = e_.requireTensor(*call_.values[3], scalar.dtype, at(3), "the fill");
    if (!value.type.shape.empty())
      e_.fail(DiagnosticKind::ShapeMismatch, at(3),
              fmt::format("the fill is a scalar, found {}", str(value.type)));
    return value.id;
  }

  Value pad() {
    std::vector<Amounts> widths = allAmounts();
    std::string mode = "constant";
    if (call_.has(2)) {
      auto *text = call_.values[2]->as<StringValue>();
      constexpr std::string_view kModes[] = {"constant", "edge", "reflect", "wrap"};
      if (!text || std::ranges::count(kModes, text->text) == 0)
        e_.fail(DiagnosticKind::BadConstant, at(2), "'pad' has no such mode",
                "modes are \"constant\", \"edge\", \"reflect\" and \"wrap\"");
      mode = text->text;
    }
    if (mode != "constant" && call_.has(3))
      e_.fail(DiagnosticKind::WrongArguments, at(3),
              fmt::format("the mode \"{}\" takes its values from the operand", mode));
    if (mode == "constant") {
      Shape low, high;
      for (const Amounts &width : widths) {
        low.push_back(width.low);
        high.push_back(width.high);
      }
      return result(b_.pad(x_.id, fill(), low, high, std::vector<int64_t>(rank(), 1)));
    }
    ValueId x = x_.id;
    for (size_t axis = 0; axis < rank(); ++axis)
      x = padAxis(x, axis, widths[axis], mode);
    return result(x);
  }

  ValueId padAxis(ValueId x, size_t axis, const Amounts &width, const std::string &mode) {
    if (width.low == Dim(0) && width.high == Dim(0))
      return x;
    const Dim size = shape_[axis];
    const Dim most = mode == "reflect" ? size - Dim(1) : size;
    if (mode == "edge")
      demand(size - Dim(1), fmt::format("an axis of {} has no edge", size.str()), call_.location);
    else
      for (const Dim &amount : {width.low, width.high})
        demand(most - amount, fmt::format("a padding of {} exceeds {}", amount.str(), most.str()),
               at(1));
    if (mode == "wrap")
      return join({part(x, axis, size - width.low, size), x, part(x, axis, Dim(0), width.high)},
                  axis);
    if (mode == "edge")
      return join(
          {spread(x, axis, Dim(0), width.low), x, spread(x, axis, size - Dim(1), width.high)},
          axis);
    auto along = std::vector<int64_t>{static_cast<int64_t>(axis)};
    ValueId before = reverse(part(x, axis, Dim(1), width.low + Dim(1)), along);
    ValueId after = reverse(part(x, axis, most - width.high, most), along);
    return join({before, x, after}, axis);
  }

  /// The element at a position, `count` times.
  ValueId spread(ValueId x, size_t axis, const Dim &position, const Dim &count) {
    ValueId one = part(x, axis, position, position + Dim(1));
    Shape shape = b_.type(one).shape, dropped = shape;
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(axis));
    shape[axis] = count;
    std::vector<int64_t> axes;
    for (size_t i = 0; i < rank(); ++i)
      if (i != axis)
        axes.push_back(static_cast<int64_t>(i));
    return b_.broadcast(b_.reshape(one, dropped), shape, axes);
  }

  // ---- others ----

  /// Keeps what lies on a diagonal and on one side of it.
  Value triangle(bool isLower) {
    if (rank() < 2)
      e_.fail(DiagnosticKind::ShapeMismatch, call_.location,
              fmt::format("'{}' takes matrices, found {}", call_.builtin.name, str(x_.type)));
    int64_t diagonal = call_.has(1) ? e_.requireInt(*call_.values[1], at(1), "the diagonal") : 0;
    Type numbers{DType::I64, shape_};
    auto last = static_cast<int64_t>(rank()) - 1;
    ValueId row = b_.iota(numbers, last - 1), column = b_.iota(numbers, last);
    ValueId limit = b_.add(row, b_.splatInteger(numbers, diagonal));
    ValueId isKept = b_.binary(isLower ? OpKind::Le : OpKind::Ge, column, limit);
    ValueId zero =
        x_.type.dtype == DType::BF16 ? b_.splat(x_.type, 0) : b_.splatInteger(x_.type, 0);
    return result(b_.select(isKept, x_.id, zero));
  }

  Value expand() {
    size_t count = 1;
    if (auto *list = call_.values[1]->as<ListValue>())
      count = list->elements.size();
    std::vector<int64_t> axes = e_.requireAxes(*call_.values[1], rank() + count, at(1));
    std::sort(axes.begin(), axes.end());
    Shape shape = shape_;
    for (int64_t axis : axes)
      shape.insert(shape.begin() + axis, Dim(1));
    return result(b_.reshape(x_.id, shape));
  }

  Value squeeze() {
    Value axisValue = call_.has(1) ? *call_.values[1] : Value(NumberValue{Rational(-1)});
    std::vector<int64_t> axes = e_.requireAxes(axisValue, rank(), at(1));
    std::sort(axes.begin(), axes.end());
    Shape shape;
    for (size_t i = 0; i < rank(); ++i) {
      if (!std::ranges::binary_search(axes, static_cast<int64_t>(i)))
        shape.push_back(shape_[i]);
      else if (shape_[i] != Dim(1))
        e_.fail(DiagnosticKind::ShapeMismatch, call_.location,
                fmt::format("'squeeze' drops axes of size 1, axis {} of {} has {}", i, str(x_.type),
                            shape_[i].str()));
    }
    return result(b_.reshape(x_.id, shape));
  }

  Elaborator &e_;
  BuiltinCall &call_;
  Builder &b_;
  TensorValue x_;
  const Shape shape_;
};

} // namespace

Value Elaborator::builtinArrange(BuiltinCall &call) { return Arrangement(*this, call).run(); }

} // namespace apr::frontend
