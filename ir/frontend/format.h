// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"

#include <optional>
#include <string>

namespace apr {

/// The text of a model file in the one layout of the language: two columns per level, 100 columns,
/// one statement per line, runs of blank lines as one, every comment at its token. No token but
/// layout changes, and formatting the result again gives the same text. Nothing where the file has
/// syntax errors, which are reported. Throws std::logic_error where the layout would change the
/// program, which is a bug of the formatter.
std::optional<std::string> formatSource(const SourceManager &sources, FileId file,
                                        Diagnostics &diagnostics);

} // namespace apr
