// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From tokens to groups. The file is known to parse, so this reads no more of the grammar than
// layout needs: brackets, statements, operators by precedence, and the words that are no names.
#include "ir/frontend/format_doc.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace apr::frontend {

namespace {

/// A token or a group that stands in an expression or statement.
struct Atom {
  enum class Role : uint8_t {
    Token,   ///< punctuation, an operator
    Operand, ///< what may end an operand
    Word,    ///< a word of a statement: `minimize`, `over`, `let`
    Brackets,
    Braces,
  };
  Role role = Role::Token;
  TokenKind kind = TokenKind::End;
  Doc doc;

  bool endsOperand() const { return role == Role::Operand || role == Role::Brackets; }
  bool isOperator(TokenKind wanted) const { return role == Role::Token && kind == wanted; }
};
using Atoms = std::vector<Atom>;

using enum TokenKind;

constexpr std::string_view kDeclarationWords[] = {"model",  "layer",  "optimizer", "param",
                                                  "buffer", "freeze", "entry",     "train",
                                                  "state",  "report", "using"};
constexpr std::string_view kExpressionWords[] = {"minimize", "descend", "expect"};
/// Words that may follow an operand, and then start the next part of the statement.
constexpr std::string_view kInnerWords[] = {"over", "on", "with", "shards", "import"};

template <size_t N> bool isOneOf(std::string_view word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

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

class Reader {
public:
  explicit Reader(std::vector<SpacedToken> tokens) : tokens_(std::move(tokens)) {}

  Doc readFile() {
    std::vector<Doc> statements = readStatements();
    statements.push_back(makeText(next()));
    return makeGroup(Doc::Kind::Stack, std::move(statements));
  }

private:
  const SpacedToken &peek(size_t offset = 0) const {
    return tokens_[std::min(position_ + offset, tokens_.size() - 1)];
  }
  bool is(TokenKind kind, size_t offset = 0) const { return peek(offset).kind == kind; }
  SpacedToken next() {
    size_t i = position_;
    if (position_ + 1 < tokens_.size())
      ++position_;
    return tokens_[i];
  }
  Atom take(Atom::Role role) {
    TokenKind kind = peek().kind;
    return {role, kind, makeText(next())};
  }

  // ---- statements ----

  std::vector<Doc> readStatements() {
    std::vector<Doc> statements;
    while (true) {
      while (is(Separator))
        next();
      if (is(RightBrace) || is(End))
        return statements;
      statements.push_back(readStatement());
    }
  }

  Doc readStatement() {
    Atoms atoms;
    readStatementWord(atoms);
    readRun(atoms, Ends::AtStatement);
    if (atoms.empty())
      atoms.push_back(take(Atom::Role::Token));
    auto with = std::find_if(atoms.begin(), atoms.end(), [](const Atom &atom) {
      return atom.role == Atom::Role::Word && atom.doc.token.text == "with";
    });
    if (with == atoms.end())
      return layOutStatement(std::move(atoms));
    Atoms gradient(std::make_move_iterator(with), std::make_move_iterator(atoms.end()));
    atoms.erase(with, atoms.end());
    std::vector<Doc> parts;
    bool followsBlock = atoms.back().role == Atom::Role::Braces;
    parts.push_back(layOutStatement(std::move(atoms)));
    parts.push_back(layOutAssign(std::move(gradient), Doc::Style::Declaration));
    if (followsBlock)
      return makeGroup(Doc::Kind::Sequence, std::move(parts), Doc::Style::Plain, {false, true});
    return makeGroup(Doc::Kind::Stack, std::move(parts));
  }

  /// The word that a statement starts with, where it is one and no name.
  void readStatementWord(Atoms &atoms) {
    const std::string &word = peek().text;
    bool isWord = is(From) || is(Let) || (is(Identifier) && startsStatement(word));
    if (!isWord)
      return;
    atoms.push_back(take(Atom::Role::Word));
    if (is(Identifier))
      atoms.push_back(take(Atom::Role::Operand));
  }

  bool startsStatement(const std::string &word) const {
    bool isNamed = is(Identifier, 1);
    if (isOneOf(word, kDeclarationWords))
      return isNamed;
    if (word == "test")
      return is(String, 1);
    if (word == "update")
      return isNamed && peek(1).text == "row";
    if (!isOneOf(word, kExpressionWords))
      return false;
    switch (peek(1).kind) {
    case Identifier:
    case Integer:
    case Float:
    case LeftParen:
    case LeftBracket:
    case Minus:
    case Not:
    case If:
    case True:
    case False:
      return true;
    default:
      return false;
    }
  }

  // ---- runs of atoms ----

  /// Where a run of atoms ends; at a closing bracket or a separator it always does.
  enum class Ends : uint8_t { AtStatement, AtComma, AtBrace };

  void readRun(Atoms &atoms, Ends ends) {
    while (true) {
      switch (peek().kind) {
      case End:
      case Separator:
      case RightParen:
      case RightBracket:
      case RightBrace:
        return;
      case Comma:
        if (ends == Ends::AtComma)
          return;
        atoms.push_back(take(Atom::Role::Token));
        continue;
      case LeftBrace:
        if (ends == Ends::AtBrace)
          return;
        atoms.push_back({Atom::Role::Braces, LeftBrace, readBlock(blockStyle(atoms))});
        break;
      case LeftParen:
      case LeftBracket:
        atoms.push_back(readBrackets(atoms));
        break;
      case TokenKind::If:
        atoms.push_back({Atom::Role::Operand, TokenKind::If, readIf()});
        break;
      case Fn:
        if (is(LeftParen, 1) && (!atoms.empty() || ends != Ends::AtStatement))
          atoms.push_back({Atom::Role::Operand, Fn, readFunction(ends)});
        else
          atoms.push_back(take(atoms.empty() ? Atom::Role::Word : Atom::Role::Operand));
        if (atoms.back().role == Atom::Role::Word && is(Identifier))
          atoms.push_back(take(Atom::Role::Operand));
        break;
      case Identifier:
        atoms.push_back(take(isInnerWord(atoms) ? Atom::Role::Word : Atom::Role::Operand));
        break;
      case Integer:
      case Float:
      case String:
      case True:
      case False:
      case None:
        atoms.push_back(take(Atom::Role::Operand));
        break;
      default:
        atoms.push_back(take(Atom::Role::Token));
        break;
      }
      if (ends == Ends::AtStatement && endsStatement())
        return;
    }
  }

  bool isInnerWord(const Atoms &atoms) const {
    if (atoms.empty() || !isOneOf(peek().text, kInnerWords))
      return false;
    const Atom &before = atoms.back();
    if (!before.endsOperand() && before.role != Atom::Role::Braces)
      return false;
    if (peek().text == "with")
      return is(Identifier, 1) && peek(1).text == "gradient";
    return is(Identifier, 1) || is(Integer, 1) || is(LeftParen, 1) || is(LeftBracket, 1);
  }

  /// After "}" a statement ends even without a separator, unless the next token goes on with it.
  bool endsStatement() const {
    if (position_ == 0 || tokens_[position_ - 1].kind != RightBrace)
      return false;
    switch (peek().kind) {
    case Identifier:
      return !isOneOf(peek().text, kInnerWords);
    case Integer:
    case Float:
    case String:
    case True:
    case False:
    case None:
    case From:
    case Fn:
    case Let:
    case TokenKind::If:
    case Not:
      return true;
    default:
      return false;
    }
  }

  /// `update(p, g) { … }` and `after { … }` may stand on one line; declarations never do.
  static Doc::Style blockStyle(const Atoms &head) {
    if (head.empty())
      return Doc::Style::Plain;
    const std::string &word = head.front().doc.token.text;
    return word == "update" || word == "after" ? Doc::Style::Inline : Doc::Style::Plain;
  }

  Doc readBlock(Doc::Style style) {
    std::vector<Doc> children;
    children.push_back(makeText(next()));
    for (Doc &statement : readStatements())
      children.push_back(std::move(statement));
    children.push_back(makeText(next()));
    bool isSimple = children.size() == 3 && lastIsSimple_;
    if (!isSimple)
      style = Doc::Style::Plain;
    return makeGroup(Doc::Kind::Block, std::move(children), style);
  }

  Doc readIf() {
    std::vector<Doc> parts;
    while (true) {
      Atoms head;
      if (is(Else))
        head.push_back(take(Atom::Role::Word));
      bool hasCondition = is(TokenKind::If);
      if (hasCondition) {
        head.push_back(take(Atom::Role::Word));
        Atoms condition;
        readRun(condition, Ends::AtBrace);
        head.push_back({Atom::Role::Operand, Identifier, layOutExpression(std::move(condition))});
      }
      parts.push_back(sequence(std::move(head)));
      parts.push_back(readBlock(Doc::Style::Inline));
      if (!hasCondition || !is(Else))
        return makeGroup(Doc::Kind::If, std::move(parts));
    }
  }

  /// `fn (x) = …` or `fn (x) { … }` inside an expression.
  Doc readFunction(Ends ends) {
    Atoms head;
    head.push_back(take(Atom::Role::Word));
    head.push_back(readBrackets(head));
    if (is(RightArrow)) {
      head.push_back(take(Atom::Role::Token));
      if (is(LeftParen))
        head.push_back(readBrackets(head));
      while (is(Identifier) || is(Fn) || is(LeftBracket) || is(Question))
        head.push_back(is(LeftBracket)
                           ? readBrackets(head)
                           : take(is(Question) ? Atom::Role::Token : Atom::Role::Operand));
    }
    if (is(Assign)) {
      head.push_back(take(Atom::Role::Token));
      readRun(head, ends);
      return layOutAssign(std::move(head), Doc::Style::Plain);
    }
    head.push_back({Atom::Role::Braces, LeftBrace, readBlock(Doc::Style::Inline)});
    return sequence(std::move(head));
  }

  Atom readBrackets(const Atoms &before) {
    bool isIndex = is(LeftBracket) && !before.empty() && before.back().endsOperand();
    TokenKind kind = peek().kind;
    std::vector<Doc> children;
    children.push_back(makeText(next()));
    while (!is(RightParen) && !is(RightBracket) && !is(End)) {
      Atoms element;
      readRun(element, Ends::AtComma);
      Doc doc = isIndex ? layOutIndex(std::move(element))
                        : layOutAssign(std::move(element), Doc::Style::Plain);
      if (is(Comma))
        doc = glue(std::move(doc), makeText(next()));
      children.push_back(std::move(doc));
    }
    if (children.size() == 2 && children[1].kind == Doc::Kind::Fill)
      children[1].style = Doc::Style::Flush;
    children.push_back(makeText(next()));
    return {Atom::Role::Brackets, kind, makeGroup(Doc::Kind::Bracket, std::move(children))};
  }

  // ---- layout of runs ----

  static Doc glue(Doc left, Doc right) {
    std::vector<Doc> parts;
    parts.push_back(std::move(left));
    parts.push_back(std::move(right));
    return makeGroup(Doc::Kind::Sequence, std::move(parts), Doc::Style::Plain, {false, false});
  }

  static Atoms cut(Atoms &atoms, size_t begin, size_t end) {
    auto at = [&](size_t i) {
      return std::make_move_iterator(atoms.begin() + static_cast<std::ptrdiff_t>(i));
    };
    return {at(begin), at(end)};
  }

  Doc layOutStatement(Atoms atoms) {
    bool isDeclaration = atoms.front().role == Atom::Role::Word &&
                         (atoms.front().kind == Fn || atoms.front().doc.token.text == "entry");
    bool isBinding = std::any_of(atoms.begin(), atoms.end(),
                                 [](const Atom &atom) { return atom.isOperator(Assign); });
    bool startsWithWord = atoms.front().role == Atom::Role::Word;
    bool isFunctionValue =
        atoms.front().kind == Fn && atoms.size() > 1 && atoms[1].role == Atom::Role::Brackets;
    Doc doc =
        layOutAssign(std::move(atoms), isDeclaration ? Doc::Style::Declaration : Doc::Style::Plain);
    lastIsSimple_ = isFunctionValue || (!startsWithWord && !isBinding);
    return doc;
  }

  static bool isAssignment(const Atom &atom) {
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

  /// One index; the colons of a slice get blanks where a side is more than a name or number.
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

  static bool needsSpace(const Atom &left, const Atom &right, bool leftIsPrefix) {
    if (leftIsPrefix || left.isOperator(Dot) || right.isOperator(Dot))
      return false;
    if (right.isOperator(Question) || right.isOperator(Comma) || right.isOperator(Colon))
      return false;
    if (right.role == Atom::Role::Brackets)
      return !left.endsOperand();
    return true;
  }

  static Doc sequence(Atoms atoms) {
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

  std::vector<SpacedToken> tokens_;
  size_t position_ = 0;
  bool lastIsSimple_ = false; ///< the statement read last is an expression or `a <- b`
};

} // namespace

Doc readLayout(std::vector<SpacedToken> tokens) { return Reader(std::move(tokens)).readFile(); }

} // namespace apr::frontend
