// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/lexer.h"
#include "ir/frontend/parser.h"

#include <gtest/gtest.h>

namespace apr::frontend {
namespace {

std::string kinds(const std::string &text) {
  SourceManager sources;
  Diagnostics diagnostics;
  std::string out;
  for (const Token &token : lex(sources, sources.add("t", text), diagnostics))
    out += token.kind == TokenKind::Separator ? "; "
           : token.kind == TokenKind::End     ? ""
                                              : std::string(token.text) + " ";
  return out;
}

/// The outline without positions, and the number of errors.
std::pair<std::string, size_t> outline(const std::string &text) {
  SourceManager sources;
  Diagnostics diagnostics;
  std::string dump = dumpAst(parse(sources, sources.add("t", text), diagnostics));
  std::string out;
  for (size_t i = 0; i < dump.size(); ++i) {
    if (dump.compare(i, 3, "  @") == 0)
      i = dump.find('\n', i);
    out += dump[i];
  }
  return {out, diagnostics.errorCount()};
}

TEST(LexerTest, SeparatesStatementsAtLineEnds) {
  EXPECT_EQ(kinds("a = 1\nb = 2\n"), "a = 1 ; b = 2 ; ");
  EXPECT_EQ(kinds("a = 1;;b = 2"), "a = 1 ; b = 2 ");
  EXPECT_EQ(kinds("f(1,\n 2)\n[3\n]"), "f ( 1 , 2 ) ; [ 3 ] ");
}

TEST(LexerTest, JoinsLinesThatContinue) {
  EXPECT_EQ(kinds("a +\n b\n"), "a + b ; ");
  EXPECT_EQ(kinds("a\n |> f\n |> g\n"), "a |> f |> g ; ");
  EXPECT_EQ(kinds("a\n- b"), "a ; - b ");
  EXPECT_EQ(kinds("if c {\n a\n}\nelse {\n b\n}\n"), "if c { a } else { b } ; ");
  EXPECT_EQ(kinds("minimize e\n over net\n"), "minimize e over net ; ");
  EXPECT_EQ(kinds("over = 3\non = 4"), "over = 3 ; on = 4 ");
}

TEST(LexerTest, SeparatesInsideBracesInsideParentheses) {
  EXPECT_EQ(kinds("f(fn (x) {\n let y = x\n y\n}, 1)"), "f ( fn ( x ) { let y = x ; y } , 1 ) ");
}

TEST(LexerTest, ReadsNumbers) {
  EXPECT_EQ(kinds("1e-3 2.5 3 1.5e+2 x.y 1..2"), "1e-3 2.5 3 1.5e+2 x . y 1 .. 2 ");
}

TEST(ParserTest, BindsOperatorsByRank) {
  EXPECT_EQ(outline("a = -x ** 2 * y + z @ w").first, "binding a\n"
                                                      "  binary +\n"
                                                      "    binary *\n"
                                                      "      negate\n"
                                                      "        binary **\n"
                                                      "          name x\n"
                                                      "          number 2\n"
                                                      "      name y\n"
                                                      "    binary @\n"
                                                      "      name z\n"
                                                      "      name w\n");
}

TEST(ParserTest, ReadsRepetitionsOnOneLine) {
  EXPECT_EQ(outline("a = 4 x Block(128)").first, "binding a\n"
                                                 "  repeat\n"
                                                 "    number 4\n"
                                                 "    call\n"
                                                 "      name Block\n"
                                                 "      number 128\n");
  EXPECT_EQ(outline("fn f(x) = 2 * x").second, 0u);
}

TEST(ParserTest, KeepsWordsUsableAsNames) {
  auto [dump, errors] = outline("fn f(state, test, report, over) {\n"
                                "  let minimize = state + test\n"
                                "  let on = report * over\n"
                                "  minimize + on\n"
                                "}\n");
  EXPECT_EQ(errors, 0u) << dump;
}

TEST(ParserTest, ReadsEveryConstructOfTheGrammar) {
  auto [dump, errors] = outline(R"(
from "blocks.apr" import A, B
width = 3 * 4
fn f(x: real[.., n], (a, b): (T[..S, C], i: i32), k: int = 3) -> (y: real[B], z: real) {
  let (u, v): (real[B], real) = g(x, k = 2)
  (u, v)
} with gradient (g) = g * a
optimizer o(lr: real? = none) {
  state t: i32 = 0
  t <- t + 1
  update row(p, g) { p <- p - lr * g }
  update(p, g) { state m = zeros(); (p, m) <- h(p, m) }
}
layer L(n: int) {
  param w: real[n]? = zeros(); buffer b: real[n] = ones()
  sub = chain(L(1), a = L(2), 3 x L(4)); freeze sub, sub.w
  fn (x) = if w == none { x } else if n > 2 { -x[.., 1:2:3, none] } else { x }
}
model M(real: dtype = f64) {
  entry e(x: real[B]) -> real[B] = x |> f |> g(2)
  train t(x: real[B]) shards 4 {
    minimize e over net, net.fc on
    descend grad(x)
    using clip(1)
    using adam(lr = 1) on matrices
    report n = 3; report m
    after { x <- x }
    expect not true or 1 <= 2 and x != y
  }
}
test "it" { expect 1 == 1 }
)");
  EXPECT_EQ(errors, 1u) << dump; // `over net, net.fc on`: 'on' belongs to using alone
}

TEST(ParserTest, GoesOnAfterErrors) {
  auto [dump, errors] =
      outline("model M {\n  a = \n  b = 1\n  c 2\n  d = 3\n}\nfn f() - 1\nx = 2\n");
  EXPECT_EQ(errors, 3u) << dump;
  EXPECT_NE(dump.find("binding d"), std::string::npos);
  EXPECT_NE(dump.find("binding x"), std::string::npos);
}

TEST(ParserTest, BoundsNesting) {
  for (const char *unit : {"(", "[", "-", "not ", "f(", "a[", "if true { ", "fn () = ", "1 + ",
                           "a |> ", "a.b.", "{", "a ** ", "x x "}) {
    std::string text = "a = ";
    for (int i = 0; i < 100000; ++i)
      text += unit;
    EXPECT_GE(outline(text).second, 1u) << unit;
  }
  std::string types = "fn f(x: ";
  for (int i = 0; i < 100000; ++i)
    types += "(a: ";
  EXPECT_GE(outline(types).second, 1u);
}

} // namespace
} // namespace apr::frontend
