// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/builder.h"
#include "ir/infer.h"
#include "ir/size_overflow.h"

#include <fmt/format.h>
#include <numeric>

namespace apr {

Builder &Builder::at(Location location) {
  location_ = location;
  return *this;
}

Builder &Builder::named(std::string name) {
  name_ = std::move(name);
  return *this;
}

std::vector<ValueId> Builder::createMulti(OpKind kind, std::vector<ValueId> operands,
                                          Attributes attributes, std::vector<Type> given,
                                          std::shared_ptr<const Graph> region) {
  std::vector<Type> types;
  for (ValueId operand : operands)
    types.push_back(graph_.type(operand));
  auto inferred = inferTypes(kind, types, attributes, given, region.get());
  if (!inferred) {
    const std::string what =
        fmt::format("cannot build '{}': {}", opInfo(kind).mnemonic, inferred.error());
    if (inferred.error().find("64 bits") != std::string::npos)
      throw SizeOverflow(what);
    throw InternalError(what);
  }
  size_t index = graph_.addOp(kind, std::move(operands), std::move(attributes),
                              std::move(*inferred), location_, std::move(region));
  std::vector<ValueId> results = graph_.ops()[index].results;
  if (!name_.empty() && !results.empty())
    graph_.value(results.front()).name = std::exchange(name_, {});
  return results;
}

ValueId Builder::create(OpKind kind, std::vector<ValueId> operands, Attributes attributes,
                        std::optional<Type> given) {
  std::vector<Type> types;
  if (given)
    types.push_back(std::move(*given));
  return createMulti(kind, std::move(operands), std::move(attributes), std::move(types)).front();
}

ValueId Builder::select(ValueId condition, ValueId yes, ValueId no) {
  return create(OpKind::Select, {condition, yes, no});
}

ValueId Builder::convert(ValueId x, DType to) {
  return create(OpKind::Convert, {x}, {}, Type{to, type(x).shape});
}

ValueId Builder::bitcast(ValueId x, DType to) {
  return create(OpKind::Bitcast, {x}, {}, Type{to, type(x).shape});
}

ValueId Builder::splat(const Type &type, double value) {
  return constant(type, Literal::splat(type.dtype, value));
}

ValueId Builder::splatInteger(const Type &type, int64_t value) {
  return constant(type, Literal::splatInteger(type.dtype, value));
}

ValueId Builder::constant(const Type &type, Literal literal) {
  return create(OpKind::Constant, {}, {{AttrKey::Value, std::move(literal)}}, type);
}

ValueId Builder::iota(const Type &type, int64_t axis) {
  return create(OpKind::Iota, {}, {{AttrKey::Axis, axis}}, type);
}

ValueId Builder::reduce(OpKind kind, ValueId x, std::vector<int64_t> axes) {
  return create(kind, {x}, {{AttrKey::Axes, std::move(axes)}});
}

ValueId Builder::sum(ValueId x, std::vector<int64_t> axes) {
  return reduce(OpKind::Sum, x, std::move(axes));
}

ValueId Builder::matmul(ValueId a, ValueId b, bool transposeA, bool transposeB) {
  Attributes attributes;
  if (transposeA)
    attributes.set(AttrKey::TransposeA, int64_t(1));
  if (transposeB)
    attributes.set(AttrKey::TransposeB, int64_t(1));
  return create(OpKind::MatMul, {a, b}, std::move(attributes));
}

ValueId Builder::reshape(ValueId x, Shape shape) {
  return create(OpKind::Reshape, {x}, {}, Type{type(x).dtype, std::move(shape)});
}

ValueId Builder::transpose(ValueId x, std::vector<int64_t> perm) {
  return create(OpKind::Transpose, {x}, {{AttrKey::Perm, std::move(perm)}});
}

ValueId Builder::broadcast(ValueId x, Shape shape, std::vector<int64_t> axes) {
  return create(OpKind::Broadcast, {x}, {{AttrKey::Axes, std::move(axes)}},
                Type{type(x).dtype, std::move(shape)});
}

ValueId Builder::broadcastTail(ValueId x, const Shape &shape) {
  size_t rank = type(x).rank();
  if (rank > shape.size())
    throw InternalError("a tail has a higher rank than the whole");
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), static_cast<int64_t>(shape.size() - rank));
  return rank == shape.size() ? x : broadcast(x, shape, std::move(axes));
}

ValueId Builder::slice(ValueId x, Shape start, Shape limit, std::vector<int64_t> stride) {
  return create(OpKind::Slice, {x},
                {{AttrKey::Start, std::move(start)},
                 {AttrKey::Limit, std::move(limit)},
                 {AttrKey::Stride, std::move(stride)}});
}

ValueId Builder::pad(ValueId x, ValueId fill, Shape low, Shape high, std::vector<int64_t> stride) {
  return create(OpKind::Pad, {x, fill},
                {{AttrKey::Low, std::move(low)},
                 {AttrKey::High, std::move(high)},
                 {AttrKey::Stride, std::move(stride)}});
}

ValueId Builder::concat(std::vector<ValueId> parts, int64_t axis) {
  return create(OpKind::Concat, std::move(parts), {{AttrKey::Axis, axis}});
}

} // namespace apr
