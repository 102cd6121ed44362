// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"

namespace apr::exhaustive {

/// A hash of the operations and constants that compiled code evaluates for an f32 elementary
/// function: the same for every target and compiler, another one as soon as one bit of one
/// coefficient is. It ties a proof to what was proven.
uint64_t formulaHash(OpKind kind);

} // namespace apr::exhaustive
