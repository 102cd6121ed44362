// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr {

/// Thrown by Builder where a size of the result does not fit 64 bits, which the user's sizes may
/// bring about; the frontend reports it.
struct SizeOverflow : InternalError {
  using InternalError::InternalError;
};

} // namespace apr
