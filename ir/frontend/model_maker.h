// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/frontend/ast.h"
#include "ir/frontend/model_builder.h"

namespace apr::model {

/// Statements of a block with what is known of them before they are made.
struct Statements {
  std::vector<Block::Source> sources;
  uint32_t depth = 1;
  Where where;
};

uint32_t depthOf(const Body &body);

/// Makes the syntax tree of a program, with places in C++ files.
class Maker {
public:
  Maker(SourceManager &sources, Diagnostics &diagnostics)
      : sources_(sources), diagnostics_(diagnostics) {}

  /// Thrown after an error was reported.
  struct TooLarge {};

  Location locate(const Where &where);
  frontend::Name name(const std::string &text, const Where &where) { return {text, locate(where)}; }
  frontend::ExprPtr expr(const Expr &expr);
  frontend::ExprPtr expr(const std::optional<Expr> &expr);
  std::vector<frontend::ExprPtr> exprs(const std::vector<Expr> &list);
  frontend::Pattern pattern(const Pattern &pattern);
  frontend::TypePtr type(const std::optional<Type> &type);
  std::vector<frontend::Parameter> parameters(const Parameters &parameters);
  frontend::Body body(const Body &body);
  /// The body as a block; an expression becomes its only statement.
  std::unique_ptr<frontend::Block> block(const Body &body);
  frontend::FunctionDecl function(const std::string &name, const Parameters &parameters,
                                  const std::optional<Type> &result, const Body &body,
                                  const Where &where);

  /// The place of what does not know its own.
  class Place;

private:
  frontend::TypePtr makeType(const Type &type);

  SourceManager &sources_;
  Diagnostics &diagnostics_;
  std::map<std::string, FileId> files_;
  Location place_;
  size_t nodes_ = 0;
};

class Maker::Place {
public:
  Place(Maker &maker, const Where &where)
      : maker_(maker), outer_(std::exchange(maker.place_, maker.locate(where))) {}
  ~Place() { maker_.place_ = outer_; }

private:
  Maker &maker_;
  Location outer_;
};

} // namespace apr::model
