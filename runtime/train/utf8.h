// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <string_view>

namespace apr::train {

enum class TextFaultKind { None, Nul, InvalidUtf8 };

/// What keeps bytes from being UTF-8 text, and where.
struct TextFault {
  TextFaultKind kind = TextFaultKind::None;
  std::size_t offset = 0;
};

/// The first NUL byte or malformed UTF-8 sequence (overlong forms, surrogates and code points above
/// U+10FFFF included).
TextFault findTextFault(std::string_view text);

} // namespace apr::train
