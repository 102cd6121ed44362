// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/entry_point.h"

namespace apr {

/// Emits the C functions that the generated header declares for an entry point: the typed function,
/// which fills an aprt_call, and `<symbol>_workspace_bytes`.
void emitTypedFunctions(const EntryContext &context, const EntryDescription &entry,
                        const EntryPoint &point);

/// Emits `<prefix>_state_bytes`, `<prefix>_workspace_bytes`, which is the maximum over all entry
/// points, and `<prefix>_gradients_bytes`.
void emitSizeFunctions(const EntryContext &context, const std::vector<EntryPoint> &points);

} // namespace apr
