// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/ops/families.h"

#include <fmt/format.h>

namespace apr {

namespace {

InferredTypes inferConstant(const Type &to, const Literal &literal) {
  if (literal.dtype != to.dtype)
    return Error{fmt::format("value is {}, the result {}", name(literal.dtype), str(to))};
  auto count = elementCount(to.shape).asConstant();
  auto have = static_cast<int64_t>(literal.count());
  if (literal.bytes.size() % byteSize(literal.dtype) != 0 ||
      (have != 1 && (!count || *count != have)))
    return Error{fmt::format("value has {} elements, expected 1 or those of {}", have, str(to))};
  return std::vector<Type>{to};
}

InferredTypes inferIota(const Type &to, int64_t axis) {
  if (!(isFloat(to.dtype) || isInteger(to.dtype)) || axis < 0 ||
      axis >= static_cast<int64_t>(to.rank()))
    return Error{fmt::format("iota along axis {} of {}: expected a float or integer tensor with "
                             "that axis",
                             axis, str(to))};
  return std::vector<Type>{to};
}

InferredTypes inferRandom(const TypeQuery &query) {
  const Type scalar{DType::I64, {}};
  for (const Type &operand : query.operands)
    if (!(operand == scalar))
      return Error{
          fmt::format("seed, step and row offset must be i64 scalars, found {}", str(operand))};
  const Type &to = query.given[0];
  if (query.kind == OpKind::RandomBits ? to.dtype != DType::I32 : !isFloat(to.dtype))
    return Error{fmt::format("result is {}, expected {}", str(to),
                             query.kind == OpKind::RandomBits ? "i32" : "f32 or f64")};
  int64_t word = query.attributes.integerOr0(AttrKey::Word);
  if (word < 0 || word > 3)
    return Error{fmt::format("word is {}, expected 0 to 3", word)};
  return std::vector<Type>{to};
}

} // namespace

InferredTypes inferSource(const TypeQuery &query) {
  switch (opInfo(query.kind).family) {
  case OpFamily::Constant:
    return inferConstant(query.given[0], query.attributes.literal());
  case OpFamily::Iota:
    return inferIota(query.given[0], query.attributes.integer(AttrKey::Axis));
  default:
    return inferRandom(query);
  }
}

} // namespace apr
