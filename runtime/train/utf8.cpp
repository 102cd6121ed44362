// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/utf8.h"

#include <cstdint>
#include <cstring>

namespace apr::train {
namespace {

/// True where all eight bytes are ASCII and none is NUL.
bool isPlain(const char *bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  constexpr std::uint64_t high = 0x8080808080808080u;
  constexpr std::uint64_t ones = 0x0101010101010101u;
  return ((word | (word - ones)) & high) == 0;
}

/// The length of the well-formed multi-byte sequence at the start of `text`, 0 where there is none.
std::size_t sequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const std::uint32_t lead = byte(0);
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  const bool isOverlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool isSurrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool isTooLarge = lead == 0xF4 && byte(1) >= 0x90;
  return isOverlong || isSurrogate || isTooLarge ? 0 : length;
}

} // namespace

TextFault findTextFault(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 8 <= text.size() && isPlain(text.data() + i)) {
      i += 8;
      continue;
    }
    if (text[i] == '\0')
      return {TextFaultKind::Nul, i};
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = sequenceLength(text.substr(i, 4));
    if (length == 0)
      return {TextFaultKind::InvalidUtf8, i};
    i += length;
  }
  return {};
}

} // namespace apr::train
