// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apr::frontend {

/// What to write instead of a word that begins a statement in other languages, or that is a
/// misspelt word of this one; empty where nothing comes to mind.
std::string hintForWord(std::string_view word);

/// "did you mean 'axis'?" for the name of an argument that is no parameter: one that is close, or
/// the one that other libraries call so; empty where nothing comes to mind.
std::string hintForParameter(std::string_view name, const std::vector<std::string> &parameters);

} // namespace apr::frontend
