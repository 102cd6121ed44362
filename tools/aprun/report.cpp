// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/report.h"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace apr::aprun {

void printDiagnostics(const Diagnostics &diagnostics, const SourceManager &sources) {
  const char *disabled = std::getenv("NO_COLOR");
  const bool isColored = ::isatty(STDERR_FILENO) && !(disabled && *disabled);
  for (const Diagnostic &diagnostic : diagnostics.all())
    fmt::print(stderr, "{}\n",
               renderText(diagnostic, sources, isColored ? ColorMode::Colored : ColorMode::Plain));
}

} // namespace apr::aprun
