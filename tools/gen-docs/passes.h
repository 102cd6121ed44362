// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>

namespace apr {

/// `page` with the table of the default pipeline between its lines `<!-- passes -->` and
/// `<!-- end of passes -->`; the page itself where it has no such lines.
std::string withPassTable(const std::string &page);

} // namespace apr
