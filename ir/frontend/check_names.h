// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/frontend/ast.h"
#include "ir/frontend/value.h"

namespace apr::frontend {

/// Reports names that nothing defines, wherever they stand: in functions that nobody calls, layers
/// that nobody makes and branches that are not taken, too. `scope` has the names of the file.
void checkNames(const File &file, Scope &scope, Diagnostics &diagnostics);

} // namespace apr::frontend
