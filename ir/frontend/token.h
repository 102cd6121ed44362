// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/source.h"

#include <string>
#include <string_view>

namespace apr::frontend {

/// Every kind of token. Words that steer statements (`param`, `train`, `minimize`, …) are names to
/// the lexer; the parser recognizes them where a statement starts.
enum class TokenKind : uint8_t {
  End,
  Separator, ///< ";" or a line's end where one statement ends and another begins
  Identifier,
  Integer,
  Float,
  String,
  // Reserved words.
  From,
  Fn,
  Let,
  If,
  Else,
  And,
  Or,
  Not,
  True,
  False,
  None,
  // Punctuation.
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  Comma,
  Colon,
  Dot,
  DotDot,
  Question,
  Assign,
  LeftArrow,
  RightArrow,
  Pipe,
  Plus,
  Minus,
  Star,
  StarStar,
  Slash,
  SlashSlash,
  Percent,
  At,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
};

struct Token {
  TokenKind kind = TokenKind::End;
  Location location;
  std::string_view text; ///< the bytes in the source; a string's without its quotes
  std::string doc;       ///< the `##` comments that stand before the token
};

/// How messages call a token: "'->'", "name 'hidden'", "end of line".
std::string describe(const Token &token);

/// True for a token that ends an operand: a name, a literal or a closing bracket.
bool endsOperand(TokenKind kind);

} // namespace apr::frontend
