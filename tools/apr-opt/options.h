// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"
#include "passes/pass_manager.h"
#include "tools/ir_runs/check_bits.h"

namespace apr::opt {

enum ExitCode : int {
  kOk = 0,
  kDiagnostics = 1,
  kUsage = 2,
  kFile = 3,
  kVerdict = 4,
  kInternal = 70
};

/// The command line.
struct Options {
  std::string input = "-";
  std::string output = "-";
  std::vector<std::string> passes; ///< from -p or --pipeline
  bool splitInput = false;
  bool verifyDiagnostics = false;
  bool listPasses = false;
  bool timePasses = false;
  bool printLocations = false;
  bool printRemarks = false;
  PassOptions passOptions;
  std::optional<run::BitCheckOptions> bitCheck;
  PassManagerOptions manager;
};

/// Parses the command line; on failure, or where --help was asked for, prints and gives the exit
/// code.
std::optional<ExitCode> parseOptions(int argc, char **argv, Options &options);

} // namespace apr::opt
