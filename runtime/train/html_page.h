// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <vector>

namespace apr::train {

/// A page with this content: style for light and dark, the script that shows the numbers of charts
/// under the pointer, and a policy that lets a browser load nothing else.
std::string htmlPage(const std::string &title, const std::string &content);

/// A table; `head` may be empty. Cells are text, which is escaped.
using HtmlRows = std::vector<std::vector<std::string>>;
std::string htmlTable(const std::vector<std::string> &head, const HtmlRows &rows);

/// A part of the page under a heading, or one that opens on demand; empty where the content is.
std::string htmlSection(const std::string &title, const std::string &content);
std::string htmlDetails(const std::string &title, const std::string &content);

} // namespace apr::train
