// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/elaborator.h"

namespace apr::frontend {

/// Indices into an axis of this size. Numbers and lists of them are checked, and negative ones
/// count from the end; tensors are taken as they are, i32 or i64.
TensorValue requireIndices(Elaborator &elaborator, const Value &value, const Dim &size,
                           Location location, std::string_view what);

} // namespace apr::frontend
