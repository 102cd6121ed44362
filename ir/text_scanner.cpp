// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/text_scanner.h"

#include <cctype>
#include <charconv>
#include <fmt/format.h>

namespace apr {

namespace {

bool isNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '#' ||
         c == '$';
}

bool isWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::optional<unsigned> hexValue(char c) {
  unsigned value = 0;
  auto [end, status] = std::from_chars(&c, &c + 1, value, 16);
  return status == std::errc() && end == &c + 1 ? std::optional(value) : std::nullopt;
}

} // namespace

Location TextScanner::here(uint32_t length) const {
  return {file_, line_, static_cast<uint32_t>(position_ - lineStart_ + 1), length};
}

std::nullopt_t TextScanner::fail(std::string message) {
  diagnostics_.report(DiagnosticKind::IrSyntax, here(), std::move(message));
  return std::nullopt;
}

void TextScanner::skipSpace() {
  while (position_ < text_.size()) {
    char c = text_[position_];
    if (c == '\n') {
      ++line_;
      lineStart_ = ++position_;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++position_;
    } else if (text_.substr(position_, 2) == "//" &&
               text_.substr(lineStart_, position_ - lineStart_).find_first_not_of(" \t") ==
                   std::string_view::npos) {
      while (position_ < text_.size() && text_[position_] != '\n')
        ++position_;
    } else {
      return;
    }
  }
}

bool TextScanner::take(std::string_view token) {
  if (text_.substr(position_, token.size()) != token)
    return false;
  position_ += token.size();
  skipSpace();
  return true;
}

bool TextScanner::takeWord(std::string_view word) {
  size_t end = position_ + word.size();
  if (text_.substr(position_, word.size()) != word ||
      (end < text_.size() && isWordCharacter(text_[end])))
    return false;
  return take(word);
}

bool TextScanner::expect(std::string_view token) {
  if (take(token))
    return true;
  fail(fmt::format("expected '{}'", token));
  return false;
}

std::optional<std::string> TextScanner::name(std::string_view what) {
  if (position_ < text_.size() && text_[position_] == '"')
    return string();
  size_t end = position_;
  while (end < text_.size() && isNameCharacter(text_[end]))
    ++end;
  if (end == position_ || std::isdigit(static_cast<unsigned char>(text_[position_])))
    return fail(fmt::format("expected {}", what));
  std::string result(text_.substr(position_, end - position_));
  position_ = end;
  skipSpace();
  return result;
}

std::optional<TextScanner::ValueName> TextScanner::valueName() {
  ValueName result;
  result.location = here();
  if (position_ >= text_.size() || text_[position_] != '%')
    return fail("expected a value such as %x");
  ++position_;
  size_t begin = position_;
  if (position_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[position_]))) {
    while (position_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[position_])))
      ++position_;
    result.key = text_.substr(begin, position_ - begin);
  } else {
    // The suffix must touch the name, so space is skipped only after it.
    if (position_ < text_.size() && text_[position_] == '"') {
      auto quoted = string();
      if (!quoted)
        return std::nullopt;
      result.base = *quoted;
    } else {
      while (position_ < text_.size() && isNameCharacter(text_[position_]))
        ++position_;
      result.base = text_.substr(begin, position_ - begin);
    }
    if (result.base.empty())
      return fail("expected a name after '%'");
    result.key = "n" + result.base;
    if (position_ < text_.size() && text_[position_] == '~') {
      size_t digits = ++position_;
      while (position_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[position_])))
        ++position_;
      result.key += fmt::format("\n{}", text_.substr(digits, position_ - digits));
    }
  }
  result.location.length = static_cast<uint32_t>(position_ - begin + 1);
  skipSpace();
  return result;
}

std::optional<std::string> TextScanner::string() {
  if (position_ >= text_.size() || text_[position_] != '"')
    return fail("expected a string in quotes");
  size_t i = position_ + 1;
  std::string result;
  for (; i < text_.size() && text_[i] != '"' && text_[i] != '\n'; ++i) {
    if (text_[i] != '\\') {
      result += text_[i];
    } else if (i + 3 < text_.size() && text_[i + 1] == 'x' && hexValue(text_[i + 2]) &&
               hexValue(text_[i + 3])) {
      result += static_cast<char>(*hexValue(text_[i + 2]) * 16 + *hexValue(text_[i + 3]));
      i += 3;
    } else if (i + 1 < text_.size() && text_[i + 1] != '\n') {
      result += text_[++i];
    }
  }
  if (i >= text_.size() || text_[i] != '"')
    return fail("the string does not end on its line");
  position_ = i + 1;
  if (position_ >= text_.size() || text_[position_] != '~')
    skipSpace();
  return result;
}

std::optional<int64_t> TextScanner::integer() {
  int64_t value = 0;
  auto [end, status] =
      std::from_chars(text_.data() + position_, text_.data() + text_.size(), value);
  if (status != std::errc())
    return fail("expected an integer of 64 bits");
  position_ = static_cast<size_t>(end - text_.data());
  skipSpace();
  return value;
}

std::string_view TextScanner::numberText() {
  size_t end = position_;
  while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) ||
                                text_[end] == '.' || text_[end] == '-' || text_[end] == '+'))
    ++end;
  std::string_view result = text_.substr(position_, end - position_);
  position_ = end;
  skipSpace();
  return result;
}

size_t TextScanner::dimEnd(std::string_view stop) const {
  int depth = 0;
  size_t i = position_;
  for (; i < text_.size() && text_[i] != '\n'; ++i) {
    char c = text_[i];
    if (depth == 0 && (c == ',' || c == ')' || c == ']' || stop.find(c) != std::string_view::npos))
      break;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
  }
  return i;
}

std::optional<Dim> TextScanner::dim(std::string_view stop) {
  size_t end = dimEnd(stop);
  auto result = parseDim(text_.substr(position_, end - position_));
  if (!result)
    return fail("expected a size such as 64 or 2*B + 1");
  position_ = end;
  skipSpace();
  return result;
}

std::optional<Order> TextScanner::order() {
  int depth = 0;
  size_t end = position_;
  for (; end < text_.size() && text_[end] != '\n'; ++end) {
    char c = text_[end];
    if (depth == 0 && (c == ',' || c == ')' || c == '}'))
      break;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
  }
  auto result = parseOrder(text_.substr(position_, end - position_));
  if (!result)
    return fail("expected an order such as tree(seq(512))");
  position_ = end;
  skipSpace();
  return result;
}

std::optional<Type> TextScanner::type() {
  size_t end = position_;
  while (end < text_.size() && isWordCharacter(text_[end]))
    ++end;
  auto dtype = findDType(text_.substr(position_, end - position_));
  if (!dtype)
    return fail("expected a type such as f32[B,64]");
  position_ = end;
  Type result{*dtype, {}};
  if (position_ < text_.size() && text_[position_] == '[') {
    take("[");
    do {
      auto next = dim();
      if (!next)
        return std::nullopt;
      result.shape.push_back(*next);
    } while (take(","));
    return expect("]") ? std::optional(result) : std::nullopt;
  }
  skipSpace();
  return result;
}

} // namespace apr
