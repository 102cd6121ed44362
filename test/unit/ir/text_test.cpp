// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/text.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

struct Parsed {
  std::optional<Module> module;
  std::string messages;
};

Parsed parse(std::string_view text) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("test.apir", std::string(text));
  Parsed parsed{parseModule(sources, file, diagnostics), {}};
  for (const Diagnostic &diagnostic : diagnostics.all())
    parsed.messages += renderText(diagnostic, sources, ColorMode::Plain) + "\n";
  return parsed;
}

constexpr std::string_view kEverything = R"(doc "A module with \"everything\"."
module everything
state fc1.weight: f32[4,3] parameter doc "of the layer"
state momentum: f32[4,3] optimizer
state seed: i64 counter
hyper step.lr: f64 = 0.001 doc "learning rate"
train step

doc "One step."
func @step as step(step) dims(B, N) (%x: f32[B,4], %y: i32[B] below N) state(%fc1.weight: f32[4,3], %seed: i64) hyper(%step.lr: f64) exec(%row_offset: i64) {
  check B - 1 >= 0 "there must be a row"
  check N - 3 == 0 "three classes"
  %h: f32[B,3] = matmul %x, %fc1.weight {order = tree(seq(512))}
  %0: f32[B,3] = exp %h
  %"odd name": f32[B,3] = add %0, %h
  %h~2: f32[3] = sum %"odd name" {axes = [0], order = tree(2,tree(lanes(4,8)))}
  %1: f32[3,3] = constant {value = [0, -0, nan, inf, -inf, 1e-45, 0x7fc00001, 3.4028235e+38, 0.1]}
  %2: bool = constant {value = true}
  %3: f32[2,2] = slice %1 {start = [0, 1], limit = [2, 3], stride = [1, 1]}
  %4: i32[B,4] = random_bits %seed, %seed, %row_offset {stream = "a \"b\"\\", word = 2}
  %s: f32[3], %p: f32[3] = kernel %h~2 {form = "map"} region(%a: f32[3]) {
    %0: f32[3] = neg %a
    yield %0, %a
  }
  return loss: tensor = %s, bits = %4
  update fc1.weight = %fc1.weight
}
)";

TEST(Text, PrintingAndParsingAreInverse) {
  Parsed first = parse(kEverything);
  ASSERT_TRUE(first.module) << first.messages;
  std::string text = print(*first.module);
  Parsed second = parse(text);
  ASSERT_TRUE(second.module) << second.messages << text;
  EXPECT_EQ(print(*second.module), text);
  const Function &f = second.module->functions.at(0);
  EXPECT_EQ(f.kind, FunctionKind::Step);
  EXPECT_EQ(f.trainBlock, "step");
  EXPECT_EQ(f.doc, "One step.");
  EXPECT_EQ(f.dims, (std::vector<std::string>{"B", "N"}));
  EXPECT_EQ(f.arguments.at(1).indexLimit, Dim::variable("N"));
  EXPECT_EQ(f.arguments.at(2).role, ArgumentRole::State);
  EXPECT_EQ(f.checks.size(), 2u);
  EXPECT_EQ(second.module->state.at(0).doc, "of the layer");
}

TEST(Text, ValuesOfOneNameStayApart) {
  Parsed parsed = parse("module m\nfunc @f (%x: f32) {\n  %a: f32 = neg %x\n  %a~2: f32 = exp %a\n"
                        "  return r = %a~2\n}\n");
  ASSERT_TRUE(parsed.module) << parsed.messages;
  const Graph &graph = parsed.module->functions[0].graph;
  EXPECT_EQ(graph.value(graph.ops()[0].result()).name, "a");
  EXPECT_EQ(graph.value(graph.ops()[1].result()).name, "a");
  EXPECT_EQ(graph.ops()[1].operands[0], graph.ops()[0].result());
}

TEST(Text, BuffersPrintAndParse) {
  std::string text = "module m\n\nfunc @f dims(B) (%x: f32[B] in input#1(0)) {\n"
                     "  workspace 4*B + 64\n"
                     "  %a: f32[B] in workspace(64) = kernel %x region(%b: f32[B]) {\n"
                     "    %0: f32[B] = neg %b\n    yield %0\n  }\n"
                     "  return r = %a\n}\n";
  Parsed parsed = parse(text);
  ASSERT_TRUE(parsed.module) << parsed.messages;
  const Graph &graph = parsed.module->functions[0].graph;
  EXPECT_EQ(graph.value(graph.ops()[0].result()).buffer->offset, Dim(64));
  EXPECT_EQ(graph.value(graph.arguments()[0]).buffer->index, 1u);
  EXPECT_EQ(print(*parsed.module), text);
}

TEST(Text, LocationsSurvive) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add("m.apir", "module m\nfunc @f (%x: f32) {\n  %a: f32 = neg %x "
                                      "loc(\"model.apr\":3:5:2)\n  return r = %a\n}\n");
  auto module = parseModule(sources, file, diagnostics);
  ASSERT_TRUE(module);
  std::string text = print(*module, PrintLocations::Yes, &sources);
  EXPECT_NE(text.find("loc(\"model.apr\":3:5:2)"), std::string::npos) << text;
}

struct Broken {
  const char *text;
  const char *message;
};

TEST(Text, BrokenTextIsExplained) {
  const Broken cases[] = {
      {"", "module"},
      {"module", "name"},
      {"module m\nfunc", "@"},
      {"module m\nfunc @f (%x: f33) {\n}\n", "type"},
      {"module m\nfunc @f (%x: f32[) {\n}\n", "size"},
      {"module m\nfunc @f (%x: f32) {\n  %a: f32 = nge %x\n}\n", "did you mean"},
      {"module m\nfunc @f (%x: f32) {\n  %a: f32 = neg %y\n}\n", "defines this value"},
      {"module m\nfunc @f (%x: f32) {\n  %x: f32 = neg %x\n}\n", "defined already"},
      {"module m\nfunc @f (%x: f32) {\n  %a: f64 = neg %x\n}\n", "f64"},
      {"module m\nfunc @f (%x: f32) {\n  %a: f32 = neg %x, %x\n}\n", "operands"},
      {"module m\nfunc @f (%x: f32) {\n  %a: f32 = neg %x {axis = 0}\n}\n", "no attribute"},
      {"module m\nfunc @f (%x: f32[2]) {\n  %a: f32 = sum %x\n}\n", "axes"},
      {"module m\nfunc @f (%x: f32[2]) {\n  %a: f32 = sum %x {axes = [0], order = tree(seq)}\n}\n",
       "order"},
      {"module m\nfunc @f dims(A) (%x: f32[B]) {\n  return r = %x\n}\n", "B"},
      {"module m\nfunc @f () {\n  %a: i32 = constant {value = 1.5}\n}\n", "no i32"},
      {"module m\nfunc @f () {\n  %a: u8 = constant {value = 256}\n}\n", "no u8"},
      {"module m\nfunc @f () {\n  %a: f32[2] = constant {value = [1, 2, 3]}\n}\n", "elements"},
      {"module m\nfunc @f (%x: f32) {\n  return r = %x", "}"},
      {"module m\nfunc @f () {}\nfunc @f () {}\n", "twice"},
      {"module m\nfunc @f () state(%w: f32) {\n}\n", "no such tensor"},
  };
  for (const Broken &broken : cases) {
    Parsed parsed = parse(broken.text);
    EXPECT_FALSE(parsed.module) << broken.text;
    EXPECT_NE(parsed.messages.find(broken.message), std::string::npos)
        << broken.text << "\ngives " << parsed.messages;
  }
}

TEST(Text, EveryPrefixIsRefusedOrParsed) {
  // No prefix, and no text with one byte changed, may crash or hang.
  for (size_t length = 0; length < kEverything.size(); ++length)
    parse(kEverything.substr(0, length));
  std::string text(kEverything);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = "%@({[\"~9\n"[i % 9];
    parse(changed);
  }
}

} // namespace
} // namespace apr
