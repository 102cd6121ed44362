// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program written in C++ and one written in the language have the same tree and the same IR, for
// every kind of node of the tree.
#include "test/unit/frontend/builder_programs.h"

#include "ir/frontend/ast.h"
#include "ir/frontend/parser.h"
#include "ir/text.h"

#include <gtest/gtest.h>
#include <set>

namespace apr::testing {
namespace {

using builder_programs::BuilderProgram;
using builder_programs::builderPrograms;
using builder_programs::kImportedBlocks;

/// The outline without its positions.
std::string withoutPlaces(const std::string &outline) {
  std::string text;
  for (size_t begin = 0; begin < outline.size();) {
    size_t end = outline.find('\n', begin);
    text.append(outline, begin, outline.rfind("  @", end) - begin);
    text += '\n';
    begin = end + 1;
  }
  return text;
}

std::string messagesOf(const Diagnostics &diagnostics, const SourceManager &sources) {
  std::string text;
  for (const Diagnostic &diagnostic : diagnostics.all())
    text += renderText(diagnostic, sources, ColorMode::Plain);
  return text;
}

FrontendOptions optionsFor(SourceManager &sources) {
  FrontendOptions options;
  options.resolveImport = [&](const std::string &, const std::string &path) {
    EXPECT_EQ(path, "blocks.apr");
    return std::optional(sources.add(path, kImportedBlocks));
  };
  return options;
}

/// The printed IR of a program, without the messages of which it has none.
template <typename Compile> std::string irOf(Compile compile) {
  SourceManager sources;
  Diagnostics diagnostics;
  auto module = compile(sources, diagnostics, optionsFor(sources));
  EXPECT_EQ(messagesOf(diagnostics, sources), "");
  return module ? print(*module) : "<no module>";
}

class BuilderParity : public ::testing::TestWithParam<BuilderProgram> {};

TEST_P(BuilderParity, SameTree) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("program.apr", GetParam().source);
  std::string expected = dumpSyntaxTree(sources, file, diagnostics);
  model::Program program;
  GetParam().build(program);
  EXPECT_EQ(withoutPlaces(program.dump(sources, diagnostics)), withoutPlaces(expected));
  EXPECT_EQ(messagesOf(diagnostics, sources), "");
}

TEST_P(BuilderParity, SameIr) {
  model::Program program;
  GetParam().build(program);
  std::string written = irOf([&](auto &sources, auto &diagnostics, const auto &options) {
    FileId file = sources.add("program.apr", GetParam().source);
    return compileModel(sources, file, diagnostics, options);
  });
  std::string built = irOf([&](auto &sources, auto &diagnostics, const auto &options) {
    return program.compile(sources, diagnostics, options);
  });
  EXPECT_EQ(built, written);
}

INSTANTIATE_TEST_SUITE_P(Programs, BuilderParity, ::testing::ValuesIn(builderPrograms()),
                         [](const auto &info) { return info.param.name; });

// ---- every kind of node ----

/// Counts the kinds of nodes in trees; a new kind without a case here does not compile.
class Kinds {
public:
  std::set<size_t> exprs, stmts, members, items;
  std::set<frontend::BinaryOp> binaries;
  std::set<frontend::UnaryOp> unaries;
  std::set<frontend::Index::Kind> indices;
  std::set<std::string> parts; ///< of nodes: what may be there or not

  void visit(const frontend::File &file) {
    for (const frontend::Item &item : file.items) {
      items.insert(item.node.index());
      std::visit([&](const auto &node) { enter(node); }, item.node);
    }
  }

private:
  template <typename Pointer> void optional(const Pointer &node, const char *part) {
    if (!node)
      return;
    parts.insert(part);
    enter(*node);
  }
  template <typename List> void all(const List &list) {
    for (const auto &element : list)
      enter(*element);
  }

  void enter(const frontend::Import &) {}
  void enter(const frontend::FunctionDecl &node) {
    enter(node.parameters);
    optional(node.result, "result");
    enter(node.body);
    enter(node.gradientParameters);
    if (node.gradient) {
      parts.insert("gradient");
      enter(*node.gradient);
    }
  }
  void enter(const frontend::Layer &node) {
    enter(node.parameters);
    for (const frontend::Member &member : node.members) {
      members.insert(member.node.index());
      std::visit([&](const auto &inner) { enter(inner); }, member.node);
    }
  }
  void enter(const frontend::Optimizer &node) {
    enter(node.parameters);
    for (const frontend::Stmt &rule : node.rules)
      enter(rule);
  }
  void enter(const frontend::Test &node) { enter(node.block); }
  void enter(const frontend::Binding &node) {
    optional(node.type, "binding type");
    enter(*node.value);
  }
  void enter(const frontend::StateMember &node) {
    parts.insert(node.kind == frontend::StateMember::Kind::Param ? "param" : "buffer");
    enter(*node.type);
    enter(*node.start);
  }
  void enter(const frontend::FreezeMember &node) { all(node.paths); }
  void enter(const frontend::EntryMember &node) { enter(node.function); }
  void enter(const frontend::TrainMember &node) {
    enter(node.parameters);
    optional(node.shards, "shards");
    enter(node.block);
  }
  void enter(const std::vector<frontend::Parameter> &list) {
    for (const frontend::Parameter &parameter : list) {
      enter(parameter.pattern);
      optional(parameter.type, "parameter type");
      optional(parameter.defaultValue, "default");
    }
  }
  void enter(const frontend::Pattern &node) {
    if (!node.elements.empty())
      parts.insert("tuple pattern");
    for (const frontend::Pattern &element : node.elements)
      enter(element);
  }
  void enter(const frontend::TypeExpr &node) {
    if (node.isOptional)
      parts.insert("optional type");
    if (node.hasBrackets && node.dims.empty())
      parts.insert("empty brackets");
    for (const frontend::DimExpr &dim : node.dims) {
      if (dim.isRest)
        parts.insert(dim.restName.empty() ? "rest" : "named rest");
      optional(dim.expr, "dim");
    }
    for (const frontend::TypeField &field : node.fields) {
      parts.insert(field.name ? "named field" : "field");
      enter(*field.type);
    }
  }
  void enter(const frontend::Body &node) {
    optional(node.expr, "body");
    optional(node.block, "block body");
  }
  void enter(const frontend::Block &node) {
    for (const frontend::Stmt &stmt : node.statements)
      enter(stmt);
  }
  void enter(const frontend::Stmt &stmt) {
    stmts.insert(stmt.node.index());
    std::visit([&](const auto &node) { enter(node); }, stmt.node);
  }
  void enter(const frontend::LetStmt &node) {
    enter(node.pattern);
    optional(node.type, "let type");
    enter(*node.value);
  }
  void enter(const frontend::StateStmt &node) {
    optional(node.type, "state type");
    enter(*node.value);
  }
  void enter(const frontend::AssignStmt &node) {
    enter(*node.target);
    enter(*node.value);
  }
  void enter(const frontend::ReportStmt &node) {
    if (!node.value)
      parts.insert("report of a name");
    optional(node.value, "report");
  }
  void enter(const frontend::MinimizeStmt &node) {
    parts.insert(node.over.empty() ? "minimize" : "over");
    enter(*node.value);
    all(node.over);
  }
  void enter(const frontend::DescendStmt &node) { enter(*node.value); }
  void enter(const frontend::UsingStmt &node) {
    parts.insert(node.on.empty() ? "using" : "on");
    enter(*node.transform);
    all(node.on);
  }
  void enter(const frontend::ExpectStmt &node) { enter(*node.condition); }
  void enter(const frontend::AfterStmt &node) { enter(*node.block); }
  void enter(const frontend::UpdateStmt &node) {
    parts.insert(node.perRow ? "update row" : "update");
    enter(node.parameters);
    enter(*node.block);
  }
  void enter(const frontend::ExprStmt &node) { enter(*node.value); }

  void enter(const frontend::Expr &expr) {
    exprs.insert(expr.node.index());
    std::visit([&](const auto &node) { enter(node); }, expr.node);
  }
  void enter(const frontend::NameExpr &) {}
  void enter(const frontend::NumberExpr &) {}
  void enter(const frontend::StringExpr &) {}
  void enter(const frontend::BoolExpr &) {}
  void enter(const frontend::NoneExpr &) {}
  void enter(const frontend::TupleExpr &node) { all(node.elements); }
  void enter(const frontend::ListExpr &node) { all(node.elements); }
  void enter(const frontend::MemberExpr &node) { enter(*node.object); }
  void enter(const frontend::CallExpr &node) {
    enter(*node.callee);
    for (const frontend::ArgumentExpr &argument : node.arguments) {
      parts.insert(argument.name ? "named argument" : "argument");
      enter(*argument.value);
    }
  }
  void enter(const frontend::IndexExpr &node) {
    enter(*node.object);
    for (const frontend::Index &index : node.indices) {
      indices.insert(index.kind);
      optional(index.first, "first");
      optional(index.last, "last");
      optional(index.stride, "stride");
    }
  }
  void enter(const frontend::UnaryExpr &node) {
    unaries.insert(node.op);
    enter(*node.operand);
  }
  void enter(const frontend::BinaryExpr &node) {
    binaries.insert(node.op);
    enter(*node.left);
    enter(*node.right);
  }
  void enter(const frontend::RepeatExpr &node) {
    enter(*node.count);
    enter(*node.constructor);
  }
  void enter(const frontend::PipeExpr &node) {
    enter(*node.value);
    enter(*node.call);
  }
  void enter(const frontend::IfExpr &node) {
    enter(*node.condition);
    enter(*node.then);
    optional(node.otherwise, "else");
  }
  void enter(const frontend::BlockExpr &node) { enter(*node.block); }
  void enter(const frontend::FunctionExpr &node) { enter(*node.function); }
};

TEST(BuilderCoverage, ProgramsHoldEveryKindOfNode) {
  Kinds kinds;
  for (const BuilderProgram &builderProgram : builderPrograms()) {
    SourceManager sources;
    Diagnostics diagnostics;
    model::Program program;
    builderProgram.build(program);
    kinds.visit(*program.make(sources, diagnostics));
  }
  EXPECT_EQ(kinds.exprs.size(), std::variant_size_v<decltype(frontend::Expr::node)>);
  EXPECT_EQ(kinds.stmts.size(), std::variant_size_v<decltype(frontend::Stmt::node)>);
  EXPECT_EQ(kinds.members.size(), std::variant_size_v<decltype(frontend::Member::node)>);
  EXPECT_EQ(kinds.items.size(), std::variant_size_v<decltype(frontend::Item::node)>);
  EXPECT_EQ(kinds.binaries.size(), static_cast<size_t>(frontend::BinaryOp::Or) + 1);
  EXPECT_EQ(kinds.unaries.size(), static_cast<size_t>(frontend::UnaryOp::Not) + 1);
  EXPECT_EQ(kinds.indices.size(), static_cast<size_t>(frontend::Index::Kind::Rest) + 1);
  const std::set<std::string> expected = {"argument",
                                          "binding type",
                                          "block body",
                                          "body",
                                          "buffer",
                                          "default",
                                          "dim",
                                          "else",
                                          "empty brackets",
                                          "field",
                                          "first",
                                          "gradient",
                                          "last",
                                          "let type",
                                          "minimize",
                                          "named argument",
                                          "named field",
                                          "named rest",
                                          "on",
                                          "optional type",
                                          "over",
                                          "param",
                                          "parameter type",
                                          "report",
                                          "report of a name",
                                          "rest",
                                          "result",
                                          "shards",
                                          "state type",
                                          "stride",
                                          "tuple pattern",
                                          "update",
                                          "update row",
                                          "using"};
  EXPECT_EQ(kinds.parts, expected);
}

// ---- messages ----

TEST(BuilderMessages, PointAtTheCppSource) {
  model::Program program;
  model::Layer &layer = program.model("M");
  layer.param("w", model::real(4), model::call("zeros"));
  layer.entry("predict", {{"x", model::real("B", 3)}}, {}, model::Expr("x") + "w");
  int line = __LINE__ - 1;
  SourceManager sources;
  Diagnostics diagnostics;
  EXPECT_FALSE(program.compile(sources, diagnostics));
  ASSERT_EQ(diagnostics.all().size(), 1u);
  const Diagnostic &diagnostic = diagnostics.all()[0];
  EXPECT_EQ(diagnosticInfo(diagnostic.kind).code, "shape-mismatch");
  EXPECT_EQ(diagnostic.location.line, static_cast<uint32_t>(line));
  EXPECT_NE(renderText(diagnostic, sources, ColorMode::Plain).find("layer.entry(\"predict\""),
            std::string::npos);
}

TEST(BuilderMessages, BoundsTheTree) {
  model::Program program;
  model::Expr deep("x");
  for (int i = 0; i < 300; ++i)
    deep = deep + 1;
  program.let("a", deep);
  model::Expr wide("y");
  for (int i = 0; i < 100; ++i)
    wide = wide + wide;
  model::Program other;
  other.let("b", wide);
  for (const model::Program *each : {&program, &other}) {
    SourceManager sources;
    Diagnostics diagnostics;
    EXPECT_FALSE(each->compile(sources, diagnostics));
    ASSERT_EQ(diagnostics.all().size(), 1u);
    EXPECT_EQ(diagnosticInfo(diagnostics.all()[0].kind).code, "too-large");
  }
}

TEST(BuilderNumbers, AreTheDecimalsThatWereWritten) {
  model::Program program;
  program.let("a", model::list({1e-3, -2.5f, 0.1, 7, -3, int64_t{9007199254740993}, 1e300, false}));
  SourceManager sources;
  Diagnostics diagnostics;
  EXPECT_EQ(withoutPlaces(program.dump(sources, diagnostics)),
            "binding a\n  list\n    number 0.001\n    negate\n      number 2.5\n    number 0.1\n"
            "    number 7\n    negate\n      number 3\n    number 9007199254740993\n"
            "    number 1e+300\n    false\n");
}

} // namespace
} // namespace apr::testing
