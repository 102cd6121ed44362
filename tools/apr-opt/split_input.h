// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apr::opt {

/// Splits a file at its lines `// -----`. Every part starts with as many empty lines as the file
/// has before it, so that line numbers in messages are those of the file.
std::vector<std::string> splitInput(std::string_view text);

} // namespace apr::opt
