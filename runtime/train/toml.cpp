// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/toml.h"

#include "runtime/train/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace apr::train {
namespace {

class TomlParser {
public:
  TomlParser(std::string_view text, const std::string &file) : text_(text), file_(file) {}

  std::vector<TomlEntry> parse() {
    if (const TextFault fault = findTextFault(text_); fault.kind != TextFaultKind::None)
      failAt(fault.offset, fault.kind == TextFaultKind::Nul ? "found a NUL byte"
                                                            : "found a byte that is not UTF-8");
    if (text_.starts_with("\xEF\xBB\xBF"))
      next_ = 3;
    while (skipToContent()) {
      if (peek() == '[')
        parseTable();
      else
        parseEntry();
      endLine();
    }
    return std::move(entries_);
  }

private:
  using Path = std::vector<std::string>;

  char peek(std::size_t ahead = 0) const {
    return next_ + ahead < text_.size() ? text_[next_ + ahead] : '\0';
  }
  bool atEnd() const { return next_ >= text_.size(); }

  Place placeAt(std::size_t offset) const {
    const std::string_view before = text_.substr(0, offset);
    const auto newline = before.rfind('\n');
    const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
    return {file_, static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
            before.size() - start + 1};
  }
  [[noreturn]] void failAt(std::size_t offset, const std::string &message) const {
    throw Error(ErrorKind::Usage, placeAt(offset), message);
  }
  [[noreturn]] void fail(const std::string &message) const { failAt(next_, message); }

  std::string found() const {
    if (atEnd())
      return "the end of the file";
    return peek() == '\n' || peek() == '\r' ? "the end of the line" : inQuotes({&text_[next_], 1});
  }

  void skipBlanks() {
    while (peek() == ' ' || peek() == '\t')
      ++next_;
  }

  /// Skips blanks, comments and line ends; false at the end of the text.
  bool skipToContent() {
    while (!atEnd()) {
      const char c = peek();
      if (c == '#')
        while (!atEnd() && peek() != '\n')
          ++next_;
      else if (c == ' ' || c == '\t' || c == '\n' || (c == '\r' && peek(1) == '\n'))
        ++next_;
      else
        return true;
    }
    return false;
  }

  void endLine() {
    skipBlanks();
    if (peek() == '#')
      while (!atEnd() && peek() != '\n')
        ++next_;
    if (peek() == '\r' && peek(1) == '\n')
      ++next_;
    if (!atEnd() && peek() != '\n')
      fail(fmt::format("expected the end of the line, found {}", found()));
  }

  void parseTable() {
    const std::size_t begin = next_++;
    if (peek() == '[')
      failAt(begin, "arrays of tables are not supported in run files");
    table_ = parsePath();
    if (peek() != ']')
      fail(fmt::format("expected ] after the table's name, found {}", found()));
    ++next_;
    if (const auto [first, isNew] = tables_.emplace(table_, begin); !isNew)
      failAt(begin, fmt::format("the table [{}] already stands at {}", fmt::join(table_, "."),
                                text(placeAt(first->second))));
  }

  void parseEntry() {
    const std::size_t begin = next_;
    Path path = table_;
    for (std::string &part : parsePath())
      path.push_back(std::move(part));
    if (peek() != '=')
      fail(fmt::format("expected = after the key, found {}", found()));
    ++next_;
    skipBlanks();
    if (const auto [first, isNew] = keys_.emplace(path, begin); !isNew)
      failAt(begin, fmt::format("the key {} already stands at {}", fmt::join(path, "."),
                                text(placeAt(first->second))));
    TomlValue value = parseValue(0);
    entries_.push_back({std::move(path), std::move(value), placeAt(begin)});
  }

  Path parsePath() {
    Path path;
    while (true) {
      skipBlanks();
      path.push_back(parseKey());
      skipBlanks();
      if (peek() != '.')
        return path;
      ++next_;
    }
  }

  std::string parseKey() {
    if (peek() == '"' || peek() == '\'')
      return parseString();
    const std::size_t begin = next_;
    const auto isKey = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    };
    while (isKey(peek()))
      ++next_;
    if (begin == next_)
      fail(fmt::format("expected a key, found {}", found()));
    return std::string(text_.substr(begin, next_ - begin));
  }

  TomlValue parseValue(int depth) {
    constexpr int deepest = 8;
    if (depth > deepest)
      fail("arrays are nested too deeply");
    const Place place = placeAt(next_);
    const char c = peek();
    if (c == '"' || c == '\'')
      return {parseString(), place};
    if (c == '[')
      return {parseArray(depth), place};
    if (c == '{')
      fail("inline tables are not supported in run files");
    return parseWord(place);
  }

  TomlValue::List parseArray(int depth) {
    const std::size_t open = next_++;
    TomlValue::List list;
    while (true) {
      if (!skipToContent())
        failAt(open, "this array is never closed");
      if (peek() == ']') {
        ++next_;
        return list;
      }
      list.push_back(parseValue(depth + 1));
      if (!skipToContent())
        failAt(open, "this array is never closed");
      if (peek() == ',')
        ++next_;
      else if (peek() != ']')
        fail(fmt::format("expected , or ] in the array, found {}", found()));
    }
  }

  TomlValue parseWord(const Place &place) {
    const std::size_t begin = next_;
    while (!atEnd() && std::string_view(" \t\r\n,]#}").find(peek()) == std::string_view::npos)
      ++next_;
    const std::string_view word = text_.substr(begin, next_ - begin);
    if (word.empty())
      failAt(begin, fmt::format("expected a value, found {}", found()));
    if (word == "true" || word == "false")
      return {word == "true", place};
    std::string digits(word);
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    const std::string_view plain = std::string_view(digits).substr(digits[0] == '+' ? 1 : 0);
    const char *last = plain.data() + plain.size();
    std::int64_t integer = 0;
    if (const auto [end, error] = std::from_chars(plain.data(), last, integer);
        error == std::errc{} && end == last)
      return {integer, place};
    double number = 0;
    if (const auto [end, error] = std::from_chars(plain.data(), last, number);
        error == std::errc{} && end == last && std::isfinite(number))
      return {number, place};
    failAt(begin, fmt::format("{} is no value: expected a number, true, false, an array, or text "
                              "in quotes",
                              inQuotes(word)));
  }

  std::string parseString() {
    const std::size_t open = next_;
    const char quote = peek();
    if (peek(1) == quote && peek(2) == quote)
      fail("multi-line strings are not supported in run files");
    ++next_;
    std::string result;
    while (true) {
      if (atEnd() || peek() == '\n')
        failAt(open, "this text is never closed by a quote on its line");
      const char c = text_[next_++];
      if (c == quote)
        return result;
      if (c == '\\' && quote == '"')
        parseEscape(result);
      else if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
        failAt(next_ - 1, "found a control character in text; write it as an escape");
      else
        result += c;
    }
  }

  void parseEscape(std::string &result) {
    const std::size_t begin = next_ - 1;
    const char c = peek();
    ++next_;
    constexpr std::string_view letters = "btnfr\"\\";
    constexpr std::string_view meanings = "\b\t\n\f\r\"\\";
    if (const auto found = letters.find(c); c != '\0' && found != std::string_view::npos) {
      result += meanings[found];
      return;
    }
    const std::size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    std::uint32_t point = 0;
    if (digits > 0 && next_ + digits <= text_.size()) {
      const char *from = text_.data() + next_;
      const auto [end, error] = std::from_chars(from, from + digits, point, 16);
      const bool isScalar = point <= 0x10FFFF && !(point >= 0xD800 && point < 0xE000);
      if (error == std::errc{} && end == from + digits && isScalar) {
        next_ += digits;
        appendUtf8(result, point);
        return;
      }
    }
    failAt(begin, "unknown escape in text; there are \\b \\t \\n \\f \\r \\\" \\\\ \\uXXXX "
                  "\\UXXXXXXXX");
  }

  static void appendUtf8(std::string &result, std::uint32_t point) {
    const auto tail = [&](int shift) {
      result += static_cast<char>(0x80 | ((point >> shift) & 0x3F));
    };
    if (point < 0x80) {
      result += static_cast<char>(point);
    } else if (point < 0x800) {
      result += static_cast<char>(0xC0 | (point >> 6));
      tail(0);
    } else if (point < 0x10000) {
      result += static_cast<char>(0xE0 | (point >> 12));
      tail(6), tail(0);
    } else {
      result += static_cast<char>(0xF0 | (point >> 18));
      tail(12), tail(6), tail(0);
    }
  }

  std::string_view text_;
  std::string file_;
  std::size_t next_ = 0;
  Path table_;
  std::vector<TomlEntry> entries_;
  std::map<Path, std::size_t> tables_;
  std::map<Path, std::size_t> keys_;
};

} // namespace

std::vector<TomlEntry> parseToml(std::string_view text, const std::string &file) {
  return TomlParser(text, file).parse();
}

} // namespace apr::train
