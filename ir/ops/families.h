// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/infer.h"

namespace apr {

/// What a type rule sees. Operand count, attribute presence and attribute types are checked
/// already.
struct TypeQuery {
  OpKind kind;
  std::span<const Type> operands;
  const Attributes &attributes;
  std::span<const Type> given;
  const Graph *region;
};
using InferredTypes = Result<std::vector<Type>>;

InferredTypes inferElementwise(const TypeQuery &query);
InferredTypes inferConversion(const TypeQuery &query);
InferredTypes inferReduce(const TypeQuery &query);
InferredTypes inferContract(const TypeQuery &query);
InferredTypes inferMovement(const TypeQuery &query);
InferredTypes inferIndexing(const TypeQuery &query);
InferredTypes inferWindow(const TypeQuery &query);
InferredTypes inferSource(const TypeQuery &query);
InferredTypes inferStructure(const TypeQuery &query);
InferredTypes inferWithGradient(const TypeQuery &query);

/// The axes attribute as a valid ascending list below `rank`, or what is wrong with it.
std::optional<std::string> axesProblem(const std::vector<int64_t> &axes, size_t rank);

} // namespace apr
