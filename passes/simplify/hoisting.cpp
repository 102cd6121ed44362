// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An element-wise op of repeated elements repeats its result: compute it once, then repeat.
#include "passes/simplify/simplifier.h"

namespace apr {
namespace {

/// The broadcast that all operands share, leaving aside constants that are the same everywhere.
const Op *findCommonBroadcast(const Simplifier &s, const Candidate &c) {
  const Op *common = nullptr;
  for (ValueId operand : c.operands) {
    if (s.splatOf(operand))
      continue;
    const Op *broadcast = s.definedBy(operand, OpKind::Broadcast);
    if (!broadcast)
      return nullptr;
    if (common && (broadcast->attributes != common->attributes ||
                   s.type(broadcast->operands[0]).shape != s.type(common->operands[0]).shape))
      return nullptr;
    common = broadcast;
  }
  return common;
}

} // namespace

std::optional<ValueId> hoistOverBroadcast(Simplifier &s, const Candidate &c) {
  if (!isElementwise(c.kind) || c.operands.empty())
    return std::nullopt;
  const Op *common = findCommonBroadcast(s, c);
  if (!common)
    return std::nullopt;
  Attributes axes = common->attributes;
  Shape shape = s.type(common->operands[0]).shape;
  Candidate smaller{c.kind, {}, c.attributes, {c.type.dtype, shape}};
  for (ValueId operand : c.operands) {
    if (const Literal *element = s.splatOf(operand))
      smaller.operands.push_back(s.constant({element->dtype, shape}, Literal(*element)));
    else
      smaller.operands.push_back(s.definedBy(operand, OpKind::Broadcast)->operands[0]);
  }
  ValueId result = s.make(std::move(smaller));
  return s.make({OpKind::Broadcast, {result}, std::move(axes), c.type});
}

} // namespace apr
