// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The axes of the largest shape are cut in two groups, before and after `cut`. Every value must
// have both groups, one of them or none; every op must treat a group as a whole.
#include "codegen/collapse_axes.h"

#include "ir/builder.h"

#include <algorithm>
#include <numeric>

namespace apr::codegen {
namespace {

Shape part(const Shape &shape, size_t begin, size_t end) {
  return {shape.begin() + static_cast<std::ptrdiff_t>(begin),
          shape.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::vector<int64_t> counting(size_t begin, size_t end) {
  std::vector<int64_t> axes(end - begin);
  std::iota(axes.begin(), axes.end(), static_cast<int64_t>(begin));
  return axes;
}

class Collapser {
public:
  Collapser(const Graph &region, const Shape &full, size_t cut)
      : region_(region), full_(full), cut_(cut), rows_(part(full, 0, cut)),
        columns_(part(full, cut, full.size())) {}

  std::optional<Graph> run() {
    map_.resize(region_.values().size());
    for (ValueId argument : region_.arguments()) {
      auto type = collapsed(region_.type(argument));
      if (!type)
        return std::nullopt;
      map_[argument] = result_.addArgument(*type);
    }
    for (const Op &op : region_.ops())
      if (!collapse(op))
        return std::nullopt;
    for (ValueId value : region_.results)
      result_.results.push_back(map_[value]);
    return std::move(result_);
  }

private:
  enum class Part : uint8_t { Scalar, Rows, Columns, Full };

  std::optional<Part> partOf(const Shape &shape) const {
    if (shape.empty())
      return Part::Scalar;
    if (shape == full_)
      return Part::Full;
    if (shape == rows_)
      return Part::Rows;
    if (shape == columns_)
      return Part::Columns;
    return std::nullopt;
  }

  std::optional<Type> collapsed(const Type &type) const {
    auto which = partOf(type.shape);
    if (!which)
      return std::nullopt;
    const Dim rows = elementCount(rows_), columns = elementCount(columns_);
    switch (*which) {
    case Part::Scalar:
      return type;
    case Part::Rows:
      return Type{type.dtype, {rows}};
    case Part::Columns:
      return Type{type.dtype, {columns}};
    case Part::Full:
      break;
    }
    return cut_ == 0 ? Type{type.dtype, {columns}} : Type{type.dtype, {rows, columns}};
  }

  void append(const Op &op, std::vector<ValueId> operands, Attributes attributes, Type type) {
    const size_t index =
        result_.addOp(op.kind, std::move(operands), std::move(attributes), {type}, op.location);
    map_[op.result()] = result_.ops()[index].result();
  }

  /// Axes of a group-wise op before and after; nothing where a group is cut.
  std::optional<std::vector<int64_t>> collapsedAxes(const std::vector<int64_t> &axes,
                                                    const Shape &shape) const {
    const size_t rank = shape.size();
    if (axes.empty())
      return axes;
    if (axes == counting(0, rank))
      return counting(0, shape == full_ && cut_ > 0 ? 2 : 1);
    if (shape != full_ || cut_ == 0)
      return std::nullopt;
    if (axes == counting(0, cut_))
      return counting(0, 1);
    if (axes == counting(cut_, rank))
      return counting(1, 2);
    return std::nullopt;
  }

  bool collapse(const Op &op) {
    auto type = collapsed(region_.type(op.result()));
    if (!type)
      return false;
    std::vector<ValueId> operands;
    for (ValueId operand : op.operands)
      operands.push_back(map_[operand]);
    Attributes attributes = op.attributes;
    switch (opInfo(op.kind).family) {
    case OpFamily::Reduce:
    case OpFamily::ArgReduce:
    case OpFamily::Broadcast: {
      const bool isBroadcast = op.kind == OpKind::Broadcast;
      const ValueId wide = isBroadcast ? op.result() : op.operands[0];
      auto axes = collapsedAxes(op.attributes.integers(AttrKey::Axes), region_.type(wide).shape);
      if (!axes)
        return false;
      attributes.set(AttrKey::Axes, *axes);
      break;
    }
    case OpFamily::Iota: {
      // The coordinate must be that of a whole group.
      const Shape &shape = region_.type(op.result()).shape;
      auto axes = collapsedAxes({op.attributes.integer(AttrKey::Axis)}, shape);
      if (!axes || axes->size() != 1)
        return false;
      attributes.set(AttrKey::Axis, (*axes)[0]);
      break;
    }
    case OpFamily::Random:
      if (!scaleRowOffset(op, operands))
        return false;
      break;
    case OpFamily::Constant:
      break;
    case OpFamily::Pick:
      if (columns_.size() != 1 || region_.type(op.operands[0]).shape != full_)
        return false;
      break;
    case OpFamily::OneHot:
      if (columns_.size() != 1 || region_.type(op.result()).shape != full_)
        return false;
      break;
    default:
      if (!isElementwise(op.kind))
        return false;
    }
    append(op, std::move(operands), std::move(attributes), *type);
    return true;
  }

  /// A row of the collapsed type may be shorter; the offset then counts more of them.
  bool scaleRowOffset(const Op &op, std::vector<ValueId> &operands) {
    const Shape &shape = region_.type(op.result()).shape;
    if (shape.empty())
      return true;
    if (shape != full_)
      return false;
    const size_t end = cut_ == 0 ? shape.size() : cut_;
    auto factor = elementCount(part(shape, 1, end)).asConstant();
    if (!factor)
      return false;
    if (*factor != 1) {
      Builder builder(result_);
      operands[2] =
          builder.mul(operands[2], builder.splatInteger(builder.type(operands[2]), *factor));
    }
    return true;
  }

  const Graph &region_;
  Shape full_;
  size_t cut_;
  Shape rows_, columns_;
  Graph result_;
  std::vector<ValueId> map_;
};

} // namespace

Graph collapseAxes(const Graph &region) {
  Shape full;
  for (const Value &value : region.values())
    if (value.type.rank() > full.size())
      full = value.type.shape;
  if (full.size() < 2)
    return region;
  // No cut first; with two axes any other cut changes nothing.
  const size_t cuts = full.size() > 2 ? full.size() : 1;
  for (size_t cut = 0; cut < cuts; ++cut)
    if (auto collapsed = Collapser(region, full, cut).run())
      return std::move(*collapsed);
  return region;
}

} // namespace apr::codegen
