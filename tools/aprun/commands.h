// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/command_line.h"

namespace apr::aprun {

// Each command prints to standard output and returns the exit code; failures are thrown.
int trainCommand(const CommandLine &line);
int evalCommand(const CommandLine &line);
int predictCommand(const CommandLine &line);
int gradCheckCommand(const CommandLine &line);
int inspectCommand(const CommandLine &line);
int testCommand(const CommandLine &line);
int fmtCommand(const CommandLine &line);

/// Exit codes, the same for all tools of the project.
enum ExitCode {
  Success = 0,
  DiagnosticsFound = 1,
  BadUsage = 2,
  BadData = 3,
  VerdictFailed = 4,
  InternalError = 70,
  Interrupted = 130
};

} // namespace apr::aprun
