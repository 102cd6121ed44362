// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-opt/split_input.h"

namespace apr::opt {

std::vector<std::string> splitInput(std::string_view text) {
  std::vector<std::string> parts(1);
  size_t lineCount = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    size_t length = end == std::string_view::npos ? text.size() : end + 1;
    std::string_view line = text.substr(0, length);
    text.remove_prefix(length);
    ++lineCount;
    std::string_view content = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
    if (content == "// -----")
      parts.emplace_back(lineCount, '\n');
    else
      parts.back() += line;
  }
  return parts;
}

} // namespace apr::opt
