// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/graph.h"

namespace apr {

/// Reports every violation of the rules of the IR (kind IrInvalid); true where there is none.
///
/// 1. Every operand is an argument or the result of an earlier op of the same graph.
/// 2. Every op has the arity, attributes and types of its family (inferTypes); required attributes
///    are present, and no others than the op's own.
/// 3. Dims are valid; constant dims are >= 0 and the constant part of a size fits in 2^63 bytes;
/// dim
///    variables of values are among the function's dims.
/// 4. Literals have one element or as many as the (then constant) shape.
/// 5. Orders are well formed (Order::problem).
/// 6. Arguments and results match their roles: state tensors and hyperparameters exist in the
/// module
///    with the same type; one update per state tensor; scalar results are scalars; rows results
///    have rank 1; hyperparameters and exec arguments are scalars.
///    Only the apply of a train block has gradient arguments, only its grad gradient results.
/// 7. State dims are constant; names of state, hyperparameters and functions are unique.
/// 8. Buffers: workspace offsets of values alive at the same time do not overlap where that can be
///    decided, those in the region of a scan and those around it included, and a kernel that writes
///    a state tensor comes after every other reader of the old value.
bool verify(const Module &module, Diagnostics &diagnostics);

} // namespace apr
