// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/format_tokens.h"

#include <vector>

namespace apr::frontend {

/// What the formatter lays out: tokens in groups that know where a line may end.
struct Doc {
  enum class Kind : uint8_t {
    Text,     ///< a token
    Sequence, ///< no line ends between the children; `spaces` says where a blank stands
    Fill,     ///< operands that end in their operator, or elements of a list: lines are filled
    Pipe,     ///< stages of `|>`: one line, or a line each
    Assign,   ///< what ends in `=` or `<-`, and the right side
    Bracket,  ///< opening token, elements that end in their comma, closing token
    Block,    ///< opening brace, statements, closing brace
    If,       ///< heads and blocks by turns
    Stack,    ///< a function and its `with gradient`, on lines of their own
  };
  /// How a Block or an Assign may be laid out.
  enum class Style : uint8_t {
    Plain,
    Inline,      ///< a Block of one short statement: may stand on one line
    Declaration, ///< an Assign whose right side is a body
    Flush,       ///< a Fill that is alone in its brackets: no further indentation
    Header,      ///< a Fill of a function's parameters and its result
  };

  Kind kind = Kind::Text;
  Style style = Style::Plain;
  SpacedToken token;         ///< Text
  std::vector<Doc> children; ///< all others
  std::vector<bool> spaces;  ///< Sequence: whether a blank stands before the child

  // What `finish` finds out.
  size_t width = 0;        ///< on one line
  bool isTall = false;     ///< holds a block that needs lines of its own
  bool hasComment = false; ///< holds a comment that ends a line inside it
  bool endsInComment = false;

  bool canBeFlat() const { return !isTall && !hasComment; }
};

/// Display columns of UTF-8 text.
size_t displayWidth(std::string_view text);

Doc makeText(SpacedToken token);
/// Fills in what is known of a group from its children.
Doc makeGroup(Doc::Kind kind, std::vector<Doc> children, Doc::Style style = Doc::Style::Plain,
              std::vector<bool> spaces = {});

/// Columns up to the first place where a line may end.
size_t leadWidth(const Doc &doc);
/// Columns up to the brace of the first block that needs lines of its own.
size_t hugWidth(const Doc &doc);

/// The statements of a file, each with its comments on its first token; the last is the end of the
/// file.
Doc readLayout(std::vector<SpacedToken> tokens);

/// The text of what `readLayout` made.
std::string printLayout(const Doc &file);

} // namespace apr::frontend
