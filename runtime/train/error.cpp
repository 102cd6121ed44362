// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/error.h"

#include <fmt/format.h>

namespace apr::train {

std::string text(const Place &place) {
  if (place.line == 0)
    return place.file;
  if (place.column == 0)
    return fmt::format("{}:{}", place.file, place.line);
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

Error::Error(ErrorKind kind, const std::string &message)
    : std::runtime_error("error: " + message), kind_(kind),
      messageBegin_(std::string_view(what()).size() - message.size()) {}

Error::Error(ErrorKind kind, const Place &place, const std::string &message)
    : std::runtime_error(fmt::format("{}: error: {}", text(place), message)), kind_(kind),
      messageBegin_(std::string_view(what()).size() - message.size()) {}

std::string inQuotes(std::string_view untrusted) {
  constexpr std::size_t limit = 40;
  std::string result = "\"";
  for (char c : untrusted.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      result += {'\\', c};
    else if (byte < 0x20 || byte >= 0x7f)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  }
  result += untrusted.size() > limit ? "…\"" : "\"";
  return result;
}

} // namespace apr::train
