// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/simplify/simplifier.h"

namespace apr {

std::optional<ValueId> Simplifier::simplify(const Candidate &candidate) {
  if (depth_ > kMaximumSimplifications)
    return std::nullopt;
  for (auto rule : {simplifyArithmetic, simplifyLogic, simplifyConversion, simplifyMovement,
                    simplifyReduction, hoistOverMovement})
    if (auto simpler = rule(*this, candidate))
      return simpler;
  return std::nullopt;
}

ValueId Simplifier::make(Candidate candidate) {
  ++depth_;
  std::optional<ValueId> simpler = simplify(candidate);
  --depth_;
  if (simpler)
    return *simpler;
  return b_.create(candidate.kind, std::move(candidate.operands), std::move(candidate.attributes),
                   std::move(candidate.type));
}

const Op *Simplifier::definedBy(ValueId v, OpKind kind) const {
  const Op *op = b_.graph().definition(v);
  return op && op->kind == kind ? op : nullptr;
}

const Literal *Simplifier::splatOf(ValueId v) const {
  const Op *op = definedBy(v, OpKind::Constant);
  if (!op || op->attributes.literal().count() != 1)
    return nullptr;
  return &op->attributes.literal();
}

bool Simplifier::isNumber(ValueId v, double value) const {
  const Literal *element = splatOf(v);
  return element && *element == Literal::splat(element->dtype, value);
}

} // namespace apr
