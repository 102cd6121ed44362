// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <vector>

namespace apr {

/// A function, layer or optimizer of a library file, as its source says it.
struct LibraryItem {
  std::string doc;                  ///< its `##` lines
  std::vector<std::string> members; ///< of a layer: parameters, buffers and calls
  std::string signature;            ///< up to the body
};

/// The documented items of one `.apr` file, in order. Overloads without a comment of their own
/// follow the first one's; other items without one are details.
std::vector<LibraryItem> itemsOf(const std::string &source);

/// docs/library.md: the introduction, and of each file of the library its items.
std::string libraryDocument(const std::string &introduction);

} // namespace apr
