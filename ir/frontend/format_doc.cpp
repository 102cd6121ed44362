// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/format_doc.h"

#include <algorithm>

namespace apr::frontend {

size_t displayWidth(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

Doc makeText(SpacedToken token) {
  Doc doc;
  doc.width = displayWidth(token.text);
  doc.hasComment = !token.comments.empty();
  doc.endsInComment = !token.trailing.empty();
  doc.token = std::move(token);
  return doc;
}

namespace {

/// Whether a blank stands before child `i` where the group is on one line.
bool hasSpace(const Doc &doc, size_t i) {
  switch (doc.kind) {
  case Doc::Kind::Sequence:
    return doc.spaces[i];
  case Doc::Kind::Bracket:
    return i > 1 && i + 1 < doc.children.size();
  case Doc::Kind::Block:
    return i > 0 && doc.children.size() > 2;
  default:
    return i > 0;
  }
}

bool needsLines(const Doc &doc) {
  if (doc.kind == Doc::Kind::Stack)
    return true;
  if (doc.kind != Doc::Kind::Block || doc.style == Doc::Style::Inline)
    return false;
  return doc.children.size() > 2 || doc.children.front().endsInComment ||
         doc.children.back().hasComment;
}

/// Adds the columns up to a place where a line may end; false where there is none.
bool addLead(const Doc &doc, size_t &width) {
  switch (doc.kind) {
  case Doc::Kind::Text:
    width += doc.width;
    return false;
  case Doc::Kind::Bracket:
  case Doc::Kind::Block:
    width += doc.children.front().width;
    if (doc.children.size() > 2)
      return true;
    width += doc.children.back().width;
    return false;
  case Doc::Kind::Sequence:
  case Doc::Kind::If:
    for (size_t i = 0; i < doc.children.size(); ++i) {
      width += hasSpace(doc, i);
      if (addLead(doc.children[i], width))
        return true;
    }
    return false;
  default:
    addLead(doc.children.front(), width);
    return true;
  }
}

/// Adds the columns up to the first block with lines of its own; false where there is none.
bool addHug(const Doc &doc, size_t &width) {
  if (!doc.isTall) {
    width += doc.width;
    return false;
  }
  if (needsLines(doc)) {
    width += doc.children.front().width;
    return true;
  }
  for (size_t i = 0; i < doc.children.size(); ++i) {
    width += hasSpace(doc, i);
    if (addHug(doc.children[i], width))
      return true;
  }
  return false;
}

} // namespace

Doc makeGroup(Doc::Kind kind, std::vector<Doc> children, Doc::Style style,
              std::vector<bool> spaces) {
  Doc doc;
  doc.kind = kind;
  doc.style = style;
  doc.children = std::move(children);
  doc.spaces = std::move(spaces);
  for (size_t i = 0; i < doc.children.size(); ++i) {
    const Doc &child = doc.children[i];
    bool isLast = i + 1 == doc.children.size();
    doc.width += child.width + hasSpace(doc, i);
    doc.isTall = doc.isTall || child.isTall;
    doc.hasComment = doc.hasComment || child.hasComment || (child.endsInComment && !isLast);
  }
  doc.endsInComment = !doc.children.empty() && doc.children.back().endsInComment;
  doc.isTall = doc.isTall || needsLines(doc);
  // Comments inside the braces of a block end lines that it has anyway.
  if (kind == Doc::Kind::Block && doc.hasComment) {
    doc.isTall = true;
    doc.style = Doc::Style::Plain;
    doc.hasComment = !doc.children.front().token.comments.empty();
  }
  return doc;
}

size_t leadWidth(const Doc &doc) {
  size_t width = 0;
  addLead(doc, width);
  return width;
}

size_t hugWidth(const Doc &doc) {
  size_t width = 0;
  addHug(doc, width);
  return width;
}

} // namespace apr::frontend
