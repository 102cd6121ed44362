// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/html_text.h"

#include <cstddef>
#include <cstdint>

namespace apr::train {
namespace {

/// The bytes of the well-formed code point at the front; 0 where there is none.
std::size_t codePointBytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  const std::size_t count = first < 0x80            ? 1
                            : first >> 5 == 0b110   ? 2
                            : first >> 4 == 0b1110  ? 3
                            : first >> 3 == 0b11110 ? 4
                                                    : 0;
  if (count == 0 || count > text.size())
    return 0;
  std::uint32_t point = count == 1 ? first : first & (0x7fu >> count);
  for (std::size_t i = 1; i < count; ++i) {
    if (byte(i) >> 6 != 0b10)
      return 0;
    point = point << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::uint32_t least[] = {0, 0x20, 0x80, 0x800, 0x10000};
  const bool isControl =
      (point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7f && point < 0xa0);
  const bool isSurrogate = point >= 0xd800 && point < 0xe000;
  return isControl || isSurrogate || point > 0x10ffff || (count > 1 && point < least[count]) ||
                 (point & 0xfffe) == 0xfffe
             ? 0
             : count;
}

} // namespace

std::string htmlText(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t count = codePointBytes(text);
    if (count == 0)
      result += "\xef\xbf\xbd";
    else if (text[0] == '&')
      result += "&amp;";
    else if (text[0] == '<')
      result += "&lt;";
    else if (text[0] == '>')
      result += "&gt;";
    else if (text[0] == '"')
      result += "&quot;";
    else if (text[0] == '\'')
      result += "&#39;";
    else
      result += text.substr(0, count);
    text.remove_prefix(count == 0 ? 1 : count);
  }
  return result;
}

} // namespace apr::train
