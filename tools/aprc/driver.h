// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprc/options.h"

namespace apr::aprc {

/// Compiles as the options say and writes the outputs; messages go to standard error. Throws
/// UsageError, FileError and InternalError.
ExitCode compile(Options options);

} // namespace apr::aprc
