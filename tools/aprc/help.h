// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace apr::aprc {

enum class OptionId : uint8_t {
#define SECTION(title)
#define OPTION(Id, ...) Id,
#include "tools/aprc/options.def"
};

enum class OptionValue : uint8_t { None, Required, Optional, Joined };

struct OptionInfo {
  OptionId id;
  std::string_view flag;
  OptionValue value;
  std::string_view valueName;
  std::string_view help;
};
std::span<const OptionInfo> optionInfos();

std::string helpText();
std::string versionText();
/// The list of --cpu=help.
std::string cpuHelp();
/// The explanation of a diagnostic code, or all codes for an empty one. Throws UsageError.
std::string explain(const std::string &code);
/// "unknown diagnostic code 'x'; did you mean 'y'?"
std::string unknownCode(const std::string &code);

} // namespace apr::aprc
