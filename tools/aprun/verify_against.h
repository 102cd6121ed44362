// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/against.h"
#include "tools/aprun/verify_run.h"

#include <cstdint>

namespace apr::aprun {

/// Repeats a run step by step in two ways, the session's model and another one, each step from the
/// same state. Prints what was compared, or the first step, tensor, op and element that differ.
/// Returns the exit code.
int compareInLockstep(Session &session, const CommandLine &line, Rerun &rerun,
                      const Against &against, std::uint64_t steps);

} // namespace apr::aprun
