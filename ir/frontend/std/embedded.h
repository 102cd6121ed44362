// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The standard library's sources, embedded into the compiler when it is built.
#pragma once

#include <span>
#include <string_view>

namespace apr {

struct EmbeddedFile {
  std::string_view name; // "layers.apr"
  std::string_view text;
};

// All .apr files of ir/frontend/std, by name.
std::span<const EmbeddedFile> embeddedLibrary();

} // namespace apr
