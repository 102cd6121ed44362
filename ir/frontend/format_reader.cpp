// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From tokens to groups. The file is known to parse, so this reads no more of the grammar than
// layout needs: brackets, statements, operators by precedence, and the words that are no names.
#include "ir/frontend/format_atoms.h"

#include <algorithm>
#include <iterator>

namespace apr::frontend {

namespace {

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

  std::vector<SpacedToken> tokens_;
  size_t position_ = 0;
  bool lastIsSimple_ = false; ///< the statement read last is an expression or `a <- b`
};

} // namespace

Doc readLayout(std::vector<SpacedToken> tokens) { return Reader(std::move(tokens)).readFile(); }

} // namespace apr::frontend
