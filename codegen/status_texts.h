// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <span>
#include <string_view>

namespace apr {

/// Texts of the statuses that all models share, by number from APRT_OK.
std::span<const std::string_view> sharedStatusTexts();

} // namespace apr
