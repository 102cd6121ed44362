// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that add up: reductions, ops along one axis, contractions.
#include "tools/graph_generator/graph_grower.h"

#include "ir/convolution.h"

namespace apr::fuzz {

std::optional<Order> GraphGrower::drawOrder(const Dim &terms) {
  static constexpr int64_t kLengths[] = {1, 2, 3, 4, 7, 8, 16, 512};
  const int64_t width = int64_t(1) << random_.below(6);
  switch (random_.below(12)) {
  case 0:
    return Order::seq();
  case 1:
    return Order::tree(Order::chunks(random_.pick(kLengths)));
  case 2:
    return Order::tree(Order::lanes(width, width * random_.between(1, 9)));
  case 3: {
    const int64_t count = random_.between(1, 6), total = sizeOf(terms);
    if (total < 0 || total % count != 0)
      return std::nullopt;
    return Order::ranges(Dim(count),
                         random_.oneIn(2) ? Order::seq() : Order::tree(Order::chunks(3)));
  }
  default:
    return std::nullopt;
  }
}

void GraphGrower::addOrder(Attributes &attributes, const Dim &terms) {
  if (auto order = drawOrder(terms))
    attributes.set(AttrKey::Order, *order);
}

bool GraphGrower::addReduce(OpKind kind) {
  const bool isExtremum = kind == OpKind::ReduceMax || kind == OpKind::ReduceMin;
  const ValueId x = operand(isExtremum ? Elements::NoBf16 : Elements::Number, 1);
  const Shape shape = graph_.type(x).shape;
  const std::vector<int64_t> axes = drawAxes(shape.size());
  Attributes attributes{{AttrKey::Axes, axes}};
  if (kind == OpKind::Sum || kind == OpKind::Product) {
    Dim terms(1);
    for (int64_t axis : axes)
      terms *= shape[static_cast<size_t>(axis)];
    addOrder(attributes, terms);
  }
  b_.create(kind, {x}, attributes);
  return true;
}

bool GraphGrower::addAlongAxis(OpKind kind) {
  const ValueId x = operand(Elements::Number, 1);
  Attributes attributes{
      {AttrKey::Axis, static_cast<int64_t>(random_.below(graph_.type(x).rank()))}};
  if (kind == OpKind::ArgSort && random_.oneIn(2))
    attributes.set(AttrKey::Descending, random_.between(0, 1));
  b_.create(kind, {x}, attributes);
  return true;
}

bool GraphGrower::addMatMul() {
  const ValueId a = operand(Elements::Number, 2);
  const Type type = graph_.type(a);
  const bool transposeA = random_.oneIn(2), transposeB = random_.oneIn(2);
  const size_t rank = type.rank();
  const Dim k = type.shape[rank - (transposeA ? 2 : 1)];
  const Dim m = type.shape[rank - (transposeA ? 1 : 2)];
  Shape shape(type.shape.begin(), type.shape.end() - 2);
  const Dim n = random_.oneIn(3) ? m : random_.pick(style_.sizes);
  Shape result = shape;
  result.insert(result.end(), {m, n});
  shape.insert(shape.end(), {transposeB ? n : k, transposeB ? k : n});
  if (!fits(shape) || !fits(result) ||
      countOf(result) * std::max<int64_t>(sizeOf(k), 1) > style_.maximumTerms)
    return false;
  Attributes attributes;
  if (transposeA)
    attributes.set(AttrKey::TransposeA, int64_t(1));
  if (transposeB)
    attributes.set(AttrKey::TransposeB, int64_t(1));
  addOrder(attributes, k);
  const ValueId b = valueOf({type.dtype, shape});
  b_.create(OpKind::MatMul, {a, b}, attributes);
  return true;
}

/// x[B,S1..Sn,G,I]: a value of such a rank, or another one laid out so, or a new one.
ValueId GraphGrower::image(DType dtype, size_t spatial, int64_t groups, int64_t channels) {
  const Dim g(groups), i(channels);
  auto fitting = find([&](const Type &t) {
    return t.dtype == dtype && t.rank() == spatial + 3 && t.shape[spatial + 1] == g &&
           t.shape[spatial + 2] == i;
  });
  if (fitting && !random_.oneIn(4))
    return *fitting;
  if (groups == 1 && channels == 1 && spatial == 1 && random_.oneIn(2))
    if (auto any = find([&](const Type &t) { return t.dtype == dtype && t.rank() > 0; }))
      return b_.reshape(*any, {Dim(1), elementCount(graph_.type(*any).shape), Dim(1), Dim(1)});
  Shape shape{Dim(random_.between(random_.oneIn(20) ? 0 : 1, 3))};
  for (size_t n = 0; n < spatial; ++n)
    shape.push_back(spatial == 1 ? random_.pick(style_.sizes) : Dim(random_.between(1, 9)));
  shape.insert(shape.end(), {g, i});
  while (!fits(shape))
    shape[1 + random_.below(spatial)] = Dim(random_.between(1, 5));
  return valueOf({dtype, shape});
}

bool GraphGrower::addConv() {
  const DType dtype = drawDType(Elements::Float);
  const size_t spatial = 1 + random_.below(2);
  const ValueId x = image(dtype, spatial, random_.oneIn(3) ? 2 : 1, random_.between(1, 4));
  const Shape shape = graph_.type(x).shape;
  Shape weight;
  std::vector<int64_t> stride, dilation;
  Dim terms = shape.back();
  int64_t windows = 1;
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t size = sizeOf(shape[i + 1]), kernel = random_.between(1, 4);
    dilation.push_back(random_.oneIn(4) ? 2 : 1);
    stride.push_back(random_.oneIn(3) ? random_.between(2, 3) : 1);
    if ((kernel - 1) * dilation.back() + 1 > size)
      return false;
    weight.emplace_back(kernel);
    terms *= Dim(kernel);
    windows *= size;
  }
  static constexpr int64_t kChannels[] = {0, 1, 2, 3, 5, 8, 9};
  weight.insert(weight.end(),
                {shape[spatial + 1], shape[spatial + 2], Dim(random_.pick(kChannels))});
  const int64_t outputs =
      sizeOf(shape[0]) * windows * sizeOf(shape[spatial + 1]) * sizeOf(weight.back());
  if (outputs > style_.maximumElements || outputs * sizeOf(terms) > style_.maximumTerms)
    return false;
  Attributes attributes = convAttributes(stride, dilation);
  addOrder(attributes, terms);
  const ValueId w = valueOf({dtype, weight});
  b_.create(OpKind::Conv, {x, w}, attributes);
  return true;
}

bool GraphGrower::addConvWeight() {
  const DType dtype = drawDType(Elements::Float);
  const size_t spatial = 1 + random_.below(2);
  const ValueId x = image(dtype, spatial, random_.oneIn(3) ? 2 : 1, random_.between(1, 4));
  const Shape shape = graph_.type(x).shape;
  Shape y{shape[0]};
  std::vector<int64_t> size, stride, dilation;
  Dim terms = shape[0];
  int64_t taps = 1;
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t kernel = random_.between(1, 3), extent = sizeOf(shape[i + 1]);
    size.push_back(kernel);
    dilation.push_back(random_.oneIn(4) ? 2 : 1);
    stride.push_back(random_.oneIn(3) ? 2 : 1);
    if ((kernel - 1) * dilation.back() + 1 > extent)
      return false;
    const Dim most = windowCount(shape[i + 1], kernel, stride.back(), dilation.back());
    // Fewer places than fit are allowed, but one there must be.
    y.push_back(most.isConstant()
                    ? Dim(random_.oneIn(3) ? random_.between(1, sizeOf(most)) : sizeOf(most))
                    : most);
    terms *= y.back();
    taps *= kernel;
  }
  y.insert(y.end(), {shape[spatial + 1], Dim(random_.between(1, 9))});
  const int64_t outputs =
      taps * sizeOf(shape[spatial + 1]) * sizeOf(shape[spatial + 2]) * sizeOf(y.back());
  if (!fits(y) || outputs > style_.maximumElements ||
      outputs * std::max<int64_t>(sizeOf(terms), 1) > style_.maximumTerms)
    return false;
  Attributes attributes = convAttributes(stride, dilation);
  attributes.set(AttrKey::Size, size);
  addOrder(attributes, terms);
  const ValueId other = valueOf({dtype, y});
  b_.create(OpKind::ConvWeight, {x, other}, attributes);
  return true;
}

} // namespace apr::fuzz
