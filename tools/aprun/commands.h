// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"
#include "tools/aprun/command_line.h"

namespace apr::aprun {

// Each command prints to standard output and returns the exit code; failures are thrown.
int trainCommand(const CommandLine &line);
int sweepCommand(const CommandLine &line);
int evalCommand(const CommandLine &line);
int predictCommand(const CommandLine &line);
int gradCheckCommand(const CommandLine &line);
int inspectCommand(const CommandLine &line);
int testCommand(const CommandLine &line);
int fmtCommand(const CommandLine &line);
int verifyCommand(const CommandLine &line);
int hashCommand(const CommandLine &line);
int exportCommand(const CommandLine &line);
int importCommand(const CommandLine &line);
int reportCommand(const CommandLine &line);
int compareCommand(const CommandLine &line);

/// Exit codes; those that other tools of the project have too mean the same there.
enum ExitCode {
  Success = 0,
  DiagnosticsFound = 1,
  BadUsage = 2,
  BadData = 3,
  VerdictFailed = 4,
  OtherBits = 5,     ///< verify: a run of the same training differs
  RecordAltered = 6, ///< verify: the record, or a file it names, is not what it was
  InternalError = 70,
  Interrupted = 130
};

/// The exit code of a program that ends with an error of this kind.
int exitCode(train::ErrorKind kind);

} // namespace apr::aprun
