// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/frontend/token.h"

#include <vector>

namespace apr::frontend {

/// Splits a file into tokens; the last one is End. Characters that no token starts with are
/// reported and skipped. The tokens' texts point into the source manager's copy of the file.
///
/// A line's end becomes a Separator, but not inside ( ) or [ ], after a token that needs a right
/// side, before one that needs a left side, after "{", or before "{" and "}".
std::vector<Token> lex(const SourceManager &sources, FileId file, Diagnostics &diagnostics);

} // namespace apr::frontend
