// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/ast.h"
#include "ir/frontend/frontend.h"

namespace apr::frontend {

/// As `compileModel`, of a tree that no text was parsed for. `file.id` names it in the source
/// manager.
std::optional<Module> compileTree(SourceManager &sources, File file, Diagnostics &diagnostics,
                                  const FrontendOptions &options);

} // namespace apr::frontend
