// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The formatter: its layout in small cases, and on every model file of the project that layout is
// the only thing it changes and that no other layout of the same tokens gives another result.
#include "ir/frontend/format.h"

#include "ir/frontend/format_tokens.h"
#include "ir/frontend/lexer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

namespace apr {
namespace {

namespace fs = std::filesystem;
using namespace frontend;

std::string format(const std::string &text) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("test.apr", text);
  auto result = formatSource(sources, file, diagnostics);
  for (const Diagnostic &diagnostic : diagnostics.all())
    ADD_FAILURE() << renderText(diagnostic, sources, ColorMode::Plain);
  return result.value_or("<errors>");
}

std::string read(const fs::path &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool parses(const fs::path &path) {
  SourceManager sources;
  Diagnostics diagnostics;
  return formatSource(sources, sources.add(path.string(), read(path)), diagnostics).has_value();
}

/// Every model file of the project, but for the programs of the language's proposal, which stand as
/// they were proposed.
std::vector<fs::path> projectFiles() {
  std::vector<fs::path> files;
  for (const char *folder : {"ir", "docs", "test"})
    for (const auto &entry : fs::recursive_directory_iterator(fs::path(APR_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".apr" && entry.path().parent_path().filename() != "programs")
        files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// The lines at which two texts begin to differ.
std::string difference(const std::string &found, const std::string &expected) {
  auto [a, b] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  auto lines = [](const std::string &text, std::string::const_iterator at) {
    size_t i = static_cast<size_t>(at - text.begin());
    size_t begin = i == 0 ? 0 : text.rfind('\n', i - 1) + 1;
    return text.substr(begin, 300);
  };
  return "found:\n" + lines(found, a) + "\nexpected:\n" + lines(expected, b);
}

// ---- the files of the project ----

TEST(Format, ProjectIsFormatted) {
  size_t count = 0;
  for (const fs::path &path : projectFiles()) {
    if (!parses(path)) {
      // Wrong on purpose.
      EXPECT_EQ(path.parent_path().filename(), "diagnostics") << path;
      continue;
    }
    std::string formatted = format(read(path));
    EXPECT_TRUE(formatted == read(path))
        << path << ": run 'aprun fmt' on it; " << difference(read(path), formatted);
    ++count;
  }
  EXPECT_GT(count, 40u);
}

// ---- other layouts of the same tokens ----

bool isWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '"' || c == '.';
}

/// Writes a file's tokens again with other blanks, line ends and indentation.
class Mangler {
public:
  explicit Mangler(uint32_t seed) : random_(seed) {}

  std::string run(const std::string &text) {
    SourceManager sources;
    Diagnostics diagnostics;
    FileId file = sources.add("mangled.apr", text);
    std::vector<SpacedToken> tokens =
        attachComments(sources.text(file), lex(sources, file, diagnostics));
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].kind == TokenKind::Separator) {
        isSeparated_ = true;
        continue;
      }
      writeGap(tokens[i]);
      result_ += tokens[i].text;
      track(tokens[i].kind);
      if (!tokens[i].trailing.empty())
        result_ += blanks() + tokens[i].trailing;
      afterComment_ = !tokens[i].trailing.empty();
      previous_ = tokens[i].kind;
      isSeparated_ = false;
    }
    return result_;
  }

private:
  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  std::string blanks() { return std::string(pick(4), ' ') + (pick(8) == 0 ? "\t" : ""); }
  std::string lineEnd(bool hasBlank) {
    std::string text = pick(6) == 0 ? " \r\n" : "\n";
    if (hasBlank)
      text += std::string(1 + pick(3), '\n');
    return text + std::string(pick(9), ' ');
  }

  void track(TokenKind kind) {
    using enum TokenKind;
    if (kind == LeftParen || kind == LeftBracket || kind == LeftBrace)
      open_.push_back(kind);
    else if (!open_.empty() && (kind == RightParen || kind == RightBracket || kind == RightBrace))
      open_.pop_back();
  }

  bool mayBreak(const SpacedToken &next) const {
    using enum TokenKind;
    // The word "times" keeps to the line of the constructor.
    if (previous_ == Identifier && result_.ends_with("x") && next.kind == Identifier)
      return false;
    if (!open_.empty() && open_.back() != LeftBrace)
      return true;
    bool isOpen = previous_ >= TokenKind::Pipe || previous_ == Comma || previous_ == Assign ||
                  previous_ == LeftArrow || previous_ == RightArrow || previous_ == LeftBrace;
    bool goesOn = (next.kind >= TokenKind::Pipe && next.kind != Minus) || next.kind == RightBrace ||
                  next.kind == LeftBrace || next.kind == Assign || next.kind == Else;
    return isOpen || goesOn;
  }

  void writeGap(const SpacedToken &next) {
    if (previous_ == TokenKind::End) { // the start of the file
      for (const Comment &comment : next.comments)
        result_ += lineEnd(comment.hasBlankBefore) + comment.text;
      if (!next.comments.empty())
        result_ += lineEnd(next.hasBlankBefore);
      return;
    }
    bool mustBreak = isSeparated_ || afterComment_ || !next.comments.empty();
    if (!mustBreak && next.kind == TokenKind::End)
      return;
    for (const Comment &comment : next.comments)
      result_ += lineEnd(comment.hasBlankBefore) + comment.text;
    if (mustBreak) {
      bool mayJoin = isSeparated_ && !afterComment_ && next.comments.empty() &&
                     !next.hasBlankBefore && next.kind != TokenKind::End;
      result_ += mayJoin && pick(3) == 0 ? blanks() + ";" + blanks() : lineEnd(next.hasBlankBefore);
      return;
    }
    // A line's end between statements is kept as it is; in all other places it means nothing.
    bool breaks = mayBreak(next) && pick(3) == 0;
    bool mayTouch = !isWordCharacter(result_.back()) && isWordCharacter(next.text.front());
    result_ += breaks ? lineEnd(previous_ != TokenKind::LeftBrace && pick(2) == 0 &&
                                next.kind != TokenKind::LeftBrace)
               : mayTouch && result_.back() != '-' && result_.back() != '<' && pick(2) == 0
                   ? ""
                   : " " + blanks();
  }

  std::mt19937 random_;
  std::string result_;
  std::vector<TokenKind> open_;
  TokenKind previous_ = TokenKind::End;
  bool isSeparated_ = false;
  bool afterComment_ = false;
};

TEST(Format, DependsOnTokensCommentsAndBlankLinesOnly) {
  for (const fs::path &path : projectFiles()) {
    if (!parses(path))
      continue;
    std::string expected = format(read(path));
    EXPECT_TRUE(format(expected) == expected) << path << difference(format(expected), expected);
    for (uint32_t seed = 0; seed < 8; ++seed) {
      std::string mangled = Mangler(seed).run(expected);
      std::string again = format(mangled);
      ASSERT_TRUE(again == expected)
          << path << " with seed " << seed << ": " << difference(again, expected);
    }
  }
}

// ---- layout ----

/// A text that is formatted already.
void expectStable(const std::string &text) { EXPECT_EQ(format(text), text); }

TEST(Format, TokensOfOneStatement) {
  EXPECT_EQ(
      format("fn f( x:real[ ..S,C ]?=none ,n : int )->real [ C ]=-x**2+x[ 1 : ,n-1 : n ,.., none]"),
      "fn f(x: real[..S, C]? = none, n: int) -> real[C] = -x ** 2 + x[1:, n - 1 : n, .., none]\n");
  EXPECT_EQ(
      format("model M{net=chain(3  x  Block( 2 ),f=fn(x)=2*x)\n\n\n\nparam w:real=0}"),
      "model M {\n  net = chain(3 x Block(2), f = fn (x) = 2 * x)\n\n  param w: real = 0\n}\n");
  EXPECT_EQ(format("fn f(a,b)=a< -b and not(a==b)or a-1>=-b"),
            "fn f(a, b) = a < -b and not (a == b) or a - 1 >= -b\n");
}

TEST(Format, StatementsStandOnLinesOfTheirOwn) {
  EXPECT_EQ(format("fn f(x) { let a = x; let b = a; a + b }"),
            "fn f(x) {\n  let a = x\n  let b = a\n  a + b\n}\n");
  expectStable("fn f(x) {\n"
               "  let d = if x == none { 1 } else {\n"
               "    let y = x\n"
               "    y\n"
               "  }\n"
               "  if training { w <- x }\n"
               "  d\n"
               "}\n");
}

TEST(Format, ShortBlocksStandOnOneLine) {
  expectStable("optimizer o(lr: real) {\n"
               "  update(p, g) { p <- p - lr * g }\n"
               "  update row(p, g) {\n"
               "    let d = lr * g\n"
               "    p <- p - d\n"
               "  }\n"
               "}\n");
  expectStable("layer L {\n"
               "  f = if training { fn (x) = x } else { fn (x) = 2 * x }\n"
               "  fn (x: real) {\n"
               "    x\n"
               "  }\n"
               "}\n");
}

TEST(Format, LongBracketsAreLinedUp) {
  expectStable(
      "layer Convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: "
      "int = 0,\n"
      "                  dilation: int = 1) {}\n");
  expectStable(
      "fn a_function_of_many(first: real[..], second: real[..], third: real[..]) -> real[..] =\n"
      "  first * second + second * third + third * first + first * first + second * second * "
      "third\n");
}

TEST(Format, LongOperatorsAndPipes) {
  expectStable(
      "model M {\n"
      "  train step(x: real[B, 64]) {\n"
      "    let loss = mean(abs(prediction_of_the_model - target_of_the_data) ** exponent) +\n"
      "        weight_of_the_penalty * sum(abs(parameters_of_the_first_layer)) / batch_size\n"
      "    let score = prediction_of_the_model(x)\n"
      "        |> softmax_with_temperature(temperature)\n"
      "        |> rearrange(\"b t (h d) -> b h t d\", h = heads)\n"
      "    minimize loss\n"
      "  }\n"
      "}\n");
}

TEST(Format, BlocksInArgumentsKeepTheLine) {
  expectStable("fn f(start, x) {\n"
               "  let (_, states) = scan(start, x, fn (h, x) {\n"
               "    let h = cell(h, x)\n"
               "    (h, h)\n"
               "  }, axis = 1)\n"
               "  states\n"
               "}\n");
}

TEST(Format, GradientsOfFunctions) {
  expectStable("fn f(e: real[..]) -> real[..] = abs(e)\n"
               "  with gradient(g) = g * sign(e)\n"
               "fn h(e: real[..]) -> real[..] {\n"
               "  abs(e)\n"
               "} with gradient(g) {\n"
               "  g * sign(e)\n"
               "}\n");
}

TEST(Format, CommentsStayWithTheirTokens) {
  expectStable("# The file.\n"
               "\n"
               "## A layer.\n"
               "## It does nothing.\n"
               "layer L(a: int,  # the first\n"
               "        # on its own\n"
               "        b: int) {  # behind the brace\n"
               "  # before a member\n"
               "  net = chain(relu,  # one\n"
               "              # two\n"
               "              tanh)\n"
               "\n"
               "  # at the end of the members\n"
               "}\n"
               "\n"
               "# at the end of the file\n");
  expectStable("fn f(x) =  # why\n"
               "  x +  # because\n"
               "      1\n");
  expectStable("fn f(x) {\n"
               "  # nothing but this\n"
               "}\n");
}

TEST(Format, CommentsOfNeighbouringLinesAreLinedUp) {
  EXPECT_EQ(format("fn f(x) {\n let a = x # one\n let long = a # two\n\n a # three\n}\n"),
            "fn f(x) {\n  let a = x     # one\n  let long = a  # two\n\n  a  # three\n}\n");
}

TEST(Format, FilesWithErrorsAreRefused) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("test.apr", "model M { param = }");
  EXPECT_FALSE(formatSource(sources, file, diagnostics));
  EXPECT_TRUE(diagnostics.hasErrors());
  EXPECT_EQ(format(""), "");
  EXPECT_EQ(format("\n\n# only this\n\n\n"), "# only this\n");
}

} // namespace
} // namespace apr
