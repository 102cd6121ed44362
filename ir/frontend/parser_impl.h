// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/parser.h"
#include "ir/frontend/token.h"

namespace apr::frontend {

/// A recursive-descent parser, one function per rule of the grammar in docs/language.md.
/// parser.cpp reads items and statements, parse_expression.cpp expressions, types and patterns.
class Parser {
public:
  Parser(std::vector<Token> tokens, Diagnostics &diagnostics)
      : tokens_(std::move(tokens)), diagnostics_(diagnostics) {}

  std::vector<Item> parseFile();

private:
  /// Thrown after a syntax error was reported; caught where a statement can be skipped.
  struct Skip {};

  /// Counts one level of nesting while it lives.
  class Nested {
  public:
    explicit Nested(Parser &parser);
    ~Nested() { --parser_.nesting_; }

  private:
    Parser &parser_;
  };

  // Tokens.
  const Token &peek(size_t offset = 0) const;
  bool is(TokenKind kind) const { return peek().kind == kind; }
  bool isWord(std::string_view word, size_t offset = 0) const;
  Token next();
  bool accept(TokenKind kind);
  bool acceptWord(std::string_view word);
  Token expect(TokenKind kind, std::string_view what);
  Name expectName(std::string_view what);
  [[noreturn]] void fail(std::string_view expected);
  std::string hintHere() const;
  [[noreturn]] void failAt(Location location, std::string message, std::string hint = {});
  void skipStatement(size_t start);
  void skipSeparators();
  void endOfStatement();

  // Items and members.
  Item parseItem();
  Import parseImport();
  Layer parseLayer(bool isModel);
  Member parseMember();
  StateMember parseStateMember(StateMember::Kind kind, std::string doc);
  TrainMember parseTrain();
  EntryMember parseEntry();
  Optimizer parseOptimizer();
  Test parseTest();
  FunctionDecl parseFunction();
  FunctionDecl parseFunctionRest(FunctionDecl function);
  Binding parseBinding();

  // Statements.
  std::unique_ptr<Block> parseBlock();
  Stmt parseStatement();
  Stmt parseRule();
  bool startsWordStatement(std::string_view word) const;
  StateStmt parseState();
  ReportStmt parseReport();
  MinimizeStmt parseMinimize();
  UsingStmt parseUsing();
  UpdateStmt parseUpdate();
  std::variant<AssignStmt, ExprStmt> parseAssignOrExpression();
  std::vector<ExprPtr> parsePaths();
  Body parseBody();

  // Expressions, types, patterns.
  ExprPtr parseExpr();
  ExprPtr parsePipe();
  ExprPtr parseOr();
  ExprPtr parseAnd();
  ExprPtr parseNot();
  ExprPtr parseCompare();
  ExprPtr parseSum();
  ExprPtr parseTerm();
  ExprPtr parseUnary();
  ExprPtr parsePower();
  ExprPtr parseRepeat();
  ExprPtr parsePostfix();
  ExprPtr parseCall(ExprPtr callee);
  ExprPtr parseIndexing(ExprPtr object);
  Index parseIndex();
  ExprPtr parsePrimary();
  ExprPtr parseParenthesized();
  ExprPtr parseList();
  ExprPtr parseIf();
  ExprPtr parseFunctionValue();
  ExprPtr makeBinary(BinaryOp op, Location opLocation, ExprPtr left, ExprPtr right);
  template <typename Node> ExprPtr make(Location location, uint32_t childDepth, Node node);

  TypePtr parseType();
  TypePtr parseTupleType();
  std::vector<DimExpr> parseDims();
  Pattern parsePattern();
  std::vector<Parameter> parseParameters();

  std::vector<Token> tokens_;
  Diagnostics &diagnostics_;
  size_t position_ = 0;
  uint32_t nesting_ = 0;
  uint32_t deepest_ = 0; ///< height of the highest expression in the innermost open block
};

} // namespace apr::frontend
