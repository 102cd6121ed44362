// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/graph_generator/generate.h"

#include <functional>

namespace apr::test {

/// Calls `check` with so many random modules of every mode and what distinguishes them. Modules
/// that a pass refuses (no derivative, say) are left out; where most are, the running test fails.
void forRandomModules(uint64_t count, uint64_t seed,
                      const std::function<void(const fuzz::Generated &, uint64_t index)> &check);

} // namespace apr::test
