// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/scan.h"

namespace apr {

ScanParts::ScanParts(const Op &scan)
    : carries(size_t(scan.attributes.integer(AttrKey::Carries))),
      inputs(size_t(scan.attributes.integer(AttrKey::Inputs))),
      captured(scan.operands.size() - carries - inputs), outputs(scan.results.size() - carries),
      length(scan.attributes.dims(AttrKey::Length).front()),
      isBackwards(scan.attributes.integerOr0(AttrKey::Backwards) != 0) {}

std::vector<ValueId> createScan(Builder &builder, const ScanOperands &operands, Dim length,
                                ScanDirection direction, std::shared_ptr<const Graph> region) {
  Attributes attributes{{AttrKey::Carries, int64_t(operands.carries.size())},
                        {AttrKey::Inputs, int64_t(operands.inputs.size())},
                        {AttrKey::Length, std::vector<Dim>{std::move(length)}}};
  if (direction == ScanDirection::Backwards)
    attributes.set(AttrKey::Backwards, int64_t(1));
  std::vector<ValueId> all = operands.carries;
  all.insert(all.end(), operands.inputs.begin(), operands.inputs.end());
  all.insert(all.end(), operands.captured.begin(), operands.captured.end());
  return builder.createMulti(OpKind::Scan, std::move(all), std::move(attributes), {},
                             std::move(region));
}

std::vector<ValueId> rebuildScan(Builder &builder, const Op &scan,
                                 const std::function<std::optional<ValueId>(size_t)> &operand,
                                 std::shared_ptr<const Graph> region) {
  const ScanParts parts(scan);
  ScanOperands operands;
  for (size_t i = 0; i < scan.operands.size(); ++i)
    if (const auto value = operand(i))
      (parts.isCarry(i)   ? operands.carries
       : parts.isInput(i) ? operands.inputs
                          : operands.captured)
          .push_back(*value);
  return createScan(builder, operands, parts.length,
                    parts.isBackwards ? ScanDirection::Backwards : ScanDirection::Forwards,
                    std::move(region));
}

Type stackedType(const Dim &length, const Type &type) {
  Type stacked{type.dtype, {length}};
  stacked.shape.insert(stacked.shape.end(), type.shape.begin(), type.shape.end());
  return stacked;
}

Type sliceType(const Type &stacked) {
  return {stacked.dtype, Shape(stacked.shape.begin() + 1, stacked.shape.end())};
}

} // namespace apr
