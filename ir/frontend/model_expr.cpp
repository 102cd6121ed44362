// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/model_expr.h"

#include "ir/frontend/model_maker.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <stdexcept>

namespace apr::model {

using frontend::ExprPtr;

namespace {

/// A node whose parts are made when it is.
template <typename Make> Expr node(Make make, uint32_t childDepth, Where where) {
  auto source = [make, where](Maker &maker) {
    auto expr = std::make_unique<frontend::Expr>();
    expr->location = maker.locate(where);
    expr->node = make(maker);
    return expr;
  };
  return Expr(source, childDepth, where);
}

Expr number(std::string text, Where where) {
  return node([text](Maker &) { return frontend::NumberExpr{text}; }, 0, where);
}

Expr negated(Expr operand, Where where) {
  uint32_t depth = operand.depth();
  return node(
      [operand](Maker &maker) {
        return frontend::UnaryExpr{frontend::UnaryOp::Negate, maker.expr(operand)};
      },
      depth, where);
}

Expr binary(frontend::BinaryOp op, const Expr &a, const Expr &b) {
  Where where = a.where();
  return node(
      [op, a, b, where](Maker &maker) {
        ExprPtr left = maker.expr(a);
        return frontend::BinaryExpr{op, maker.locate(where), std::move(left), maker.expr(b)};
      },
      std::max(a.depth(), b.depth()), where);
}

uint32_t depthOf(const std::vector<Expr> &list) {
  uint32_t depth = 0;
  for (const Expr &expr : list)
    depth = std::max(depth, expr.depth());
  return depth;
}

} // namespace

Expr::Expr(Source source, uint32_t childDepth, Where where)
    : source_(std::make_shared<const Source>(std::move(source))), depth_(childDepth + 1),
      where_(where) {}

Expr::Expr(const char *path, Where where) : where_(where) {
  std::string text = path;
  size_t dot = text.rfind('.');
  if (dot != std::string::npos) {
    *this = Expr(text.substr(0, dot), where).member(text.substr(dot + 1));
    return;
  }
  *this = node([text](Maker &) { return frontend::NameExpr{text}; }, 0, where);
}

Expr Expr::integer(int64_t value, Where where) {
  if (value >= 0)
    return number(fmt::format("{}", value), where);
  return negated(number(fmt::format("{}", uint64_t{0} - static_cast<uint64_t>(value)), where),
                 where);
}

Expr Expr::decimal(double value, Where where) {
  if (std::isnan(value))
    throw std::invalid_argument("a number of a model is not NaN");
  if (std::signbit(value))
    return negated(decimal(-value, where), where);
  if (std::isinf(value))
    return Expr("inf", where);
  return number(fmt::format("{}", value), where);
}

Expr Expr::boolean(bool value, Where where) {
  return node([value](Maker &) { return frontend::BoolExpr{value}; }, 0, where);
}

ExprPtr Expr::make(Maker &maker) const {
  ExprPtr expr = (*source_)(maker);
  expr->depth = depth_;
  return expr;
}

Expr Expr::callWith(std::vector<Argument> arguments) const {
  uint32_t depth = depth_;
  for (const Argument &argument : arguments)
    depth = std::max(depth, argument.value.depth());
  Expr callee = *this;
  return node(
      [callee, arguments](Maker &maker) {
        frontend::CallExpr call;
        call.callee = maker.expr(callee);
        for (const Argument &argument : arguments) {
          frontend::ArgumentExpr made;
          if (!argument.name.empty())
            made.name = maker.name(argument.name, argument.value.where());
          made.value = maker.expr(argument.value);
          call.arguments.push_back(std::move(made));
        }
        return call;
      },
      depth, where_);
}

Expr Expr::operator[](Index index) const { return indexWith({std::move(index)}); }

Expr Expr::indexWith(std::vector<Index> indices) const {
  uint32_t depth = depth_;
  for (const Index &index : indices)
    for (const auto *part : {&index.first, &index.last, &index.stride})
      depth = std::max(depth, *part ? (*part)->depth() : 0);
  Expr object = *this;
  return node(
      [object, indices](Maker &maker) {
        frontend::IndexExpr made;
        made.object = maker.expr(object);
        for (const Index &index : indices) {
          frontend::Index part;
          part.kind = static_cast<frontend::Index::Kind>(index.kind);
          part.first = maker.expr(index.first);
          part.last = maker.expr(index.last);
          part.stride = maker.expr(index.stride);
          part.location = maker.locate(index.first ? index.first->where() : object.where());
          made.indices.push_back(std::move(part));
        }
        return made;
      },
      depth, where_);
}

Expr Expr::member(const std::string &name) const {
  Expr object = *this;
  Where where = where_;
  return node(
      [object, name, where](Maker &maker) {
        return frontend::MemberExpr{maker.expr(object), maker.name(name, where)};
      },
      depth_, where_);
}

// ---- operators ----

using frontend::BinaryOp;

Expr operator+(const Expr &a, const Expr &b) { return binary(BinaryOp::Add, a, b); }
Expr operator-(const Expr &a, const Expr &b) { return binary(BinaryOp::Subtract, a, b); }
Expr operator*(const Expr &a, const Expr &b) { return binary(BinaryOp::Multiply, a, b); }
Expr operator/(const Expr &a, const Expr &b) { return binary(BinaryOp::Divide, a, b); }
Expr operator%(const Expr &a, const Expr &b) { return binary(BinaryOp::Remainder, a, b); }
Expr operator==(const Expr &a, const Expr &b) { return binary(BinaryOp::Equal, a, b); }
Expr operator!=(const Expr &a, const Expr &b) { return binary(BinaryOp::NotEqual, a, b); }
Expr operator<(const Expr &a, const Expr &b) { return binary(BinaryOp::Less, a, b); }
Expr operator<=(const Expr &a, const Expr &b) { return binary(BinaryOp::LessEqual, a, b); }
Expr operator>(const Expr &a, const Expr &b) { return binary(BinaryOp::Greater, a, b); }
Expr operator>=(const Expr &a, const Expr &b) { return binary(BinaryOp::GreaterEqual, a, b); }
Expr operator&&(const Expr &a, const Expr &b) { return binary(BinaryOp::And, a, b); }
Expr operator||(const Expr &a, const Expr &b) { return binary(BinaryOp::Or, a, b); }
Expr floorDivide(const Expr &a, const Expr &b) { return binary(BinaryOp::FloorDivide, a, b); }
Expr power(const Expr &a, const Expr &b) { return binary(BinaryOp::Power, a, b); }
Expr matmul(const Expr &a, const Expr &b) { return binary(BinaryOp::MatrixMultiply, a, b); }

Expr operator!(const Expr &a) {
  return node(
      [a](Maker &maker) { return frontend::UnaryExpr{frontend::UnaryOp::Not, maker.expr(a)}; },
      a.depth(), a.where());
}

Expr operator-(const Expr &a) { return negated(a, a.where()); }

Expr operator|(const Expr &a, const Expr &f) {
  return node(
      [a, f](Maker &maker) {
        ExprPtr value = maker.expr(a);
        return frontend::PipeExpr{std::move(value), maker.expr(f)};
      },
      std::max(a.depth(), f.depth()), a.where());
}

Expr repeat(const Expr &count, const Expr &constructor) {
  return node(
      [count, constructor](Maker &maker) {
        ExprPtr times = maker.expr(count);
        return frontend::RepeatExpr{std::move(times), maker.expr(constructor)};
      },
      std::max(count.depth(), constructor.depth()), count.where());
}

// ---- primaries ----

Expr none(Where where) {
  return node([](Maker &) { return frontend::NoneExpr{}; }, 0, where);
}

Expr str(const std::string &text, Where where) {
  return node([text](Maker &) { return frontend::StringExpr{text}; }, 0, where);
}

Expr tuple(std::vector<Expr> elements, Where where) {
  uint32_t depth = depthOf(elements);
  return node([elements](Maker &maker) { return frontend::TupleExpr{maker.exprs(elements)}; },
              depth, where);
}

Expr list(std::vector<Expr> elements, Where where) {
  uint32_t depth = depthOf(elements);
  return node([elements](Maker &maker) { return frontend::ListExpr{maker.exprs(elements)}; }, depth,
              where);
}

Index slice(std::optional<Expr> first, std::optional<Expr> last, std::optional<Expr> stride) {
  Index index(Index::Kind::Slice);
  index.first = std::move(first);
  index.last = std::move(last);
  index.stride = std::move(stride);
  return index;
}

Type::Type(std::string name, Where where) : name(std::move(name)), where(where) {}

Type::Type(const char *name, Where where) : name(name), where(where) {}

Type::Type(std::vector<Field> fields, Where where) : fields(std::move(fields)), where(where) {}

Type Type::of(std::vector<Dim> sizes) const {
  Type type = *this;
  type.dims = std::move(sizes);
  type.hasBrackets = true;
  return type;
}

Type Type::optional() const {
  Type type = *this;
  type.isOptional = true;
  return type;
}

std::shared_ptr<const Statements> Body::run(const std::function<void(Block &)> &fill, Where where) {
  Block block;
  fill(block);
  return std::make_shared<const Statements>(
      Statements{std::move(block.sources), block.depth, where});
}

uint32_t depthOf(const Body &body) {
  if (auto *expr = std::get_if<Expr>(&body.content))
    return expr->depth();
  return std::get<std::shared_ptr<const Statements>>(body.content)->depth;
}

Expr fn(Parameters parameters, Body body, Where where) {
  uint32_t depth = depthOf(body);
  return node(
      [parameters, body, where](Maker &maker) {
        return frontend::FunctionExpr{std::make_unique<frontend::FunctionDecl>(
            maker.function("", parameters, std::nullopt, body, where))};
      },
      depth, where);
}

Expr when(const Expr &condition, Body then, Where where) {
  uint32_t depth = std::max(condition.depth(), depthOf(then));
  return node(
      [condition, then](Maker &maker) {
        frontend::IfExpr branch;
        branch.condition = maker.expr(condition);
        branch.then = maker.block(then);
        return branch;
      },
      depth, where);
}

Expr when(const Expr &condition, Body then, Body otherwise, Where where) {
  uint32_t depth = depthOf(otherwise);
  Expr block =
      node([otherwise](Maker &maker) { return frontend::BlockExpr{maker.block(otherwise)}; }, depth,
           where);
  return whenElse(condition, std::move(then), std::move(block), where);
}

Expr whenElse(const Expr &condition, Body then, Expr otherwise, Where where) {
  uint32_t depth = std::max({condition.depth(), depthOf(then), otherwise.depth()});
  return node(
      [condition, then, otherwise](Maker &maker) {
        frontend::IfExpr branch;
        branch.condition = maker.expr(condition);
        branch.then = maker.block(then);
        branch.otherwise = maker.expr(otherwise);
        return branch;
      },
      depth, where);
}

} // namespace apr::model
