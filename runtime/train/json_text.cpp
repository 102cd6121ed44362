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

/// Finds integers that 64 bits do not hold: the parser makes them doubles without a word.
class IntegerCheck : public nlohmann::json_sax<ParsedJson> {
public:
  explicit IntegerCheck(const std::string &file) : file_(file) {}

  bool number_float(double, const std::string &text) override {
    if (text.find_first_of(".eE") == std::string::npos)
      throw Error(ErrorKind::Data, {file_},
                  fmt::format("the integer {} in the JSON text takes more than 64 bits", text));
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool string(std::string &) override { return true; }
  bool binary(ParsedJson::binary_t &) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(std::string &) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  /// Malformed text is the parser's to report.
  bool parse_error(std::size_t, const std::string &, const ParsedJson::exception &) override {
    return false;
  }

private:
  const std::string &file_;
};

/// What the parser expected, after the last time that its message says so.
std::string expectedBy(const ParsedJson::parse_error &error) {
  constexpr std::string_view word = "expected ";
  const std::string_view message = error.what();
  const auto at = message.rfind(word);
  return at == std::string_view::npos ? "JSON text in UTF-8"
                                      : std::string(message.substr(at + word.size()));
}

Error malformed(std::string_view text, const ParsedJson::parse_error &error,
                const std::string &file) {
  const std::size_t offset = error.byte > 0 ? error.byte - 1 : 0;
  return {ErrorKind::Data, placeOf(text, offset, file),
          fmt::format("malformed JSON text: {}, expected {}",
                      offset >= text.size() ? "it ends here"
                                            : "found " + inQuotes(text.substr(offset, 1)),
                      expectedBy(error))};
}

/// The parser names the number in quotes at the end of its message, but not its place.
Error tooLarge(std::string_view text, const ParsedJson::out_of_range &error,
               const std::string &file) {
  std::string_view number = error.what();
  number = number.substr(0, number.rfind('\''));
  number = number.substr(number.rfind('\'') + 1);
  return {
      ErrorKind::Data, placeOf(text, text.find(number), file),
      fmt::format("the number {} in the JSON text is beyond the range of 64-bit floats", number)};
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
    ParsedJson parsed = ParsedJson::parse(text.begin(), text.end(), check);
    IntegerCheck integers(file);
    ParsedJson::sax_parse(text.begin(), text.end(), &integers);
    return parsed;
  } catch (const ParsedJson::parse_error &error) {
    throw malformed(text, error, file);
  } catch (const ParsedJson::out_of_range &error) {
    throw tooLarge(text, error, file);
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
