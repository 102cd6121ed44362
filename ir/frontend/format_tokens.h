// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/token.h"

#include <vector>

namespace apr::frontend {

/// A comment on a line of its own, as written from the "#" on.
struct Comment {
  std::string text;
  bool hasBlankBefore = false;
};

/// A token with what stands around it and is no token: blank lines and comments.
struct SpacedToken {
  TokenKind kind = TokenKind::End;
  std::string text;              ///< as spelled, a string with its quotes
  std::vector<Comment> comments; ///< on the lines before it
  bool hasBlankBefore = false;
  std::string trailing; ///< the comment behind it on its line
};

/// The tokens of a file with their comments. A separator carries neither: a comment belongs to the
/// token in front of it on its line, else to the one after it.
std::vector<SpacedToken> attachComments(std::string_view text, const std::vector<Token> &tokens);

} // namespace apr::frontend
