// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// "; did you mean "x"?" for the candidate nearest to a misspelt word, or nothing where none is
/// near.
std::string suggestion(std::string_view word, const std::vector<std::string> &candidates);

/// The words in one line: a, b, c.
std::string listed(const std::vector<std::string> &words);

} // namespace apr::train
