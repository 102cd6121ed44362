// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>

namespace apr::aprun {

/// The difference of two texts in the unified format, with three lines of context; empty where they
/// are equal.
std::string unifiedDiff(const std::string &name, std::string_view before, std::string_view after);

} // namespace apr::aprun
