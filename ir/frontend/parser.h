// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/frontend/ast.h"

namespace apr::frontend {

/// How deep expressions, blocks and types may nest, so that no later walk runs out of stack.
inline constexpr uint32_t kMaximumNesting = 200;

/// Parses a file. Syntax errors are reported, and parsing goes on at the next statement, so the
/// result holds everything that could be read.
File parse(const SourceManager &sources, FileId file, Diagnostics &diagnostics);

} // namespace apr::frontend
