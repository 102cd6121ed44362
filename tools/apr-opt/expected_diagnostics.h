// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"

namespace apr::opt {

/// Compares what was reported with the comments of the file, and returns what does not fit, one
/// line each; empty where all does.
///
///     // expected-error {{text}}         an error on this line whose message contains the text
///     // expected-warning@+1 {{text}}    a warning on the next line; @-2 two lines above
///     // expected-remark@* {{text}}      on any line, or without a place
///
/// A comment covers one diagnostic, and every diagnostic needs one.
std::vector<std::string> checkExpectedDiagnostics(const SourceManager &sources, FileId file,
                                                  const Diagnostics &diagnostics);

} // namespace apr::opt
