// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/format.h"

#include "ir/frontend/format_doc.h"
#include "ir/frontend/lexer.h"
#include "ir/frontend/parser.h"

#include <fmt/format.h>
#include <stdexcept>

namespace apr {

namespace {

using namespace frontend;

constexpr size_t kMaximumBytes = size_t{4} << 20;

/// The syntax tree without positions.
std::string structure(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  std::string dump = dumpAst(parse(sources, file, diagnostics));
  std::string result;
  for (size_t begin = 0; begin < dump.size();) {
    size_t end = dump.find('\n', begin);
    result.append(dump, begin, dump.rfind("  @", end) - begin);
    result += '\n';
    begin = end + 1;
  }
  return result;
}

/// What formatting may not change: every token with its documentation, and every comment.
std::string contents(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  std::vector<Token> tokens = lex(sources, file, diagnostics);
  std::string result;
  for (const Token &token : tokens)
    if (token.kind != TokenKind::Separator)
      result += fmt::format("{} {} {}\n", static_cast<int>(token.kind), token.text, token.doc);
  for (const SpacedToken &token : attachComments(sources.text(file), tokens)) {
    for (const Comment &comment : token.comments)
      result += comment.text + '\n';
    result += token.trailing;
  }
  return result;
}

void check(const SourceManager &sources, FileId file, const std::string &formatted) {
  SourceManager after;
  FileId again = after.add(sources.name(file), formatted);
  Diagnostics diagnostics;
  bool isSame = structure(sources, file, diagnostics) == structure(after, again, diagnostics) &&
                contents(sources, file, diagnostics) == contents(after, again, diagnostics) &&
                !diagnostics.hasErrors();
  if (!isSame)
    throw std::logic_error(
        fmt::format("formatting '{}' would change the program", sources.name(file)));
}

} // namespace

std::optional<std::string> formatSource(const SourceManager &sources, FileId file,
                                        Diagnostics &diagnostics) {
  if (sources.text(file).size() > kMaximumBytes) {
    diagnostics.report(DiagnosticKind::TooLarge, {},
                       fmt::format("'{}' is larger than {} bytes, the most that is formatted",
                                   sources.name(file), kMaximumBytes));
    return std::nullopt;
  }
  parse(sources, file, diagnostics);
  if (diagnostics.hasErrors())
    return std::nullopt;
  Diagnostics unused;
  std::string formatted =
      printLayout(readLayout(attachComments(sources.text(file), lex(sources, file, unused))));
  check(sources, file, formatted);
  return formatted;
}

} // namespace apr
