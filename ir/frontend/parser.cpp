// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/lexer.h"
#include "ir/frontend/parser_impl.h"
#include "ir/frontend/word_hints.h"

#include <fmt/format.h>

namespace apr::frontend {

File parse(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  return {file, Parser(lex(sources, file, diagnostics), diagnostics).parseFile()};
}

Parser::Nested::Nested(Parser &parser) : parser_(parser) {
  // The destructor does not run when this throws, so the count is undone by hand.
  if (++parser_.nesting_ > kMaximumNesting) {
    --parser_.nesting_;
    parser_.failAt(parser_.peek().location,
                   fmt::format("nested more than {} levels deep", kMaximumNesting));
  }
}

// ---- tokens ----

const Token &Parser::peek(size_t offset) const {
  return tokens_[std::min(position_ + offset, tokens_.size() - 1)];
}

bool Parser::isWord(std::string_view word, size_t offset) const {
  return peek(offset).kind == TokenKind::Identifier && peek(offset).text == word;
}

Token Parser::next() {
  Token token = peek();
  if (position_ + 1 < tokens_.size())
    ++position_;
  return token;
}

bool Parser::accept(TokenKind kind) {
  if (!is(kind))
    return false;
  next();
  return true;
}

bool Parser::acceptWord(std::string_view word) {
  if (!isWord(word))
    return false;
  next();
  return true;
}

Token Parser::expect(TokenKind kind, std::string_view what) {
  if (!is(kind))
    fail(what);
  return next();
}

Name Parser::expectName(std::string_view what) {
  Token token = expect(TokenKind::Identifier, what);
  return {std::string(token.text), token.location};
}

void Parser::fail(std::string_view expected) {
  failAt(peek().location, fmt::format("expected {}, found {}", expected, describe(peek())),
         hintHere());
}

/// A word before a name, or where an item should begin, may be one of another language.
std::string Parser::hintHere() const {
  const Token *previous = position_ > 0 ? &tokens_[position_ - 1] : nullptr;
  bool isAfterName = previous && previous->kind == TokenKind::Identifier;
  if (is(TokenKind::Assign) && isAfterName)
    return fmt::format("'let {0} = …' binds a value; '{0} <- …' writes a parameter or local value",
                       previous->text);
  if (is(TokenKind::Assign) && position_ > 1 && tokens_[position_ - 2].kind == TokenKind::Identifier)
    return fmt::format("'{0} <- {0} {1} …' writes a new value", tokens_[position_ - 2].text,
                       previous->text);
  if (isAfterName && (is(TokenKind::Identifier) || is(TokenKind::LeftBrace) ||
                      is(TokenKind::Integer) || is(TokenKind::Float)))
    return hintForWord(previous->text);
  if (is(TokenKind::Identifier) &&
      (!previous || previous->kind == TokenKind::Separator ||
       previous->kind == TokenKind::LeftBrace || previous->kind == TokenKind::RightBrace))
    return hintForWord(peek().text);
  return {};
}

void Parser::failAt(Location location, std::string message, std::string hint) {
  diagnostics_.report(DiagnosticKind::Syntax, location, std::move(message))
      .withHint(std::move(hint));
  throw Skip{};
}

/// Goes on behind the statement that began at token `start`, with its braces balanced.
void Parser::skipStatement(size_t start) {
  int depth = 0;
  for (size_t i = start; i < position_; ++i) {
    depth += tokens_[i].kind == TokenKind::LeftBrace;
    depth -= tokens_[i].kind == TokenKind::RightBrace;
  }
  while (!is(TokenKind::End)) {
    if (depth <= 0 && (is(TokenKind::Separator) || is(TokenKind::RightBrace)))
      return;
    depth += is(TokenKind::LeftBrace);
    depth -= is(TokenKind::RightBrace);
    next();
  }
}

void Parser::skipSeparators() {
  while (accept(TokenKind::Separator)) {
  }
}

/// A statement ends at a separator, before "}" or after one.
void Parser::endOfStatement() {
  bool closedBrace = position_ > 0 && tokens_[position_ - 1].kind == TokenKind::RightBrace;
  if (!is(TokenKind::Separator) && !is(TokenKind::RightBrace) && !is(TokenKind::End) &&
      !closedBrace)
    fail("the end of the statement");
}

// ---- items ----

std::vector<Item> Parser::parseFile() {
  std::vector<Item> items;
  skipSeparators();
  while (!is(TokenKind::End)) {
    size_t start = position_;
    try {
      if (is(TokenKind::RightBrace)) {
        next();
        failAt(tokens_[start].location, "'}' closes nothing");
      }
      items.push_back(parseItem());
      endOfStatement();
    } catch (const Skip &) {
      skipStatement(start);
      if (position_ == start)
        next();
    }
    skipSeparators();
  }
  return items;
}

Item Parser::parseItem() {
  Location location = peek().location;
  bool isNamed = peek(1).kind == TokenKind::Identifier;
  if (is(TokenKind::From))
    return {location, parseImport()};
  if (is(TokenKind::Fn)) {
    FunctionDecl function = parseFunction();
    if (function.name.empty())
      failAt(location, "a function at the top of a file needs a name");
    return {location, std::move(function)};
  }
  if ((isWord("model") || isWord("layer")) && isNamed)
    return {location, parseLayer(isWord("model"))};
  if (isWord("optimizer") && isNamed)
    return {location, parseOptimizer()};
  if (isWord("test") && peek(1).kind == TokenKind::String)
    return {location, parseTest()};
  if (is(TokenKind::Identifier) &&
      (peek(1).kind == TokenKind::Assign || peek(1).kind == TokenKind::Colon))
    return {location, parseBinding()};
  fail("model, layer, fn, optimizer, test, from or 'name = value'");
}

Import Parser::parseImport() {
  Import import;
  import.location = next().location;
  Token path = expect(TokenKind::String, "the path of a file, in quotes");
  import.path = path.text;
  import.pathLocation = path.location;
  if (!acceptWord("import"))
    fail("'import'");
  do
    import.names.push_back(expectName("a name to import"));
  while (accept(TokenKind::Comma));
  return import;
}

Binding Parser::parseBinding() {
  Binding binding;
  binding.name = expectName("a name");
  if (accept(TokenKind::Colon))
    binding.type = parseType();
  expect(TokenKind::Assign, "'='");
  binding.value = parseExpr();
  return binding;
}

Layer Parser::parseLayer(bool isModel) {
  Layer layer;
  layer.doc = peek().doc;
  layer.isModel = isModel;
  layer.location = next().location;
  layer.name = expectName("a name");
  if (is(TokenKind::LeftParen))
    layer.parameters = parseParameters();
  expect(TokenKind::LeftBrace, "'{'");
  skipSeparators();
  while (!is(TokenKind::RightBrace) && !is(TokenKind::End)) {
    size_t start = position_;
    try {
      layer.members.push_back(parseMember());
      endOfStatement();
    } catch (const Skip &) {
      skipStatement(start);
    }
    skipSeparators();
  }
  expect(TokenKind::RightBrace, "'}'");
  return layer;
}

Member Parser::parseMember() {
  const Token &token = peek();
  Location location = token.location;
  bool isNamed = peek(1).kind == TokenKind::Identifier;
  if (is(TokenKind::Fn))
    return {location, parseFunction()};
  if (isWord("param") && isNamed)
    return {location, parseStateMember(StateMember::Kind::Param, token.doc)};
  if (isWord("buffer") && isNamed)
    return {location, parseStateMember(StateMember::Kind::Buffer, token.doc)};
  if (isWord("freeze") && isNamed) {
    next();
    return {location, FreezeMember{parsePaths()}};
  }
  if (isWord("entry") && isNamed)
    return {location, parseEntry()};
  if (isWord("train") && isNamed)
    return {location, parseTrain()};
  if (is(TokenKind::Identifier) &&
      (peek(1).kind == TokenKind::Assign || peek(1).kind == TokenKind::Colon))
    return {location, parseBinding()};
  fail("a member: 'name = value', param, buffer, freeze, fn, entry or train");
}

StateMember Parser::parseStateMember(StateMember::Kind kind, std::string doc) {
  StateMember member;
  member.kind = kind;
  member.doc = std::move(doc);
  next();
  member.name = expectName("a name");
  expect(TokenKind::Colon, "':' and a type");
  member.type = parseType();
  expect(TokenKind::Assign, "'=' and the start value");
  member.start = parseExpr();
  return member;
}

EntryMember Parser::parseEntry() {
  FunctionDecl function;
  function.doc = peek().doc;
  function.location = next().location;
  Name name = expectName("a name");
  function.name = name.text;
  function.location = name.location;
  return {parseFunctionRest(std::move(function))};
}

TrainMember Parser::parseTrain() {
  TrainMember train;
  train.doc = peek().doc;
  train.location = next().location;
  train.name = expectName("a name");
  train.parameters = parseParameters();
  if (acceptWord("shards"))
    train.shards = parseExpr();
  train.block = std::move(*parseBlock());
  return train;
}

Optimizer Parser::parseOptimizer() {
  Optimizer optimizer;
  optimizer.doc = peek().doc;
  optimizer.location = next().location;
  optimizer.name = expectName("a name");
  optimizer.parameters = parseParameters();
  expect(TokenKind::LeftBrace, "'{'");
  skipSeparators();
  while (!is(TokenKind::RightBrace) && !is(TokenKind::End)) {
    size_t start = position_;
    try {
      optimizer.rules.push_back(parseRule());
      endOfStatement();
    } catch (const Skip &) {
      skipStatement(start);
    }
    skipSeparators();
  }
  expect(TokenKind::RightBrace, "'}'");
  return optimizer;
}

Test Parser::parseTest() {
  Test test;
  test.location = next().location;
  test.title = next().text;
  test.block = std::move(*parseBlock());
  return test;
}

FunctionDecl Parser::parseFunction() {
  FunctionDecl function;
  function.doc = peek().doc;
  function.location = expect(TokenKind::Fn, "'fn'").location;
  if (is(TokenKind::Identifier)) {
    Name name = expectName("a name");
    function.name = name.text;
    function.location = name.location;
  }
  return parseFunctionRest(std::move(function));
}

/// Parameters, result type, body and own gradient.
FunctionDecl Parser::parseFunctionRest(FunctionDecl function) {
  function.parameters = parseParameters();
  if (accept(TokenKind::RightArrow))
    function.result = parseType();
  function.body = parseBody();
  if (isWord("with") && isWord("gradient", 1)) {
    next();
    next();
    function.gradientParameters = parseParameters();
    function.gradient = parseBody();
  }
  return function;
}

Body Parser::parseBody() {
  Body body;
  if (accept(TokenKind::Assign))
    body.expr = parseExpr();
  else if (is(TokenKind::LeftBrace))
    body.block = parseBlock();
  else
    fail("'=' or '{'");
  return body;
}

// ---- statements ----

std::unique_ptr<Block> Parser::parseBlock() {
  Nested nested(*this);
  uint32_t outer = std::exchange(deepest_, 0);
  auto block = std::make_unique<Block>();
  block->location = expect(TokenKind::LeftBrace, "'{'").location;
  skipSeparators();
  while (!is(TokenKind::RightBrace) && !is(TokenKind::End)) {
    size_t start = position_;
    try {
      block->statements.push_back(parseStatement());
      endOfStatement();
    } catch (const Skip &) {
      skipStatement(start);
    }
    skipSeparators();
  }
  expect(TokenKind::RightBrace, "'}'");
  deepest_ = std::max(outer, deepest_ + 1);
  return block;
}

/// A word begins a statement unless what follows shows that it is a name in an expression.
bool Parser::startsWordStatement(std::string_view word) const {
  if (!isWord(word))
    return false;
  switch (peek(1).kind) {
  case TokenKind::Identifier:
  case TokenKind::Integer:
  case TokenKind::Float:
  case TokenKind::LeftParen:
  case TokenKind::LeftBracket:
  case TokenKind::Minus:
  case TokenKind::Not:
  case TokenKind::If:
  case TokenKind::True:
  case TokenKind::False:
    return true;
  default:
    return false;
  }
}

Stmt Parser::parseStatement() {
  Location location = peek().location;
  bool isNamed = peek(1).kind == TokenKind::Identifier;
  if (accept(TokenKind::Let)) {
    LetStmt let;
    let.pattern = parsePattern();
    if (accept(TokenKind::Colon))
      let.type = parseType();
    expect(TokenKind::Assign, "'='");
    let.value = parseExpr();
    return {location, std::move(let)};
  }
  if (isWord("state") && isNamed)
    return {location, parseState()};
  if (isWord("report") && isNamed)
    return {location, parseReport()};
  if (startsWordStatement("minimize"))
    return {location, parseMinimize()};
  if (startsWordStatement("descend")) {
    next();
    return {location, DescendStmt{parseExpr()}};
  }
  if (isWord("using") && isNamed)
    return {location, parseUsing()};
  if (startsWordStatement("expect")) {
    next();
    return {location, ExpectStmt{parseExpr()}};
  }
  if (isWord("after") && peek(1).kind == TokenKind::LeftBrace) {
    next();
    return {location, AfterStmt{parseBlock()}};
  }
  auto statement = parseAssignOrExpression();
  if (auto *assign = std::get_if<AssignStmt>(&statement))
    return {location, std::move(*assign)};
  return {location, std::move(std::get<ExprStmt>(statement))};
}

Stmt Parser::parseRule() {
  bool isUpdate = isWord("update") && (peek(1).kind == TokenKind::LeftParen ||
                                       (isWord("row", 1) && peek(2).kind == TokenKind::LeftParen));
  Location location = peek().location;
  if (isUpdate)
    return {location, parseUpdate()};
  return parseStatement();
}

StateStmt Parser::parseState() {
  StateStmt state;
  next();
  state.name = expectName("a name");
  if (accept(TokenKind::Colon))
    state.type = parseType();
  expect(TokenKind::Assign, "'=' and the start value");
  state.value = parseExpr();
  return state;
}

ReportStmt Parser::parseReport() {
  ReportStmt report;
  report.doc = next().doc;
  report.name = expectName("a name");
  if (accept(TokenKind::Assign))
    report.value = parseExpr();
  return report;
}

MinimizeStmt Parser::parseMinimize() {
  MinimizeStmt minimize;
  next();
  minimize.value = parseExpr();
  if (acceptWord("over"))
    minimize.over = parsePaths();
  return minimize;
}

UsingStmt Parser::parseUsing() {
  UsingStmt use;
  next();
  use.transform = parsePostfix();
  if (acceptWord("on"))
    use.on = parsePaths();
  return use;
}

UpdateStmt Parser::parseUpdate() {
  UpdateStmt update;
  next();
  update.perRow = acceptWord("row");
  update.parameters = parseParameters();
  update.block = parseBlock();
  return update;
}

std::variant<AssignStmt, ExprStmt> Parser::parseAssignOrExpression() {
  ExprPtr value = parseExpr();
  if (!is(TokenKind::LeftArrow))
    return ExprStmt{std::move(value)};
  next();
  AssignStmt assign;
  assign.target = std::move(value);
  assign.value = parseExpr();
  return assign;
}

std::vector<ExprPtr> Parser::parsePaths() {
  std::vector<ExprPtr> paths;
  do
    paths.push_back(parsePostfix());
  while (accept(TokenKind::Comma));
  return paths;
}

} // namespace apr::frontend
