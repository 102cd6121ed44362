// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"

namespace apr {

/// The value of a dim as a scalar of the dtype; floats round once, from f64.
///
/// The IR has no op for it: an open dim is the last element of an iota of dim + 1 elements, of
/// which code computes that one alone.
ValueId dimValue(Builder &builder, const Dim &dim, DType dtype);

} // namespace apr
