// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"

namespace apr::aprun {

/// Prints messages about a model to standard error, in colour on a terminal.
void printDiagnostics(const Diagnostics &diagnostics, const SourceManager &sources);

} // namespace apr::aprun
