// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that take indices, and ops without operands.
#include "tools/graph_generator/graph_grower.h"

namespace apr::fuzz {

bool GraphGrower::addIndexing(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Gather:
    return addGather();
  case OpFamily::Scatter:
    return addScatter(kind);
  case OpFamily::Pick:
    return addPick();
  default:
    return addOneHot();
  }
}

/// Indices of a shape: an input, which entries check, or computed ones, which are clamped.
ValueId GraphGrower::indices(const Shape &shape) {
  const Type type{random_.oneIn(3) ? DType::I64 : DType::I32, shape};
  const ValueId value = valueOf(type);
  if (random_.oneIn(2))
    return value;
  return b_.binary(OpKind::Xor, value, b_.splatInteger(type, random_.between(0, 1)));
}

bool GraphGrower::addGather() {
  const ValueId x = operand(Elements::Any, 1);
  const Shape shape = graph_.type(x).shape;
  const size_t axis = random_.below(shape.size());
  const Shape index = makeShape(random_.below(shape.size() < 3 ? 3 : 2));
  Shape result = shape;
  result[axis] = elementCount(index);
  if (!fits(result))
    return false;
  const ValueId at = indices(index);
  b_.create(OpKind::Gather, {x, at}, {{AttrKey::Axis, static_cast<int64_t>(axis)}});
  return true;
}

bool GraphGrower::addScatter(OpKind kind) {
  const ValueId x = operand(kind == OpKind::ScatterAdd ? Elements::Number : Elements::Any, 1);
  const Type type = graph_.type(x);
  const auto axis = static_cast<ptrdiff_t>(random_.below(type.rank()));
  const Shape index = makeShape(random_.below(type.rank() < 3 ? 3 : 2));
  Type updates = type;
  updates.shape.erase(updates.shape.begin() + axis);
  updates.shape.insert(updates.shape.begin() + axis, index.begin(), index.end());
  if (!fits(updates.shape))
    return false;
  const ValueId at = indices(index);
  const ValueId added = valueOf(updates);
  b_.create(kind, {x, at, added}, {{AttrKey::Axis, static_cast<int64_t>(axis)}});
  return true;
}

bool GraphGrower::addPick() {
  const ValueId x = operand(Elements::Any, 1);
  Shape rows = graph_.type(x).shape;
  rows.pop_back();
  const ValueId at = indices(rows);
  b_.create(OpKind::Pick, {x, at});
  return true;
}

bool GraphGrower::addOneHot() {
  auto fitting = find([](const Type &type) {
    return (type.dtype == DType::I32 || type.dtype == DType::I64) && type.rank() < 4;
  });
  const ValueId at = fitting && random_.oneIn(2) ? *fitting : indices(makeShape(random_.below(3)));
  Shape shape = graph_.type(at).shape;
  shape.push_back(random_.pick(style_.sizes));
  if (!fits(shape))
    return false;
  b_.create(OpKind::OneHot, {at}, {}, Type{drawDType(Elements::NoBf16), shape});
  return true;
}

bool GraphGrower::addSource(OpKind kind) {
  const Shape shape = makeShape(random_.below(4));
  switch (kind) {
  case OpKind::Constant:
    constant({drawDType(Elements::Any), shape});
    return true;
  case OpKind::Iota:
    if (shape.empty())
      return false;
    b_.iota({drawDType(Elements::Number), shape},
            static_cast<int64_t>(random_.below(shape.size())));
    return true;
  default:
    break;
  }
  if (!randomKey)
    return false;
  static constexpr const char *kStreams[] = {"a", "b", "dropout"};
  Attributes attributes{{AttrKey::Stream, std::string(random_.pick(kStreams))}};
  if (kind == OpKind::RandomBits && random_.oneIn(2))
    attributes.set(AttrKey::Word, random_.between(0, 3));
  const DType dtype = kind == OpKind::RandomBits ? DType::I32
                      : random_.oneIn(4)         ? DType::F64
                                                 : DType::F32;
  b_.create(kind, randomKey(), attributes, Type{dtype, shape});
  return true;
}

} // namespace apr::fuzz
