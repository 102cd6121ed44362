// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From runs of atoms to groups: where the lines of a statement or expression may end.
#include "ir/frontend/format_atoms.h"

#include <algorithm>
#include <iterator>

namespace apr::frontend {

namespace {

using enum TokenKind;

/// Operators at which an expression divides, loosest first; `|>` comes before all of them.
const std::vector<std::vector<TokenKind>> kPrecedences = {
    {Or},
    {And},
    {Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual},
    {Plus, Minus},
    {Star, Slash, SlashSlash, Percent, At}};

bool isBinaryAt(const Atoms &atoms, size_t i, const std::vector<TokenKind> &kinds) {
  if (i == 0 || !atoms[i - 1].endsOperand() || atoms[i].role != Atom::Role::Token)
    return false;
  return std::find(kinds.begin(), kinds.end(), atoms[i].kind) != kinds.end();
}

Atoms cut(Atoms &atoms, size_t begin, size_t end) {
  auto at = [&](size_t i) {
    return std::make_move_iterator(atoms.begin() + static_cast<std::ptrdiff_t>(i));
  };
  return {at(begin), at(end)};
}

bool needsSpace(const Atom &left, const Atom &right, bool leftIsPrefix) {
  if (leftIsPrefix || left.isOperator(Dot) || right.isOperator(Dot))
    return false;
  if (right.isOperator(Question) || right.isOperator(Comma) || right.isOperator(Colon))
    return false;
  if (right.role == Atom::Role::Brackets)
    return !left.endsOperand();
  return true;
}

/// A function's name and parameters, and its result, which may have a line of its own.
bool layOutHeader(Atoms &atoms) {
  auto arrow = std::find_if(atoms.begin(), atoms.end(),
                            [](const Atom &atom) { return atom.isOperator(RightArrow); });
  if (arrow == atoms.end() || arrow == atoms.begin())
    return false;
  auto split = static_cast<size_t>(arrow - atoms.begin());
  size_t end = atoms.size();
  bool hasEnd = atoms.back().role == Atom::Role::Braces || isAssignment(atoms.back());
  if (hasEnd)
    --end;
  std::vector<Doc> parts;
  parts.push_back(sequence(cut(atoms, 0, split)));
  parts.push_back(sequence(cut(atoms, split, end)));
  Atoms header;
  header.push_back({Atom::Role::Operand, Identifier,
                    makeGroup(Doc::Kind::Fill, std::move(parts), Doc::Style::Header)});
  if (hasEnd)
    header.push_back(std::move(atoms.back()));
  atoms = std::move(header);
  return true;
}

/// Words of a statement, and expressions between them.
Doc layOutPhrase(Atoms atoms) {
  if (layOutHeader(atoms))
    return sequence(std::move(atoms));
  Atoms parts;
  size_t begin = 0;
  for (size_t i = 0; i <= atoms.size(); ++i) {
    if (i < atoms.size() && atoms[i].role != Atom::Role::Word)
      continue;
    if (begin < i)
      parts.push_back({Atom::Role::Operand, Identifier, layOutExpression(cut(atoms, begin, i))});
    if (i < atoms.size())
      parts.push_back(std::move(atoms[i]));
    begin = i + 1;
  }
  return sequence(std::move(parts));
}

/// Elements that end in commas, outside brackets.
Doc layOutList(Atoms atoms) {
  std::vector<Doc> parts;
  size_t begin = 0;
  for (size_t i = 0; i < atoms.size(); ++i) {
    bool isComma = atoms[i].isOperator(Comma);
    if (!isComma && i + 1 < atoms.size())
      continue;
    Doc comma = isComma ? std::move(atoms[i].doc) : Doc{};
    Doc part = layOutPhrase(cut(atoms, begin, isComma ? i : i + 1));
    parts.push_back(isComma ? glue(std::move(part), std::move(comma)) : std::move(part));
    begin = i + 1;
  }
  if (parts.size() == 1)
    return std::move(parts.front());
  return makeGroup(Doc::Kind::Fill, std::move(parts));
}

bool layOutPipe(Atoms &atoms, Doc &pipe) {
  std::vector<Doc> stages;
  size_t begin = 0;
  Doc mark;
  bool hasMark = false;
  for (size_t i = 0; i <= atoms.size(); ++i) {
    if (i < atoms.size() && !atoms[i].isOperator(TokenKind::Pipe))
      continue;
    if (i == atoms.size() && !hasMark)
      return false;
    Doc stage = layOutExpression(cut(atoms, begin, i));
    if (hasMark) {
      std::vector<Doc> parts;
      parts.push_back(std::move(mark));
      parts.push_back(std::move(stage));
      stage = makeGroup(Doc::Kind::Sequence, std::move(parts), Doc::Style::Plain, {false, true});
    }
    stages.push_back(std::move(stage));
    if (i < atoms.size())
      mark = std::move(atoms[i].doc);
    hasMark = true;
    begin = i + 1;
  }
  pipe = makeGroup(Doc::Kind::Pipe, std::move(stages));
  return true;
}

} // namespace

Doc glue(Doc left, Doc right) {
  std::vector<Doc> parts;
  parts.push_back(std::move(left));
  parts.push_back(std::move(right));
  return makeGroup(Doc::Kind::Sequence, std::move(parts), Doc::Style::Plain, {false, false});
}

Doc sequence(Atoms atoms) {
  if (atoms.size() == 1)
    return std::move(atoms.front().doc);
  std::vector<bool> spaces(atoms.size());
  for (size_t i = 1; i < atoms.size(); ++i) {
    const Atom &left = atoms[i - 1];
    bool isUnary = left.isOperator(Minus) && (i == 1 || !atoms[i - 2].endsOperand());
    spaces[i] = needsSpace(left, atoms[i], isUnary || left.isOperator(DotDot));
  }
  std::vector<Doc> parts;
  for (Atom &atom : atoms)
    parts.push_back(std::move(atom.doc));
  return makeGroup(Doc::Kind::Sequence, std::move(parts), Doc::Style::Plain, std::move(spaces));
}

bool isAssignment(const Atom &atom) {
  return atom.isOperator(Assign) || atom.isOperator(LeftArrow);
}

Doc layOutAssign(Atoms atoms, Doc::Style style) {
  auto found = std::find_if(atoms.begin(), atoms.end(), isAssignment);
  if (found == atoms.end())
    return layOutList(std::move(atoms));
  auto split = static_cast<size_t>(found - atoms.begin()) + 1;
  std::vector<Doc> parts;
  size_t size = atoms.size();
  parts.push_back(layOutPhrase(cut(atoms, 0, split)));
  parts.push_back(layOutAssign(cut(atoms, split, size), Doc::Style::Plain));
  return makeGroup(Doc::Kind::Assign, std::move(parts), style);
}

Doc layOutExpression(Atoms atoms) {
  if (layOutHeader(atoms))
    return sequence(std::move(atoms));
  if (Doc pipe; layOutPipe(atoms, pipe))
    return pipe;
  for (const std::vector<TokenKind> &kinds : kPrecedences) {
    std::vector<Doc> parts;
    size_t begin = 0;
    for (size_t i = 0; i < atoms.size(); ++i) {
      if (!isBinaryAt(atoms, i, kinds))
        continue;
      Atoms part;
      Atom op = std::move(atoms[i]);
      op.role = Atom::Role::Braces; // keeps its blank, and is no operator any more
      Doc operand = layOutExpression(cut(atoms, begin, i));
      part.push_back({Atom::Role::Operand, Identifier, std::move(operand)});
      part.push_back(std::move(op));
      parts.push_back(sequence(std::move(part)));
      begin = i + 1;
      // What follows an operator starts an operand.
      atoms[i].role = Atom::Role::Token;
    }
    if (parts.empty())
      continue;
    size_t size = atoms.size();
    parts.push_back(layOutExpression(cut(atoms, begin, size)));
    return makeGroup(Doc::Kind::Fill, std::move(parts));
  }
  return sequence(std::move(atoms));
}

/// The colons of a slice get blanks where a side is more than a name or number.
Doc layOutIndex(Atoms atoms) {
  std::vector<Doc> parts;
  std::vector<bool> isColon;
  bool isLong = false;
  size_t begin = 0;
  for (size_t i = 0; i <= atoms.size(); ++i) {
    if (i < atoms.size() && !atoms[i].isOperator(Colon))
      continue;
    if (begin < i) {
      parts.push_back(layOutExpression(cut(atoms, begin, i)));
      isLong = isLong || parts.back().kind == Doc::Kind::Fill;
      isColon.push_back(false);
    }
    if (i < atoms.size()) {
      parts.push_back(std::move(atoms[i].doc));
      isColon.push_back(true);
    }
    begin = i + 1;
  }
  if (parts.size() == 1)
    return std::move(parts.front());
  std::vector<bool> spaces(parts.size());
  for (size_t i = 1; isLong && i + 1 < parts.size(); ++i)
    if (isColon[i] && !isColon[i - 1] && !isColon[i + 1])
      spaces[i] = spaces[i + 1] = true;
  return makeGroup(Doc::Kind::Sequence, std::move(parts), Doc::Style::Plain, std::move(spaces));
}

} // namespace apr::frontend
