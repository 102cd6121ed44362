// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a model becomes: state, hyperparameters, functions and their signatures.
#include "test/unit/frontend/compile.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace apr::testing {
namespace {

std::vector<std::string> stateNames(const Module &module) {
  std::vector<std::string> names;
  for (const StateTensor &tensor : module.state)
    names.push_back(tensor.name);
  return names;
}

std::vector<std::string> hyperNames(const Module &module) {
  std::vector<std::string> names;
  for (const Hyperparameter &hyper : module.hypers)
    names.push_back(hyper.name);
  return names;
}

std::vector<std::string> streams(const Module &module) {
  std::vector<std::string> names;
  for (const Function &function : module.functions)
    for (const Op &op : function.graph.ops())
      if (opInfo(op.kind).family == OpFamily::Random)
        names.push_back(op.attributes.string(AttrKey::Stream));
  return names;
}

using Names = std::vector<std::string>;

TEST(ModelTest, NamesInstancesByTheirPlace) {
  Compiled compiled = compile(R"(
layer Pair(width: int) {
  left = Linear(width, width, bias = none)
  right = Linear(width, width, bias = none)
  fn (x: real[.., width]) -> real[.., width] = left(x) + right(x)
}
model M {
  net = chain(Linear(2, 3), relu, out = Linear(3, 2, bias = none), 2 x Pair(2))
  skip = Residual(Linear(2, 2, bias = none))
  buffer count: i32 = 0
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  EXPECT_EQ(stateNames(*compiled.module),
            (Names{"net.0.weight", "net.0.bias", "net.out.weight", "net.3.0.left.weight",
                   "net.3.0.right.weight", "net.3.1.left.weight", "net.3.1.right.weight",
                   "skip.f.weight", "count", "seed"}));
}

TEST(ModelTest, OrdersTheStateAndNamesOptimizerTensors) {
  Compiled compiled = compile(R"(
model M {
  w = Linear(2, 1)
  train step(x: real[B, 2], y: real[B]) {
    minimize mse(squeeze(w(x)), y)
    using adam()
  }
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  EXPECT_EQ(stateNames(*compiled.module),
            (Names{"w.weight", "w.bias", "step.t", "step.m.w.weight", "step.v.w.weight",
                   "step.m.w.bias", "step.v.w.bias", "seed", "step.steps"}));
  EXPECT_EQ(hyperNames(*compiled.module),
            (Names{"step.lr", "step.beta1", "step.beta2", "step.eps"}));
  EXPECT_EQ(compiled.module->trainBlocks, Names{"step"});
  Names functions;
  for (const Function &function : compiled.module->functions)
    functions.push_back(function.name);
  EXPECT_EQ(functions, (Names{"init", "step.grad", "step.apply", "step.eval"}));
}

TEST(ModelTest, LeavesOutWhatAnOptimizerDoesNotUse) {
  Compiled compiled = compile(R"(
model M {
  param w: real = 0
  train a(x: real[B]) { minimize mean((w * x) ** 2); using sgd(lr = 0.1) }
  train b(x: real[B]) { minimize mean((w * x) ** 2); using sgd(lr = 0.1, momentum = 0.9) }
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  EXPECT_EQ(stateNames(*compiled.module), (Names{"w", "b.v.w", "seed", "a.steps", "b.steps"}));
  EXPECT_EQ(hyperNames(*compiled.module), (Names{"a.lr", "b.lr", "b.momentum"}));
}

TEST(ModelTest, NamesHyperparametersOfGroups) {
  Compiled compiled = compile(R"(
model M(rate: real = 0.5) {
  fc = Linear(2, 1)
  train step(x: real[B, 2]) {
    minimize mean(fc(x) ** 2)
    using clip_norm(1)
    using adamw(lr = rate) on matrices
    using sgd(lr = 0.1)
  }
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  EXPECT_EQ(hyperNames(*compiled.module), (Names{"rate", "step.limit", "step.beta1", "step.beta2",
                                                 "step.eps", "step.weight_decay", "step.lr"}));
}

TEST(ModelTest, NamesRandomStreamsByPlace) {
  Compiled compiled = compile(R"(
model M {
  net = chain(Linear(4, 4), Dropout(0.5), Dropout(0.5))
  train step() {
    let x: real[8, 4] = normal()
    let noise: real[8, 4] = normal()
    let again: real[8, 4] = net(noise)
    minimize mean((net(x) + noise - again) ** 2)
    using sgd()
  }
  entry sample() -> real[N, 4] {
    let z: real[N, 4] = normal()
    net(z)
  }
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  Names names = streams(*compiled.module);
  names.erase(std::remove_if(names.begin(), names.end(),
                             [](const std::string &name) { return name == "step.x"; }),
              names.end());
  EXPECT_EQ(names, (Names{"init.net.0.weight", "step.noise", "step.net.1.keep", "step.net.2.keep",
                          "step.net.1.keep#2", "step.net.2.keep#2", "step.noise", "sample.z"}));
}

TEST(ModelTest, GivesRowsToEval) {
  Compiled compiled = compile(R"(
model M {
  param w: real = 0
  train step(x: real[B], y: i32[B]) {
    let v = (w * x - 1) ** 2
    let a = mean(v)
    let b = mean(abs(x))
    minimize 0.5 * a + b / 2 - 3
    report rows = v
    report bools = mean(y == 1)
    report root = sqrt(a)
    report count = sum(y == 1)
    report matrix = mean(x[:, none] * [1, 2, 3][none, :])
    report weight = w ** 2
    using sgd()
  }
})");
  // A list of constants is no tensor yet and has no axes to index.
  EXPECT_FALSE(compiled.module);
  compiled = compile(R"(
model M {
  param w: real = 0
  train step(x: real[B], y: i32[B]) {
    let v = (w * x - 1) ** 2
    let a = mean(v)
    let b = mean(abs(x))
    minimize 0.5 * a + b / 2 - 3
    report rows = v
    report bools = mean(y == 1)
    report root = sqrt(a)
    report count = sum(y == 1)
    let table: real[1, 3] = [[1, 2, 3]]
    report matrix = mean(x[:, none] * table)
    report weight = w ** 2
    using sgd()
  }
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  const Function &eval = *compiled.module->findFunction("step.eval");
  Names kinds;
  for (const FunctionResult &result : eval.results)
    kinds.push_back(result.name + (result.kind == ResultKind::Rows ? ":rows" : ":scalar"));
  EXPECT_EQ(kinds, (Names{"loss:rows", "rows:rows", "bools:rows", "root:scalar", "count:scalar",
                          "matrix:rows", "weight:scalar"}));
  std::vector<Tensor> results =
      compiled.run("step.eval", {f32s({2}, {1, 3}), i32s({2}, {0, 1}), f32s({}, {2})});
  ASSERT_EQ(results.size(), 7u);
  EXPECT_EQ(values<float>(results[0]), (std::vector<float>{-2, 11}));
  EXPECT_EQ(values<float>(results[1]), (std::vector<float>{1, 25}));
  EXPECT_EQ(values<float>(results[5]), (std::vector<float>{2, 6}));
}

TEST(ModelTest, WritesInOrderAndReportsOldAndNew) {
  Compiled compiled = compile(R"(
model M(real: dtype = f64) {
  param w: real = 1
  buffer last: real = 0
  train step(x: real[B]) {
    last <- w
    w <- w + sum(x)
    report before = last
    report after_step = w
    w <- 2 * w
  }
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  std::vector<Tensor> results = compiled.run("step.grad", {f64s({2}, {3, 4}), f64s({}, {1})});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(values<double>(results[0]), std::vector<double>{1});
  EXPECT_EQ(values<double>(results[1]), std::vector<double>{8});
  EXPECT_EQ(compiled.module->findFunction("step.grad")->results[2].name, "w");
  EXPECT_EQ(values<double>(results[2]), std::vector<double>{16});
  EXPECT_EQ(values<double>(results[3]), std::vector<double>{1});
}

TEST(ModelTest, LimitsIndexInputs) {
  Compiled compiled = compile(R"(
model M {
  table = Embedding(7, 2)
  entry f(i: i32[B], j: i32[B]) -> real[B, 2] = table(i) + table(j + 1)
  train step(i: i32[B], y: i32[B]) { minimize cross_entropy(table(i), y); using sgd() }
})");
  ASSERT_TRUE(compiled.module) << compiled.messages;
  const Function &entry = *compiled.module->findFunction("f");
  EXPECT_EQ(entry.arguments[0].indexLimit, Dim(7));
  EXPECT_FALSE(entry.arguments[1].indexLimit);
  const Function &grad = *compiled.module->findFunction("step.grad");
  EXPECT_EQ(grad.arguments[0].indexLimit, Dim(7));
  EXPECT_EQ(grad.arguments[1].indexLimit, Dim(2));
}

TEST(ModelTest, TakesSettings) {
  FrontendOptions options;
  options.settings = {{"width", "5"}, {"real", "f64"}, {"rate", "0.25"}};
  Compiled compiled = compile(R"(
model M(width: int = 3, rate: real = 0.5) {
  param w: real[width] = zeros()
  train step(x: real[width]) { minimize sum(w * x); using sgd(lr = rate) }
})",
                              options);
  ASSERT_TRUE(compiled.module) << compiled.messages;
  EXPECT_EQ(str(compiled.module->state[0].type), "f64[5]");
  EXPECT_EQ(compiled.module->hypers[0].defaultValue, 0.25);
  for (auto [name, value] :
       {std::pair{"width", "x"}, std::pair{"width", "1.5"}, std::pair{"real", "i32"},
        std::pair{"nothing", "1"}, std::pair{"rate", ""}, std::pair{"rate", "1e9999"}}) {
    options.settings = {{name, value}};
    EXPECT_FALSE(
        compile("model M(width: int = 3, rate: real = 0.5) { param w: real = rate }", options)
            .module)
        << name << "=" << value;
  }
}

TEST(ModelTest, ChoosesTheModelByName) {
  FrontendOptions options;
  std::string text = "model A { param a: real = 0 }\nmodel B { param b: real = 0 }\n";
  EXPECT_FALSE(compile(text, options).module);
  options.model = "B";
  Compiled compiled = compile(text, options);
  ASSERT_TRUE(compiled.module) << compiled.messages;
  EXPECT_EQ(compiled.module->name, "B");
  options.model = "C";
  EXPECT_FALSE(compile(text, options).module);
}

TEST(ModelTest, ImportsListedNamesOnly) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileId library = sources.add("lib.apr", "width = 4\nfn own(x) = width * x\nfn hidden(x) = x\n");
  FileId main = sources.add("main.apr", "from \"lib.apr\" import own\n"
                                        "model M {\n"
                                        "  entry f(x: real[B]) -> real[B] = own(x)\n"
                                        "  entry g(x: real[B]) -> real[B] = hidden(x)\n"
                                        "}\n");
  FrontendOptions options;
  options.resolveImport = [&](const std::string &importer, const std::string &path) {
    EXPECT_EQ(importer, "main.apr");
    return path == "lib.apr" ? std::optional<FileId>(library) : std::nullopt;
  };
  EXPECT_FALSE(compileModel(sources, main, diagnostics, options));
  ASSERT_EQ(diagnostics.errorCount(), 1u);
  EXPECT_EQ(diagnostics.all()[0].message, "no 'hidden' is known here");
}

TEST(ModelTest, IsTheSameEachTime) {
  std::string text = R"(
model M {
  net = chain(Linear(4, 8), relu, Dropout(0.2), Linear(8, 2))
  train step(x: real[B, 4], y: i32[B]) {
    minimize cross_entropy(net(x), y)
    using clip_norm(1)
    using adamw()
  }
})";
  Compiled first = compile(text);
  Compiled second = compile(text);
  ASSERT_TRUE(first.module && second.module) << first.messages;
  ASSERT_EQ(first.module->functions.size(), second.module->functions.size());
  for (size_t i = 0; i < first.module->functions.size(); ++i)
    EXPECT_EQ(first.module->functions[i].graph.ops().size(),
              second.module->functions[i].graph.ops().size());
}

} // namespace
} // namespace apr::testing
