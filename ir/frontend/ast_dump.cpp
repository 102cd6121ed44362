// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/ast.h"

#include <fmt/format.h>

namespace apr::frontend {

namespace {

constexpr std::string_view kBinaryNames[] = {"+",  "-",  "*", "/",  "//", "%",  "**",  "@",
                                             "==", "!=", "<", "<=", ">",  ">=", "and", "or"};

/// Writes one line per node; children stand two columns further in.
class Dumper {
public:
  std::string text;

  void file(const File &file) {
    for (const Item &item : file.items)
      std::visit([&](const auto &node) { dump(node, item.location); }, item.node);
  }

private:
  void line(std::string content, Location location) {
    text += fmt::format("{}{}  @{}:{}\n", std::string(depth_ * 2, ' '), content, location.line,
                        location.column);
  }
  template <typename Children> void nest(const Children &children) {
    ++depth_;
    children();
    --depth_;
  }

  void dump(const Import &node, Location location) {
    std::string names;
    for (const Name &name : node.names)
      names += " " + name.text;
    line(fmt::format("import \"{}\":{}", node.path, names), location);
  }
  void dump(const FunctionDecl &node, Location location) {
    line(fmt::format("fn {}", node.name), location);
    nest([&] {
      parameters(node.parameters);
      if (node.result)
        type("result", *node.result);
      body(node.body);
      if (node.gradient) {
        line("gradient", location);
        nest([&] {
          parameters(node.gradientParameters);
          body(*node.gradient);
        });
      }
    });
  }
  void dump(const Layer &node, Location location) {
    line(fmt::format("{} {}", node.isModel ? "model" : "layer", node.name.text), location);
    nest([&] {
      parameters(node.parameters);
      for (const Member &member : node.members)
        std::visit([&](const auto &inner) { dump(inner, member.location); }, member.node);
    });
  }
  void dump(const Optimizer &node, Location location) {
    line(fmt::format("optimizer {}", node.name.text), location);
    nest([&] {
      parameters(node.parameters);
      for (const Stmt &rule : node.rules)
        statement(rule);
    });
  }
  void dump(const Test &node, Location location) {
    line(fmt::format("test \"{}\"", node.title), location);
    nest([&] { block(node.block); });
  }
  void dump(const Binding &node, Location location) {
    line(fmt::format("binding {}", node.name.text), location);
    nest([&] {
      if (node.type)
        type("type", *node.type);
      expr(*node.value);
    });
  }
  void dump(const StateMember &node, Location location) {
    bool isParam = node.kind == StateMember::Kind::Param;
    line(fmt::format("{} {}", isParam ? "param" : "buffer", node.name.text), location);
    nest([&] {
      type("type", *node.type);
      expr(*node.start);
    });
  }
  void dump(const FreezeMember &node, Location location) {
    line("freeze", location);
    nest([&] { exprs(node.paths); });
  }
  void dump(const EntryMember &node, Location location) {
    line("entry", location);
    nest([&] { dump(node.function, node.function.location); });
  }
  void dump(const TrainMember &node, Location location) {
    line(fmt::format("train {}", node.name.text), location);
    nest([&] {
      parameters(node.parameters);
      if (node.shards)
        expr(*node.shards);
      block(node.block);
    });
  }

  void parameters(const std::vector<Parameter> &list) {
    for (const Parameter &parameter : list) {
      line(fmt::format("parameter {}", pattern(parameter.pattern)), parameter.pattern.location);
      nest([&] {
        if (parameter.type)
          type("type", *parameter.type);
        if (parameter.defaultValue)
          expr(*parameter.defaultValue);
      });
    }
  }
  std::string pattern(const Pattern &node) {
    if (node.elements.empty())
      return node.name;
    std::string inner;
    for (const Pattern &element : node.elements)
      inner += (inner.empty() ? "" : ", ") + pattern(element);
    return fmt::format("({})", inner);
  }
  void type(std::string_view role, const TypeExpr &node) {
    line(fmt::format("{} {}{}", role, node.name.empty() ? "tuple" : node.name,
                     node.isOptional ? "?" : ""),
         node.location);
    nest([&] {
      for (const DimExpr &dim : node.dims) {
        if (dim.isRest)
          line(".." + dim.restName, dim.location);
        else
          expr(*dim.expr);
      }
      for (const TypeField &field : node.fields)
        type(field.name ? field.name->text : "field", *field.type);
    });
  }
  void body(const Body &node) {
    if (node.expr)
      expr(*node.expr);
    else
      block(*node.block);
  }
  void block(const Block &node) {
    for (const Stmt &stmt : node.statements)
      statement(stmt);
  }

  void statement(const Stmt &stmt) {
    std::visit([&](const auto &node) { dumpStatement(node, stmt.location); }, stmt.node);
  }
  void dumpStatement(const LetStmt &node, Location location) {
    line(fmt::format("let {}", pattern(node.pattern)), location);
    nest([&] {
      if (node.type)
        type("type", *node.type);
      expr(*node.value);
    });
  }
  void dumpStatement(const StateStmt &node, Location location) {
    line(fmt::format("state {}", node.name.text), location);
    nest([&] {
      if (node.type)
        type("type", *node.type);
      expr(*node.value);
    });
  }
  void dumpStatement(const AssignStmt &node, Location location) {
    line("assign", location);
    nest([&] {
      expr(*node.target);
      expr(*node.value);
    });
  }
  void dumpStatement(const ReportStmt &node, Location location) {
    line(fmt::format("report {}", node.name.text), location);
    if (node.value)
      nest([&] { expr(*node.value); });
  }
  void dumpStatement(const MinimizeStmt &node, Location location) {
    line(node.over.empty() ? "minimize" : "minimize over", location);
    nest([&] {
      expr(*node.value);
      exprs(node.over);
    });
  }
  void dumpStatement(const DescendStmt &node, Location location) {
    line("descend", location);
    nest([&] { expr(*node.value); });
  }
  void dumpStatement(const UsingStmt &node, Location location) {
    line(node.on.empty() ? "using" : "using on", location);
    nest([&] {
      expr(*node.transform);
      exprs(node.on);
    });
  }
  void dumpStatement(const ExpectStmt &node, Location location) {
    line("expect", location);
    nest([&] { expr(*node.condition); });
  }
  void dumpStatement(const AfterStmt &node, Location location) {
    line("after", location);
    nest([&] { block(*node.block); });
  }
  void dumpStatement(const UpdateStmt &node, Location location) {
    line(node.perRow ? "update row" : "update", location);
    nest([&] {
      parameters(node.parameters);
      block(*node.block);
    });
  }
  void dumpStatement(const ExprStmt &node, Location) { expr(*node.value); }

  void exprs(const std::vector<ExprPtr> &list) {
    for (const ExprPtr &element : list)
      expr(*element);
  }
  void optional(const ExprPtr &node) {
    if (node)
      expr(*node);
  }
  void expr(const Expr &node) {
    std::visit([&](const auto &inner) { dumpExpr(inner, node.location); }, node.node);
  }
  void dumpExpr(const NameExpr &node, Location location) {
    line(fmt::format("name {}", node.name), location);
  }
  void dumpExpr(const NumberExpr &node, Location location) {
    line(fmt::format("number {}", node.text), location);
  }
  void dumpExpr(const StringExpr &node, Location location) {
    line(fmt::format("string \"{}\"", node.text), location);
  }
  void dumpExpr(const BoolExpr &node, Location location) {
    line(node.value ? "true" : "false", location);
  }
  void dumpExpr(const NoneExpr &, Location location) { line("none", location); }
  void dumpExpr(const TupleExpr &node, Location location) {
    line("tuple", location);
    nest([&] { exprs(node.elements); });
  }
  void dumpExpr(const ListExpr &node, Location location) {
    line("list", location);
    nest([&] { exprs(node.elements); });
  }
  void dumpExpr(const MemberExpr &node, Location location) {
    line(fmt::format("member {}", node.member.text), location);
    nest([&] { expr(*node.object); });
  }
  void dumpExpr(const CallExpr &node, Location location) {
    line("call", location);
    nest([&] {
      expr(*node.callee);
      for (const ArgumentExpr &argument : node.arguments) {
        if (argument.name)
          line(fmt::format("argument {}", argument.name->text), argument.name->location);
        expr(*argument.value);
      }
    });
  }
  void dumpExpr(const IndexExpr &node, Location location) {
    line("index", location);
    nest([&] {
      expr(*node.object);
      for (const Index &index : node.indices) {
        if (index.kind == Index::Kind::Element) {
          expr(*index.first);
          continue;
        }
        line(index.kind == Index::Kind::Rest ? ".." : "slice", index.location);
        nest([&] {
          optional(index.first);
          optional(index.last);
          optional(index.stride);
        });
      }
    });
  }
  void dumpExpr(const UnaryExpr &node, Location location) {
    line(node.op == UnaryOp::Negate ? "negate" : "not", location);
    nest([&] { expr(*node.operand); });
  }
  void dumpExpr(const BinaryExpr &node, Location) {
    line(fmt::format("binary {}", kBinaryNames[static_cast<size_t>(node.op)]), node.opLocation);
    nest([&] {
      expr(*node.left);
      expr(*node.right);
    });
  }
  void dumpExpr(const RepeatExpr &node, Location location) {
    line("repeat", location);
    nest([&] {
      expr(*node.count);
      expr(*node.constructor);
    });
  }
  void dumpExpr(const PipeExpr &node, Location location) {
    line("pipe", location);
    nest([&] {
      expr(*node.value);
      expr(*node.call);
    });
  }
  void dumpExpr(const IfExpr &node, Location location) {
    line("if", location);
    nest([&] {
      expr(*node.condition);
      block(*node.then);
      optional(node.otherwise);
    });
  }
  void dumpExpr(const BlockExpr &node, Location location) {
    line("else", location);
    nest([&] { block(*node.block); });
  }
  void dumpExpr(const FunctionExpr &node, Location location) { dump(*node.function, location); }

  size_t depth_ = 0;
};

} // namespace

std::string dumpAst(const File &file) {
  Dumper dumper;
  dumper.file(file);
  return std::move(dumper.text);
}

} // namespace apr::frontend
