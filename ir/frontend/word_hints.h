// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>

namespace apr::frontend {

/// What to write instead of a word that begins a statement in other languages, or that is a
/// misspelt word of this one; empty where nothing comes to mind.
std::string hintForWord(std::string_view word);

} // namespace apr::frontend
