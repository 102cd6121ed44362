// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "ir/result.h"

namespace apr {

/// The result types of an op from its operand types and attributes. Families whose result type is
/// given (Convert, Bitcast, Reshape, Broadcast, OneHot, Constant, Iota, Random) need `given`, and
/// it is checked; for the others a `given` type is ignored. The error says what was found and
/// expected.
Result<std::vector<Type>> inferTypes(OpKind kind, std::span<const Type> operands,
                                     const Attributes &attributes, std::span<const Type> given = {},
                                     const Graph *region = nullptr);

} // namespace apr
