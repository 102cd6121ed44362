// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From groups to lines. Each group chooses between one line and a few ways to divide itself, by the
// columns that are left; `rest` are the columns of what must follow it on its last line.
#include "ir/frontend/format_doc.h"

#include <algorithm>

namespace apr::frontend {

namespace {

constexpr size_t kWidth = 100;
constexpr size_t kIndent = 2;
constexpr size_t kContinuation = 4;
/// Elements are lined up behind a bracket that opens before this column.
constexpr size_t kLastAlignment = 60;

struct Line {
  size_t indent = 0;
  std::string text;
  std::string comment;
};

class Printer {
public:
  std::string print(const Doc &file) {
    lines_.push_back({});
    printStatements(file, 0, file.children.size() - 1, 0);
    printComments(file.children.back().token.comments, 0, lines_.size() > 1 || !isAtStart());
    alignComments();
    if (lines_.size() == 1 && isAtStart())
      return {};
    std::string text;
    for (const Line &line : lines_) {
      std::string whole = line.text.empty() ? line.text : std::string(line.indent, ' ') + line.text;
      text += whole + line.comment + '\n';
    }
    return text;
  }

private:
  bool isAtStart() const { return lines_.back().text.empty() && lines_.back().comment.empty(); }
  size_t column() const { return lines_.back().indent + displayWidth(lines_.back().text); }
  bool fits(size_t width) const { return column() + width <= kWidth; }

  void newLine(size_t indent) {
    if (isAtStart())
      lines_.back().indent = indent;
    else
      lines_.push_back({indent, {}, {}});
  }
  void blankLine() {
    lines_.push_back({});
    lines_.push_back({});
  }

  /// Comments on lines of their own; the first stands on a line that begins here.
  void printComments(const std::vector<Comment> &comments, size_t indent, bool mayHaveBlank) {
    for (const Comment &comment : comments) {
      if (comment.hasBlankBefore && mayHaveBlank)
        blankLine();
      newLine(indent);
      lines_.back().text = comment.text;
      mayHaveBlank = true;
    }
  }

  static const SpacedToken &firstToken(const Doc &doc) {
    const Doc *first = &doc;
    while (first->kind != Doc::Kind::Text && !first->children.empty())
      first = &first->children.front();
    return first->token;
  }

  /// Statements `begin` to `end` of a block or file, each on lines of its own.
  void printStatements(const Doc &block, size_t begin, size_t end, size_t indent) {
    for (size_t i = begin; i < end; ++i) {
      const Doc &statement = block.children[i];
      const SpacedToken &first = firstToken(statement);
      printComments(first.comments, indent, i > begin);
      if (first.hasBlankBefore && (i > begin || !first.comments.empty()))
        blankLine();
      newLine(indent);
      skipComments_ = true;
      print(statement, indent, 0);
      skipComments_ = false;
    }
  }

  void printToken(const Doc &doc, size_t indent) {
    bool isFirst = skipComments_;
    skipComments_ = false;
    if (!isFirst && !doc.token.comments.empty()) {
      printComments(doc.token.comments, indent, false);
      newLine(indent);
    }
    // A comment took the rest of the line; the source had a line's end here as well.
    if (!lines_.back().comment.empty())
      newLine(indent);
    lines_.back().text += doc.token.text;
    lines_.back().comment = doc.token.trailing;
  }

  void space() {
    if (!isAtStart() && lines_.back().comment.empty())
      lines_.back().text += ' ';
  }

  void printFlat(const Doc &doc, size_t indent) {
    if (doc.kind == Doc::Kind::Text)
      return printToken(doc, indent);
    size_t last = doc.children.size() - 1;
    for (size_t i = 0; i < doc.children.size(); ++i) {
      bool hasSpace = i > 0;
      if (doc.kind == Doc::Kind::Sequence)
        hasSpace = doc.spaces[i];
      else if (doc.kind == Doc::Kind::Bracket)
        hasSpace = i > 1 && i < last;
      else if (doc.kind == Doc::Kind::Block)
        hasSpace = i > 0 && doc.children.size() > 2;
      if (hasSpace)
        space();
      printFlat(doc.children[i], indent);
    }
  }

  void print(const Doc &doc, size_t indent, size_t rest) {
    if (doc.canBeFlat() && fits(doc.width + rest))
      return printFlat(doc, indent);
    switch (doc.kind) {
    case Doc::Kind::Text:
      return printToken(doc, indent);
    case Doc::Kind::Sequence:
      return printSequence(doc, indent, rest);
    case Doc::Kind::Fill: {
      size_t at = doc.style == Doc::Style::Flush ? indent : indent + kContinuation;
      return printFilled(doc, 0, doc.children.size(), indent, at, rest);
    }
    case Doc::Kind::Pipe:
      return printPipe(doc, indent, rest);
    case Doc::Kind::Assign:
      return printAssign(doc, indent, rest);
    case Doc::Kind::Bracket:
      return printBracket(doc, indent, rest);
    case Doc::Kind::Block:
      return printBlock(doc, indent);
    case Doc::Kind::If:
      return printIf(doc, indent, rest);
    case Doc::Kind::Stack:
      return printStack(doc, indent, rest);
    }
  }

  void printSequence(const Doc &doc, size_t indent, size_t rest) {
    for (size_t i = 0; i < doc.children.size(); ++i) {
      if (doc.spaces[i])
        space();
      size_t after = 0;
      bool isOpen = true;
      for (size_t j = i + 1; j < doc.children.size() && isOpen; ++j) {
        size_t lead = leadWidth(doc.children[j]);
        after += doc.spaces[j] + lead;
        isOpen = lead == doc.children[j].width;
      }
      print(doc.children[i], indent, after + (isOpen ? rest : 0));
    }
  }

  /// As many children on a line as fit; the first stands where the line is now.
  void printFilled(const Doc &doc, size_t begin, size_t end, size_t indent, size_t at,
                   size_t rest) {
    bool wasDivided = false;
    for (size_t i = begin; i < end; ++i) {
      const Doc &child = doc.children[i];
      size_t after = i + 1 == end ? rest : 0;
      bool isFree =
          lines_.back().comment.empty() && (!wasDivided || doc.style == Doc::Style::Header);
      if (i > begin) {
        if (isFree && child.canBeFlat() && fits(1 + child.width + after)) {
          space();
          printFlat(child, at);
          continue;
        }
        newLine(at);
      }
      size_t firstLine = lines_.size();
      print(child, i == begin ? indent : at, after);
      wasDivided = lines_.size() > firstLine;
    }
  }

  void printPipe(const Doc &doc, size_t indent, size_t rest) {
    print(doc.children.front(), indent, 0);
    for (size_t i = 1; i < doc.children.size(); ++i) {
      newLine(indent + kContinuation);
      print(doc.children[i], indent + kContinuation, i + 1 == doc.children.size() ? rest : 0);
    }
  }

  static bool isCall(const Doc &doc) {
    return doc.kind == Doc::Kind::Bracket ||
           (doc.kind == Doc::Kind::Sequence && !doc.children.empty() &&
            doc.children.back().kind == Doc::Kind::Bracket);
  }

  void printAssign(const Doc &doc, size_t indent, size_t rest) {
    const Doc &value = doc.children[1];
    bool isBody = doc.style == Doc::Style::Declaration;
    size_t firstLine = lines_.size();
    print(doc.children[0], indent, 0);
    bool wasDivided = isBody && lines_.size() > firstLine;
    bool isFree = lines_.back().comment.empty() && firstToken(value).comments.empty() &&
                  (!wasDivided || value.isTall);
    size_t lower = indent + (isBody ? kIndent : kContinuation);
    bool fitsHere = value.canBeFlat() && fits(1 + value.width + rest);
    bool fitsBelow = value.canBeFlat() && lower + value.width + rest <= kWidth;
    bool opensHere = value.isTall && !value.hasComment && fits(1 + hugWidth(value));
    bool divides = !isBody && !fitsBelow && fits(1 + leadWidth(value));
    bool callsHere = !isBody && isCall(value) && fits(1 + leadWidth(value));
    bool branches = !isBody && value.kind == Doc::Kind::If && !fitsBelow;
    if (isFree && (fitsHere || opensHere || divides || callsHere || branches)) {
      space();
      return print(value, indent, rest);
    }
    newLine(lower);
    print(value, lower, rest);
  }

  void printBracket(const Doc &doc, size_t indent, size_t rest) {
    size_t last = doc.children.size() - 1;
    print(doc.children.front(), indent, 0);
    size_t widest = 0;
    bool hasComment = false;
    bool isTall = false;
    for (size_t i = 1; i < last; ++i) {
      const Doc &element = doc.children[i];
      bool isFlat = element.canBeFlat();
      size_t width = isFlat ? element.width : leadWidth(element);
      // The last element leaves room for what follows.
      size_t total = width + (i + 1 == last ? doc.children[last].width + rest : 0);
      widest = std::max(widest, total);
      hasComment = hasComment || element.hasComment || (element.endsInComment && i + 1 < last);
      isTall = isTall || element.isTall;
    }
    bool isFree = lines_.back().comment.empty();
    size_t after = doc.children[last].width + rest;
    if (isFree && isTall && !hasComment && fits(hugWidth(doc) - 1)) {
      for (size_t i = 1; i < last; ++i) {
        if (i > 1)
          space();
        print(doc.children[i], indent, i + 1 == last ? after : 0);
      }
    } else if (last > 1) {
      size_t here = column();
      size_t below = indent + kContinuation;
      bool fitsHere = here + widest <= kWidth;
      bool fitsBelow = below + widest <= kWidth;
      bool isSingle = last == 2;
      bool startsWithComment = !firstToken(doc.children[1]).comments.empty();
      bool aligns = isFree && !startsWithComment && here <= kLastAlignment &&
                    (fitsHere || isSingle || (!fitsBelow && here <= kLastAlignment / 2));
      if (!aligns)
        newLine(below);
      size_t at = aligns ? here : below;
      printFilled(doc, 1, last, at, at, after);
    }
    printToken(doc.children[last], indent);
  }

  void printBlock(const Doc &doc, size_t indent) {
    size_t last = doc.children.size() - 1;
    printToken(doc.children.front(), indent);
    printStatements(doc, 1, last, indent + kIndent);
    const SpacedToken &close = doc.children[last].token;
    printComments(close.comments, indent + kIndent, last > 1);
    if (last > 1 || !close.comments.empty())
      newLine(indent);
    skipComments_ = true;
    printToken(doc.children[last], indent);
  }

  void printIf(const Doc &doc, size_t indent, size_t rest) {
    bool hasTall = std::any_of(doc.children.begin(), doc.children.end(),
                               [](const Doc &child) { return child.isTall; });
    for (size_t i = 0; i < doc.children.size(); ++i) {
      const Doc &child = doc.children[i];
      if (i > 0)
        space();
      bool isLast = i + 1 == doc.children.size();
      if (i % 2 == 0) {
        print(child, indent, 2);
        continue;
      }
      size_t after = isLast ? rest : leadWidth(doc.children[i + 1]) + 3;
      if (hasTall && child.canBeFlat() && fits(child.width + after))
        printFlat(child, indent);
      else
        printBlock(child, indent);
    }
  }

  void printStack(const Doc &doc, size_t indent, size_t rest) {
    print(doc.children[0], indent, 0);
    newLine(indent + kIndent);
    print(doc.children[1], indent + kIndent, rest);
  }

  /// Comments at the ends of consecutive lines of one depth stand in one column, where there is
  /// room.
  void alignComments() {
    for (size_t begin = 0; begin < lines_.size();) {
      size_t end = begin;
      size_t column = 0;
      size_t longest = 0;
      while (end < lines_.size() && !lines_[end].comment.empty() &&
             lines_[end].indent == lines_[begin].indent) {
        column = std::max(column, lines_[end].indent + displayWidth(lines_[end].text));
        longest = std::max(longest, displayWidth(lines_[end].comment));
        ++end;
      }
      bool hasRoom = column + 2 + longest <= kWidth;
      for (size_t i = begin; i < end; ++i) {
        size_t width = lines_[i].indent + displayWidth(lines_[i].text);
        lines_[i].comment.insert(0, hasRoom ? column - width + 2 : 2, ' ');
      }
      begin = std::max(end, begin + 1);
    }
  }

  std::vector<Line> lines_;
  bool skipComments_ = false; ///< the next token's comments have been printed
};

} // namespace

std::string printLayout(const Doc &file) { return Printer().print(file); }

} // namespace apr::frontend
