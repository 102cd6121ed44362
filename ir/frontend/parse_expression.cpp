// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/parser_impl.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

Location join(Location first, Location last) {
  if (first.file == last.file && first.line == last.line && last.column >= first.column)
    first.length = std::max(first.length, last.column + last.length - first.column);
  return first;
}

/// Every node is built here, so a tree of any shape keeps the bound on its height.
template <typename Node> ExprPtr Parser::make(Location location, uint32_t childDepth, Node node) {
  if (childDepth >= kMaximumNesting)
    failAt(location, fmt::format("expression of more than {} levels", kMaximumNesting),
           "split it into several let statements");
  auto expr = std::make_unique<Expr>();
  expr->location = location;
  expr->depth = childDepth + 1;
  expr->node = std::move(node);
  deepest_ = std::max(deepest_, expr->depth);
  return expr;
}

ExprPtr Parser::makeBinary(BinaryOp op, Location opLocation, ExprPtr left, ExprPtr right) {
  Location location = join(left->location, right->location);
  uint32_t depth = std::max(left->depth, right->depth);
  return make(location, depth, BinaryExpr{op, opLocation, std::move(left), std::move(right)});
}

namespace {

std::optional<BinaryOp> comparisonOf(TokenKind kind) {
  switch (kind) {
  case TokenKind::Equal:
    return BinaryOp::Equal;
  case TokenKind::NotEqual:
    return BinaryOp::NotEqual;
  case TokenKind::Less:
    return BinaryOp::Less;
  case TokenKind::LessEqual:
    return BinaryOp::LessEqual;
  case TokenKind::Greater:
    return BinaryOp::Greater;
  case TokenKind::GreaterEqual:
    return BinaryOp::GreaterEqual;
  default:
    return std::nullopt;
  }
}

std::optional<BinaryOp> productOf(TokenKind kind) {
  switch (kind) {
  case TokenKind::Star:
    return BinaryOp::Multiply;
  case TokenKind::Slash:
    return BinaryOp::Divide;
  case TokenKind::SlashSlash:
    return BinaryOp::FloorDivide;
  case TokenKind::Percent:
    return BinaryOp::Remainder;
  case TokenKind::At:
    return BinaryOp::MatrixMultiply;
  default:
    return std::nullopt;
  }
}

} // namespace

ExprPtr Parser::parseExpr() {
  Nested nested(*this);
  return is(TokenKind::Fn) ? parseFunctionValue() : parsePipe();
}

ExprPtr Parser::parseFunctionValue() {
  FunctionDecl function;
  uint32_t outer = std::exchange(deepest_, 0);
  function.location = next().location;
  if (is(TokenKind::Identifier))
    failAt(peek().location, "a function value has no name",
           "write 'fn (x) = …', or define the function as an item or member");
  function.parameters = parseParameters();
  function.body = parseBody();
  uint32_t inner = deepest_;
  deepest_ = std::max(outer, inner);
  Location location = function.location;
  return make(location, inner, FunctionExpr{std::make_unique<FunctionDecl>(std::move(function))});
}

ExprPtr Parser::parsePipe() {
  ExprPtr value = parseOr();
  while (accept(TokenKind::Pipe)) {
    ExprPtr call = parsePostfix();
    Location location = join(value->location, call->location);
    uint32_t depth = std::max(value->depth, call->depth);
    value = make(location, depth, PipeExpr{std::move(value), std::move(call)});
  }
  return value;
}

ExprPtr Parser::parseOr() {
  ExprPtr left = parseAnd();
  while (is(TokenKind::Or)) {
    Location op = next().location;
    left = makeBinary(BinaryOp::Or, op, std::move(left), parseAnd());
  }
  return left;
}

ExprPtr Parser::parseAnd() {
  ExprPtr left = parseNot();
  while (is(TokenKind::And)) {
    Location op = next().location;
    left = makeBinary(BinaryOp::And, op, std::move(left), parseNot());
  }
  return left;
}

ExprPtr Parser::parseNot() {
  if (!is(TokenKind::Not))
    return parseCompare();
  Nested nested(*this);
  Location location = next().location;
  ExprPtr operand = parseNot();
  uint32_t depth = operand->depth;
  location = join(location, operand->location);
  return make(location, depth, UnaryExpr{UnaryOp::Not, std::move(operand)});
}

ExprPtr Parser::parseCompare() {
  ExprPtr left = parseSum();
  auto op = comparisonOf(peek().kind);
  if (!op)
    return left;
  Location location = next().location;
  left = makeBinary(*op, location, std::move(left), parseSum());
  if (comparisonOf(peek().kind))
    failAt(peek().location, "comparisons cannot be chained", "write 'a < b and b < c'");
  return left;
}

ExprPtr Parser::parseSum() {
  ExprPtr left = parseTerm();
  while (is(TokenKind::Plus) || is(TokenKind::Minus)) {
    BinaryOp op = is(TokenKind::Plus) ? BinaryOp::Add : BinaryOp::Subtract;
    Location location = next().location;
    left = makeBinary(op, location, std::move(left), parseTerm());
  }
  return left;
}

ExprPtr Parser::parseTerm() {
  ExprPtr left = parseUnary();
  while (auto op = productOf(peek().kind)) {
    Location location = next().location;
    left = makeBinary(*op, location, std::move(left), parseUnary());
  }
  return left;
}

ExprPtr Parser::parseUnary() {
  if (!is(TokenKind::Minus))
    return parsePower();
  Nested nested(*this);
  Location location = next().location;
  ExprPtr operand = parseUnary();
  uint32_t depth = operand->depth;
  location = join(location, operand->location);
  return make(location, depth, UnaryExpr{UnaryOp::Negate, std::move(operand)});
}

ExprPtr Parser::parsePower() {
  ExprPtr base = parseRepeat();
  if (!is(TokenKind::StarStar))
    return base;
  Nested nested(*this);
  Location op = next().location;
  return makeBinary(BinaryOp::Power, op, std::move(base), parseUnary());
}

/// The name `x` is the word "times" between an operand and a constructor on one line.
ExprPtr Parser::parseRepeat() {
  ExprPtr count = parsePostfix();
  bool isTimes = isWord("x") && peek(1).kind == TokenKind::Identifier &&
                 peek(1).location.line == peek().location.line;
  if (!isTimes)
    return count;
  next();
  ExprPtr constructor = parsePostfix();
  Location location = join(count->location, constructor->location);
  uint32_t depth = std::max(count->depth, constructor->depth);
  return make(location, depth, RepeatExpr{std::move(count), std::move(constructor)});
}

ExprPtr Parser::parsePostfix() {
  ExprPtr expr = parsePrimary();
  while (true) {
    if (accept(TokenKind::Dot)) {
      Name member = expectName("a member's name after '.'");
      Location location = join(expr->location, member.location);
      uint32_t depth = expr->depth;
      expr = make(location, depth, MemberExpr{std::move(expr), std::move(member)});
    } else if (is(TokenKind::LeftParen)) {
      expr = parseCall(std::move(expr));
    } else if (is(TokenKind::LeftBracket)) {
      expr = parseIndexing(std::move(expr));
    } else {
      return expr;
    }
  }
}

ExprPtr Parser::parseCall(ExprPtr callee) {
  next();
  CallExpr call;
  uint32_t depth = callee->depth;
  Location begin = callee->location;
  call.callee = std::move(callee);
  while (!is(TokenKind::RightParen)) {
    ArgumentExpr argument;
    if (is(TokenKind::Identifier) && peek(1).kind == TokenKind::Assign) {
      argument.name = expectName("a name");
      next();
    }
    argument.value = parseExpr();
    depth = std::max(depth, argument.value->depth);
    call.arguments.push_back(std::move(argument));
    if (!accept(TokenKind::Comma))
      break;
  }
  Token end = expect(TokenKind::RightParen, "',' or ')'");
  return make(join(begin, end.location), depth, std::move(call));
}

ExprPtr Parser::parseIndexing(ExprPtr object) {
  next();
  IndexExpr indexing;
  uint32_t depth = object->depth;
  Location begin = object->location;
  indexing.object = std::move(object);
  do {
    Index index = parseIndex();
    for (const ExprPtr *part : {&index.first, &index.last, &index.stride})
      if (*part)
        depth = std::max(depth, (*part)->depth);
    indexing.indices.push_back(std::move(index));
  } while (accept(TokenKind::Comma));
  Token end = expect(TokenKind::RightBracket, "',' or ']'");
  return make(join(begin, end.location), depth, std::move(indexing));
}

Index Parser::parseIndex() {
  Index index;
  index.location = peek().location;
  if (accept(TokenKind::DotDot)) {
    index.kind = Index::Kind::Rest;
    return index;
  }
  if (!is(TokenKind::Colon))
    index.first = parseExpr();
  if (!accept(TokenKind::Colon))
    return index;
  index.kind = Index::Kind::Slice;
  bool atEnd = is(TokenKind::Colon) || is(TokenKind::Comma) || is(TokenKind::RightBracket);
  if (!atEnd)
    index.last = parseExpr();
  if (accept(TokenKind::Colon))
    index.stride = parseExpr();
  return index;
}

ExprPtr Parser::parsePrimary() {
  Token token = peek();
  switch (token.kind) {
  case TokenKind::Identifier:
    next();
    return make(token.location, 0, NameExpr{std::string(token.text)});
  case TokenKind::Integer:
  case TokenKind::Float:
    next();
    return make(token.location, 0, NumberExpr{std::string(token.text)});
  case TokenKind::String:
    next();
    return make(token.location, 0, StringExpr{std::string(token.text)});
  case TokenKind::True:
  case TokenKind::False:
    next();
    return make(token.location, 0, BoolExpr{token.kind == TokenKind::True});
  case TokenKind::None:
    next();
    return make(token.location, 0, NoneExpr{});
  case TokenKind::If:
    return parseIf();
  case TokenKind::LeftParen:
    return parseParenthesized();
  case TokenKind::LeftBracket:
    return parseList();
  default:
    fail("an expression");
  }
}

ExprPtr Parser::parseParenthesized() {
  Location begin = next().location;
  ExprPtr first = parseExpr();
  if (!is(TokenKind::Comma)) {
    expect(TokenKind::RightParen, "')'");
    return first;
  }
  TupleExpr tuple;
  uint32_t depth = first->depth;
  tuple.elements.push_back(std::move(first));
  while (accept(TokenKind::Comma) && !is(TokenKind::RightParen)) {
    tuple.elements.push_back(parseExpr());
    depth = std::max(depth, tuple.elements.back()->depth);
  }
  Token end = expect(TokenKind::RightParen, "',' or ')'");
  return make(join(begin, end.location), depth, std::move(tuple));
}

ExprPtr Parser::parseList() {
  Location begin = next().location;
  ListExpr list;
  uint32_t depth = 0;
  while (!is(TokenKind::RightBracket)) {
    list.elements.push_back(parseExpr());
    depth = std::max(depth, list.elements.back()->depth);
    if (!accept(TokenKind::Comma))
      break;
  }
  Token end = expect(TokenKind::RightBracket, "',' or ']'");
  return make(join(begin, end.location), depth, std::move(list));
}

ExprPtr Parser::parseIf() {
  Nested nested(*this);
  Location location = next().location;
  uint32_t outer = std::exchange(deepest_, 0);
  IfExpr branch;
  branch.condition = parseExpr();
  branch.then = parseBlock();
  if (accept(TokenKind::Else)) {
    if (is(TokenKind::If)) {
      branch.otherwise = parseIf();
    } else {
      Location begin = peek().location;
      auto block = parseBlock();
      branch.otherwise = make(begin, deepest_, BlockExpr{std::move(block)});
    }
  }
  uint32_t inner = deepest_;
  deepest_ = std::max(outer, inner);
  return make(location, inner, std::move(branch));
}

// ---- types and patterns ----

TypePtr Parser::parseType() {
  Nested nested(*this);
  if (is(TokenKind::LeftParen))
    return parseTupleType();
  auto type = std::make_unique<TypeExpr>();
  if (!is(TokenKind::Identifier) && !is(TokenKind::Fn))
    fail("a type");
  Token name = next();
  type->location = name.location;
  type->name = name.text;
  if (is(TokenKind::LeftBracket)) {
    type->hasBrackets = true;
    type->dims = parseDims();
    type->location = join(type->location, tokens_[position_ - 1].location);
  }
  type->isOptional = accept(TokenKind::Question);
  return type;
}

TypePtr Parser::parseTupleType() {
  auto type = std::make_unique<TypeExpr>();
  type->location = next().location;
  do {
    TypeField field;
    if (is(TokenKind::Identifier) && peek(1).kind == TokenKind::Colon) {
      field.name = expectName("a name");
      next();
    }
    field.type = parseType();
    type->fields.push_back(std::move(field));
  } while (accept(TokenKind::Comma));
  Token end = expect(TokenKind::RightParen, "',' or ')'");
  type->location = join(type->location, end.location);
  if (type->fields.size() < 2)
    failAt(type->location, "a tuple type has at least two fields");
  return type;
}

std::vector<DimExpr> Parser::parseDims() {
  std::vector<DimExpr> dims;
  next();
  while (!is(TokenKind::RightBracket)) {
    DimExpr dim;
    dim.location = peek().location;
    if (accept(TokenKind::DotDot)) {
      dim.isRest = true;
      if (is(TokenKind::Identifier))
        dim.restName = next().text;
      dim.location = join(dim.location, tokens_[position_ - 1].location);
    } else {
      dim.expr = parseSum();
      dim.location = dim.expr->location;
    }
    dims.push_back(std::move(dim));
    if (!accept(TokenKind::Comma))
      break;
  }
  expect(TokenKind::RightBracket, "',' or ']'");
  return dims;
}

Pattern Parser::parsePattern() {
  Nested nested(*this);
  Pattern pattern;
  pattern.location = peek().location;
  if (!accept(TokenKind::LeftParen)) {
    pattern.name = expectName("a name").text;
    return pattern;
  }
  do
    pattern.elements.push_back(parsePattern());
  while (accept(TokenKind::Comma));
  Token end = expect(TokenKind::RightParen, "',' or ')'");
  pattern.location = join(pattern.location, end.location);
  if (pattern.elements.size() < 2)
    failAt(pattern.location, "a tuple pattern has at least two names");
  return pattern;
}

std::vector<Parameter> Parser::parseParameters() {
  std::vector<Parameter> parameters;
  expect(TokenKind::LeftParen, "'('");
  while (!is(TokenKind::RightParen)) {
    Parameter parameter;
    parameter.doc = peek().doc;
    parameter.pattern = parsePattern();
    if (accept(TokenKind::Colon))
      parameter.type = parseType();
    if (accept(TokenKind::Assign))
      parameter.defaultValue = parseExpr();
    parameters.push_back(std::move(parameter));
    if (!accept(TokenKind::Comma))
      break;
  }
  expect(TokenKind::RightParen, "',' or ')'");
  return parameters;
}

} // namespace apr::frontend
