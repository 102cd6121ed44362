// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops with a region, which is a random graph of its own.
#include "tools/graph_generator/graph_grower.h"

#include "ir/scan.h"

#include <algorithm>

namespace apr::fuzz {

bool GraphGrower::addStructure(OpKind kind) {
  if (depth_ >= 2)
    return false;
  switch (kind) {
  case OpKind::Scan:
    return addScan();
  case OpKind::WithGradient:
    return addWithGradient();
  default:
    return addKernel();
  }
}

bool GraphGrower::addScan() {
  ScanOperands operands;
  Dim length = random_.oneIn(3) ? Dim(random_.between(0, 3)) : random_.pick(style_.sizes);
  if (!random_.oneIn(4)) {
    const ValueId input = operand(Elements::Any, 1);
    operands.inputs.push_back(input);
    length = graph_.type(input).shape[0];
    if (random_.oneIn(3)) {
      Shape shape{length};
      if (random_.oneIn(2))
        shape.push_back(random_.pick(style_.sizes));
      if (fits(shape))
        operands.inputs.push_back(valueOf({drawDType(Elements::Any), shape}));
    }
  }
  // Long loops of anything but scalars cost the interpreter too much.
  if (sizeOf(length) > 70)
    return false;
  auto small = [&](ValueId v) {
    return countOf(graph_.type(v).shape) * std::max<int64_t>(sizeOf(length), 1) <=
           style_.maximumElements;
  };
  for (size_t n = random_.below(3) + (operands.inputs.empty() ? 1 : 0); n-- > 0;)
    if (ValueId v = operand(Elements::Any); small(v))
      operands.carries.push_back(v);
  for (size_t n = random_.below(3); n-- > 0;)
    if (ValueId v = operand(Elements::Any); small(v))
      operands.captured.push_back(v);
  settle();

  auto region = std::make_shared<Graph>();
  GraphGrower body(*region, random_, style_, depth_ + 1);
  for (ValueId v : operands.carries)
    body.know(region->addArgument(graph_.type(v)), flow_[v]);
  for (ValueId v : operands.inputs)
    body.know(region->addArgument(sliceType(graph_.type(v))), flow_[v]);
  for (ValueId v : operands.captured)
    body.know(region->addArgument(graph_.type(v)), flow_[v]);
  body.grow(1 + random_.below(5));
  for (ValueId v : operands.carries)
    region->results.push_back(body.valueOf(graph_.type(v)));
  for (size_t n = operands.carries.empty() ? 1 : random_.below(3); n-- > 0;) {
    auto output = body.find([&](const Type &type) {
      return countOf(type.shape) * std::max<int64_t>(sizeOf(length), 1) <= style_.maximumElements &&
             type.rank() < 4;
    });
    region->results.push_back(output ? *output : body.valueOf({DType::F32, {}}));
  }
  createScan(b_, operands, length,
             random_.oneIn(3) ? ScanDirection::Backwards : ScanDirection::Forwards, region);
  return true;
}

bool GraphGrower::addWithGradient() {
  const ValueId value = operand(Elements::Float);
  std::vector<ValueId> operands{value};
  const int64_t count = random_.between(1, 2);
  for (int64_t i = 0; i < count; ++i)
    operands.push_back(operand(Elements::Float));
  if (random_.oneIn(3))
    operands.push_back(operand(Elements::Any));
  auto region = std::make_shared<Graph>();
  GraphGrower body(*region, random_, style_, depth_ + 1);
  for (ValueId v : operands)
    body.know(region->addArgument(graph_.type(v)), Flow::Smooth);
  body.grow(1 + random_.below(3));
  for (int64_t i = 0; i < count; ++i)
    region->results.push_back(body.valueOf(graph_.type(operands[static_cast<size_t>(i) + 1])));
  b_.createMulti(OpKind::WithGradient, operands, {{AttrKey::Arguments, count}}, {}, region);
  return true;
}

/// A kernel as a source may hold one: a few elementwise ops.
bool GraphGrower::addKernel() {
  if (asksDerivatives() || depth_ > 0)
    return false;
  const ValueId x = operand(Elements::Float);
  const Type type = graph_.type(x);
  const ValueId y = valueOf(type);
  auto region = std::make_shared<Graph>();
  Builder body(*region);
  ValueId a = region->addArgument(type), b = region->addArgument(type);
  static constexpr OpKind kKinds[] = {OpKind::Add, OpKind::Sub, OpKind::Mul, OpKind::Max};
  for (size_t n = 1 + random_.below(3); n-- > 0;)
    a = body.binary(random_.pick(kKinds), a, b);
  region->results = {a};
  b_.createMulti(OpKind::Kernel, {x, y}, {}, {}, region);
  return true;
}

} // namespace apr::fuzz
