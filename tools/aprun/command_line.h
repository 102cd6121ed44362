// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/run_settings.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apr::aprun {

/// A command line, taken apart and checked for spelling.
struct CommandLine {
  std::string command;
  std::vector<std::string> arguments; ///< what is not a flag
  /// Flags that are settings of a run, in order.
  std::vector<std::pair<const train::SettingInfo *, std::string>> settings;
  /// Flags of the command itself.
  std::map<std::string, std::string> options;

  std::optional<std::string> option(const std::string &flag) const;
};

/// Parses the arguments after the program's name. Flags are --name VALUE, --name=VALUE, or --name
/// for those without a value or with true; -o is --output. Errors are of kind Usage.
CommandLine parseCommandLine(const std::vector<std::string> &arguments);

/// What `aprun help` and `aprun COMMAND --help` print.
std::string helpText(std::string_view command);

/// What `aprun --version` prints.
std::string versionText();

/// Names and one-line descriptions of the commands.
const std::vector<std::pair<std::string, std::string>> &commands();

} // namespace apr::aprun
