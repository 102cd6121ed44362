// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/model_maker.h"

#include "ir/frontend/parser.h"

#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace apr::model {

namespace {

/// Bounds a program that shares expressions so often that its tree grows without end.
constexpr size_t kMaximumNodes = 4'000'000;
constexpr std::streamsize kMaximumSourceBytes = std::streamsize{16} << 20;

/// The text of a C++ file, for the lines that messages show; empty where it is not at hand.
std::string readSource(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() > kMaximumSourceBytes)
    return {};
  file.seekg(0);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace

Location Maker::locate(const Where &where) {
  if (where.line() == 0)
    return place_;
  std::string path = where.file_name();
  auto [known, isNew] = files_.try_emplace(path, kNoFile);
  if (isNew)
    known->second = sources_.add(path, readSource(path));
  return {known->second, where.line(), where.column(), 1};
}

frontend::ExprPtr Maker::expr(const Expr &expr) {
  if (expr.depth() > frontend::kMaximumNesting || ++nodes_ > kMaximumNodes) {
    diagnostics_.report(DiagnosticKind::TooLarge, locate(expr.where()),
                        fmt::format("an expression of more than {} levels or {} parts",
                                    frontend::kMaximumNesting, kMaximumNodes));
    throw TooLarge{};
  }
  return expr.make(*this);
}

frontend::ExprPtr Maker::expr(const std::optional<Expr> &expr) {
  return expr ? this->expr(*expr) : nullptr;
}

std::vector<frontend::ExprPtr> Maker::exprs(const std::vector<Expr> &list) {
  std::vector<frontend::ExprPtr> made;
  for (const Expr &element : list)
    made.push_back(expr(element));
  return made;
}

frontend::Pattern Maker::pattern(const Pattern &pattern) {
  frontend::Pattern made;
  made.location = locate(pattern.where);
  made.name = pattern.name;
  for (const Pattern &element : pattern.elements)
    made.elements.push_back(this->pattern(element));
  return made;
}

frontend::TypePtr Maker::type(const std::optional<Type> &type) {
  return type ? makeType(*type) : nullptr;
}

frontend::TypePtr Maker::makeType(const Type &type) {
  auto made = std::make_unique<frontend::TypeExpr>();
  made->location = locate(type.where);
  made->name = type.name;
  made->hasBrackets = type.hasBrackets;
  made->isOptional = type.isOptional;
  for (const Dim &dim : type.dims) {
    frontend::DimExpr size;
    size.location = dim.size ? locate(dim.size->where()) : made->location;
    size.isRest = dim.rest.has_value();
    size.restName = dim.rest ? dim.rest->name : std::string();
    size.expr = expr(dim.size);
    made->dims.push_back(std::move(size));
  }
  for (const Type::Field &field : type.fields) {
    frontend::TypeField part;
    if (!field.name.empty())
      part.name = name(field.name, field.type.where);
    part.type = makeType(field.type);
    made->fields.push_back(std::move(part));
  }
  return made;
}

std::vector<frontend::Parameter> Maker::parameters(const Parameters &parameters) {
  std::vector<frontend::Parameter> made;
  for (const Parameter &parameter : parameters) {
    Place place(*this, parameter.pattern.where);
    frontend::Parameter part;
    part.pattern = pattern(parameter.pattern);
    part.type = type(parameter.type);
    part.defaultValue = expr(parameter.value);
    part.doc = parameter.documentation;
    made.push_back(std::move(part));
  }
  return made;
}

frontend::Body Maker::body(const Body &body) {
  if (auto *value = std::get_if<Expr>(&body.content))
    return {expr(*value), nullptr};
  return {nullptr, block(body)};
}

std::unique_ptr<frontend::Block> Maker::block(const Body &body) {
  auto made = std::make_unique<frontend::Block>();
  if (auto *value = std::get_if<Expr>(&body.content)) {
    made->location = locate(value->where());
    made->statements.push_back({made->location, frontend::ExprStmt{expr(*value)}});
    return made;
  }
  const auto &statements = *std::get<std::shared_ptr<const Statements>>(body.content);
  made->location = locate(statements.where);
  for (const Block::Source &source : statements.sources)
    made->statements.push_back(source(*this));
  return made;
}

frontend::FunctionDecl Maker::function(const std::string &name, const Parameters &parameters,
                                       const std::optional<Type> &result, const Body &body,
                                       const Where &where) {
  frontend::FunctionDecl made;
  made.location = locate(where);
  made.name = name;
  made.parameters = this->parameters(parameters);
  Place place(*this, where);
  made.result = type(result);
  made.body = this->body(body);
  return made;
}

} // namespace apr::model
