// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/lexer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

namespace apr::frontend {

namespace {

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

constexpr Spelling kReserved[] = {
    {"from", TokenKind::From}, {"fn", TokenKind::Fn},       {"let", TokenKind::Let},
    {"if", TokenKind::If},     {"else", TokenKind::Else},   {"and", TokenKind::And},
    {"or", TokenKind::Or},     {"not", TokenKind::Not},     {"true", TokenKind::True},
    {"none", TokenKind::None}, {"false", TokenKind::False},
};

/// Longer spellings come before their prefixes.
constexpr Spelling kPunctuation[] = {
    {"|>", TokenKind::Pipe},         {"<-", TokenKind::LeftArrow},   {"->", TokenKind::RightArrow},
    {"==", TokenKind::Equal},        {"!=", TokenKind::NotEqual},    {"<=", TokenKind::LessEqual},
    {">=", TokenKind::GreaterEqual}, {"**", TokenKind::StarStar},    {"//", TokenKind::SlashSlash},
    {"..", TokenKind::DotDot},       {"(", TokenKind::LeftParen},    {")", TokenKind::RightParen},
    {"[", TokenKind::LeftBracket},   {"]", TokenKind::RightBracket}, {"{", TokenKind::LeftBrace},
    {"}", TokenKind::RightBrace},    {",", TokenKind::Comma},        {":", TokenKind::Colon},
    {".", TokenKind::Dot},           {"?", TokenKind::Question},     {"=", TokenKind::Assign},
    {"+", TokenKind::Plus},          {"-", TokenKind::Minus},        {"*", TokenKind::Star},
    {"/", TokenKind::Slash},         {"%", TokenKind::Percent},      {"@", TokenKind::At},
    {"<", TokenKind::Less},          {">", TokenKind::Greater},
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

/// After these a line's end does not end the statement.
bool needsRightSide(TokenKind kind) {
  switch (kind) {
  case TokenKind::From:
  case TokenKind::Fn:
  case TokenKind::Let:
  case TokenKind::If:
  case TokenKind::Else:
  case TokenKind::And:
  case TokenKind::Or:
  case TokenKind::Not:
  case TokenKind::LeftBrace:
  case TokenKind::Comma:
  case TokenKind::Colon:
  case TokenKind::Dot:
  case TokenKind::Assign:
  case TokenKind::LeftArrow:
  case TokenKind::RightArrow:
    return true;
  default:
    return kind >= TokenKind::Pipe;
  }
}

/// Before these a line's end does not end the statement.
bool needsLeftSide(TokenKind kind) {
  switch (kind) {
  case TokenKind::Minus:
    return false;
  case TokenKind::Else:
  case TokenKind::And:
  case TokenKind::Or:
  case TokenKind::LeftBrace:
  case TokenKind::RightBrace:
  case TokenKind::Comma:
  case TokenKind::Dot:
  case TokenKind::Assign:
  case TokenKind::LeftArrow:
  case TokenKind::RightArrow:
    return true;
  default:
    return kind >= TokenKind::Pipe;
  }
}

class Lexer {
public:
  Lexer(const SourceManager &sources, FileId file, Diagnostics &diagnostics)
      : text_(sources.text(file)), file_(file), diagnostics_(diagnostics) {}

  std::vector<Token> run() {
    while (true) {
      skipBlanks();
      if (position_ >= text_.size())
        break;
      lexToken();
    }
    pushLineEnd();
    push(TokenKind::End, position_, 0);
    return std::move(tokens_);
  }

private:
  char at(size_t offset) const {
    return position_ + offset < text_.size() ? text_[position_ + offset] : '\0';
  }

  Location locate(size_t begin, size_t length) const {
    return {file_, line_, static_cast<uint32_t>(begin - lineStart_ + 1),
            static_cast<uint32_t>(length)};
  }

  void skipBlanks() {
    while (position_ < text_.size()) {
      char c = text_[position_];
      if (c == '\n') {
        pendingLineEnd_ = true;
        ++position_;
        ++line_;
        lineStart_ = position_;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++position_;
      } else if (c == '#') {
        skipComment();
      } else {
        return;
      }
    }
  }

  void skipComment() {
    size_t end = std::min(text_.find('\n', position_), text_.size());
    std::string_view comment = text_.substr(position_, end - position_);
    if (comment.starts_with("##")) {
      comment.remove_prefix(comment.starts_with("## ") ? 3 : 2);
      while (!comment.empty() && (comment.back() == ' ' || comment.back() == '\r'))
        comment.remove_suffix(1);
      if (!doc_.empty())
        doc_ += '\n';
      doc_ += comment;
    }
    position_ = end;
  }

  /// A line's end has been passed; decides whether it separates. `next` is the token after it.
  void pushLineEnd(TokenKind next = TokenKind::End, std::string_view text = {}) {
    if (!std::exchange(pendingLineEnd_, false) || tokens_.empty())
      return;
    if (!brackets_.empty() && brackets_.back() != '{')
      return;
    TokenKind last = tokens_.back().kind;
    if (last == TokenKind::Separator || needsRightSide(last) || needsLeftSide(next))
      return;
    if (next == TokenKind::Identifier && continuesLine(text))
      return;
    tokens_.push_back({TokenKind::Separator, tokens_.back().location, {}, {}});
    tokens_.back().location.column += tokens_.back().location.length;
    tokens_.back().location.length = 1;
  }

  /// `with`, `over` and `on` continue the line before where a name or a bracket follows them.
  bool continuesLine(std::string_view word) const {
    if (word != "with" && word != "over" && word != "on")
      return false;
    size_t i = position_ + word.size();
    while (i < text_.size() && text_[i] == ' ')
      ++i;
    return i < text_.size() && (isNameStart(text_[i]) || text_[i] == '(');
  }

  void push(TokenKind kind, size_t begin, size_t length) {
    tokens_.push_back(
        {kind, locate(begin, length), text_.substr(begin, length), std::exchange(doc_, {})});
  }

  void lexToken() {
    char c = text_[position_];
    if (isNameStart(c))
      return lexName();
    if (isDigit(c))
      return lexNumber();
    if (c == '"')
      return lexString();
    if (c == ';')
      return lexSemicolon();
    lexPunctuation();
  }

  void lexName() {
    size_t begin = position_;
    size_t length = 0;
    while (isNamePart(at(length)))
      ++length;
    std::string_view word = text_.substr(begin, length);
    TokenKind kind = TokenKind::Identifier;
    for (const Spelling &reserved : kReserved)
      if (reserved.text == word)
        kind = reserved.kind;
    pushLineEnd(kind, word);
    push(kind, begin, length);
    position_ += length;
  }

  void lexNumber() {
    pushLineEnd(TokenKind::Integer);
    size_t length = 0;
    bool isFloat = false;
    while (isDigit(at(length)))
      ++length;
    if (at(length) == '.' && isDigit(at(length + 1))) {
      isFloat = true;
      ++length;
      while (isDigit(at(length)))
        ++length;
    }
    if (at(length) == 'e' || at(length) == 'E') {
      size_t exponent = length + 1;
      if (at(exponent) == '+' || at(exponent) == '-')
        ++exponent;
      if (isDigit(at(exponent))) {
        isFloat = true;
        while (isDigit(at(exponent)))
          ++exponent;
        length = exponent;
      }
    }
    push(isFloat ? TokenKind::Float : TokenKind::Integer, position_, length);
    position_ += length;
    if (isNameStart(at(0)))
      diagnostics_
          .report(DiagnosticKind::BadToken, locate(position_, 1),
                  "a number is followed directly by a letter")
          .withHint("put a space or an operator between them");
  }

  void lexString() {
    pushLineEnd(TokenKind::String);
    size_t length = 1;
    while (position_ + length < text_.size() && at(length) != '"' && at(length) != '\n')
      ++length;
    if (at(length) != '"') {
      diagnostics_.report(DiagnosticKind::BadToken, locate(position_, 1),
                          "string has no closing '\"' on its line");
      push(TokenKind::String, position_ + 1, length - 1);
      position_ += length;
      return;
    }
    push(TokenKind::String, position_ + 1, length - 1);
    position_ += length + 1;
  }

  void lexSemicolon() {
    pendingLineEnd_ = false;
    if (!tokens_.empty() && tokens_.back().kind != TokenKind::Separator)
      push(TokenKind::Separator, position_, 1);
    ++position_;
  }

  void lexPunctuation() {
    for (const Spelling &spelling : kPunctuation) {
      if (!text_.substr(position_).starts_with(spelling.text))
        continue;
      pushLineEnd(spelling.kind);
      trackBrackets(spelling.kind);
      push(spelling.kind, position_, spelling.text.size());
      position_ += spelling.text.size();
      return;
    }
    reportUnknownCharacter();
  }

  void trackBrackets(TokenKind kind) {
    if (kind == TokenKind::LeftParen)
      brackets_.push_back('(');
    else if (kind == TokenKind::LeftBracket)
      brackets_.push_back('[');
    else if (kind == TokenKind::LeftBrace)
      brackets_.push_back('{');
    else if (kind == TokenKind::RightParen || kind == TokenKind::RightBracket)
      popBracket(kind == TokenKind::RightParen ? '(' : '[');
    else if (kind == TokenKind::RightBrace)
      popBrace();
  }

  void popBracket(char open) {
    if (!brackets_.empty() && brackets_.back() == open)
      brackets_.pop_back();
  }

  /// A brace also closes the brackets left open inside it, so that one forgotten ")" does not glue
  /// together the lines of everything that follows.
  void popBrace() {
    size_t depth = brackets_.rfind('{');
    if (depth != std::string::npos)
      brackets_.resize(depth);
  }

  void reportUnknownCharacter() {
    size_t length = 1;
    while ((static_cast<unsigned char>(at(length)) & 0xc0) == 0x80)
      ++length;
    std::string_view character = text_.substr(position_, length);
    bool isPrintable = static_cast<unsigned char>(character[0]) > 0x20 && character[0] != 0x7f;
    std::string message = isPrintable ? fmt::format("no token starts with '{}'", character)
                                      : fmt::format("no token starts with byte 0x{:02x}",
                                                    static_cast<unsigned char>(character[0]));
    diagnostics_.report(DiagnosticKind::BadToken, locate(position_, length), std::move(message));
    position_ += length;
  }

  std::string_view text_;
  FileId file_;
  Diagnostics &diagnostics_;
  std::vector<Token> tokens_;
  std::string brackets_;
  std::string doc_;
  size_t position_ = 0;
  size_t lineStart_ = 0;
  uint32_t line_ = 1;
  bool pendingLineEnd_ = false;
};

} // namespace

std::vector<Token> lex(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  return Lexer(sources, file, diagnostics).run();
}

std::string describe(const Token &token) {
  switch (token.kind) {
  case TokenKind::End:
    return "the end of the file";
  case TokenKind::Separator:
    return token.text == ";" ? "';'" : "the end of the line";
  case TokenKind::Identifier:
    return fmt::format("name '{}'", token.text);
  case TokenKind::String:
    return "a string";
  default:
    return fmt::format("'{}'", token.text);
  }
}

bool endsOperand(TokenKind kind) {
  switch (kind) {
  case TokenKind::Identifier:
  case TokenKind::Integer:
  case TokenKind::Float:
  case TokenKind::String:
  case TokenKind::True:
  case TokenKind::False:
  case TokenKind::None:
  case TokenKind::RightParen:
  case TokenKind::RightBracket:
  case TokenKind::RightBrace:
    return true;
  default:
    return false;
  }
}

} // namespace apr::frontend
