// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/format_tokens.h"

#include <algorithm>

namespace apr::frontend {

namespace {

class Attacher {
public:
  explicit Attacher(std::string_view text) : text_(text) {}

  std::vector<SpacedToken> run(const std::vector<Token> &tokens) {
    for (const Token &token : tokens) {
      if (token.kind == TokenKind::Separator) {
        result_.push_back({TokenKind::Separator, {}, {}, false, {}});
        continue;
      }
      add(token);
    }
    return std::move(result_);
  }

private:
  void add(const Token &token) {
    SpacedToken spaced;
    spaced.kind = token.kind;
    size_t begin = text_.size();
    size_t length = 0;
    if (token.kind != TokenKind::End) {
      bool isString = token.kind == TokenKind::String;
      begin = static_cast<size_t>(token.text.data() - text_.data()) - (isString ? 1 : 0);
      length = token.text.size() + (isString ? 2 : 0);
    }
    readGap(text_.substr(end_, begin - end_), spaced);
    spaced.text = text_.substr(begin, length);
    end_ = begin + length;
    result_.push_back(std::move(spaced));
    previous_ = result_.size() - 1;
    hasPrevious_ = true;
  }

  /// Comments and line ends between two tokens.
  void readGap(std::string_view gap, SpacedToken &token) {
    size_t lineEnds = hasPrevious_ ? 0 : 1;
    bool isSameLine = hasPrevious_;
    for (size_t i = 0; i < gap.size(); ++i) {
      if (gap[i] == '\n') {
        ++lineEnds;
        isSameLine = false;
      }
      if (gap[i] != '#')
        continue;
      size_t end = std::min(gap.find('\n', i), gap.size());
      std::string_view comment = gap.substr(i, end - i);
      comment = comment.substr(0, comment.find_last_not_of(" \t\r") + 1);
      if (isSameLine)
        result_[previous_].trailing = comment;
      else
        token.comments.push_back({std::string(comment), lineEnds > 1});
      lineEnds = 0;
      i = end - 1;
    }
    token.hasBlankBefore = lineEnds > 1;
  }

  std::string_view text_;
  std::vector<SpacedToken> result_;
  size_t end_ = 0;
  size_t previous_ = 0;
  bool hasPrevious_ = false;
};

} // namespace

std::vector<SpacedToken> attachComments(std::string_view text, const std::vector<Token> &tokens) {
  return Attacher(text).run(tokens);
}

} // namespace apr::frontend
