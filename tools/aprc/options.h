// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"
#include "ir/diagnostics.h"
#include "passes/pass_manager.h"

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace apr::aprc {

/// What the shell sees; the same for all tools.
enum ExitCode : int { kOk = 0, kDiagnostics = 1, kUsage = 2, kFile = 3, kInternal = 70 };

/// A command line that makes no sense.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class DiagnosticFormat : uint8_t { Text, Json };
enum class ColorChoice : uint8_t { Auto, Always, Never };

/// What to do about warnings of one kind; no kind means all.
struct WarningChange {
  enum class Kind : uint8_t { Promote, Suppress };
  Kind kind;
  std::optional<DiagnosticKind> which;
};

struct Options {
  std::string input;
  std::optional<std::string> output;
  std::vector<std::string> forms; ///< of --emit; empty: the default
  bool writesDependencies = false;
  std::string dependencyPath;
  std::string model;
  std::map<std::string, std::string> set;
  DimBindings dims;
  TargetOptions target;
  std::vector<WarningChange> warnings;
  DiagnosticFormat format = DiagnosticFormat::Text;
  ColorChoice color = ColorChoice::Auto;
  bool printsRemarks = false;
  bool timesPasses = false;
  PassManagerOptions manager;
  bool fuses = true;
};

/// A question that is answered without compiling: the text to print.
struct Answer {
  std::string text;
};

/// Parses the arguments after the program's name, response files expanded. Throws UsageError.
std::variant<Options, Answer> parseOptions(const std::vector<std::string> &arguments);

/// Replaces every @file by the words of the file.
std::vector<std::string> expandResponseFiles(int argc, char **argv);

} // namespace apr::aprc
