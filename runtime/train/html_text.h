// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>

namespace apr::train {

/// Text as it stands in HTML and SVG, in elements and in quoted attributes. Bytes that are no
/// printable UTF-8 text, which files and names may hold, become U+FFFD.
std::string htmlText(std::string_view text);

} // namespace apr::train
