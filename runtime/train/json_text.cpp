// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace apr::train {
namespace {

Place placeOf(std::string_view text, std::size_t offset, const std::string &file) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {file, static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
          before.size() - start + 1};
}

} // namespace

ParsedJson parseJson(std::string_view text, const std::string &file) {
  constexpr int deepest = 64;
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, ParsedJson::parse_event_t event, ParsedJson &parsed) {
    if (depth > deepest)
      throw Error(ErrorKind::Data, {file}, "the JSON text is nested deeper than 64 levels");
    if (event == ParsedJson::parse_event_t::object_start)
      keys.emplace_back();
    if (event == ParsedJson::parse_event_t::object_end)
      keys.pop_back();
    if (event == ParsedJson::parse_event_t::key &&
        !keys.back().insert(parsed.get_ref<const std::string &>()).second)
      throw Error(ErrorKind::Data, {file},
                  fmt::format("duplicate key {} in the JSON text",
                              inQuotes(parsed.get_ref<const std::string &>())));
    return true;
  };
  try {
    return ParsedJson::parse(text.begin(), text.end(), check);
  } catch (const ParsedJson::parse_error &error) {
    throw Error(ErrorKind::Data, placeOf(text, error.byte > 0 ? error.byte - 1 : 0, file),
                "malformed JSON text");
  } catch (const ParsedJson::exception &error) {
    throw Error(ErrorKind::Data, {file}, fmt::format("malformed JSON text: {}", error.what()));
  }
}

Json jsonNumber(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

} // namespace apr::train
