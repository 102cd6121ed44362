// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/elaborator.h"

namespace apr::frontend {

/// Elaborates the functions of a file that nobody called and whose signature says all that it
/// takes: tensors of a known dtype and rank, and what has a default. Of one that needs a size at
/// compile time nothing is reported, because its callers may know it.
void checkFunctions(const File &file, Scope &scope, const Elaborator &elaborated,
                    const SourceManager &sources, ModelTables &tables, Diagnostics &diagnostics);

} // namespace apr::frontend
