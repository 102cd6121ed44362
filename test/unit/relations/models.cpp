// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/relations/models.h"

#include "ir/frontend/frontend.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace apr::test {
namespace {

// LeNet on images of 9 x 10, with the batch norm that makes training depend on all rows and
// prediction on one.
constexpr const char *kImages = R"(
model Images {
  net = chain(Conv2d(2, 5, 3, padding = 1), BatchNorm(5), relu, MaxPool2d(2), Conv2d(5, 7, 3), relu,
              flatten, Linear(42, 9), relu, Linear(9, 4))

  entry predict(x: real[B, 9, 10, 2]) -> real[B, 4] = x |> net |> softmax

  train step(x: real[B, 9, 10, 2], y: i32[B]) {
    let z = net(x)
    minimize cross_entropy(z, y)
    report accuracy = mean(argmax(z) == y)
    using adam(lr = 1e-3)
  }
}
)";

std::string readExample(const std::string &name) {
  std::ifstream file(APR_SOURCE_DIR "/docs/examples/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file)
    throw std::runtime_error("cannot read the example " + name);
  return text.str();
}

std::vector<Model> makeModels() {
  const std::string ofLogits =
      "    report spread = mean(max(z, axis = -1))\n    report scores = sum(z * z, axis = -1)\n";
  return {{"perceptron",
           readExample("digits/digits.apr"),
           {{"hidden", "21"}},
           {},
           ofLogits,
           "  entry scores(x: real[B, 64]) -> real[B, 10] = logits(x) * logits(x)\n"},
          {"images",
           kImages,
           {},
           {},
           ofLogits,
           "  entry scores(x: real[B, 9, 10, 2]) -> real[B, 4] = net(x) * net(x)\n"},
          {"recurrent",
           readExample("char_gru/gru.apr"),
           {{"vocab", "11"}, {"embed", "5"}, {"hidden", "7"}},
           {{"T", 4}},
           "    report spread = mean(max(net(x), axis = -1))\n",
           "  entry scores(x: i32[B, T]) -> real[B, T, vocab] = exp(net(x))\n"},
          {"attention",
           readExample("gpt/gpt.apr"),
           {{"vocab", "11"}, {"context", "8"}, {"width", "8"}, {"heads", "2"}, {"depth", "1"}},
           {{"T", 4}},
           "    report spread = mean(max(predict(x), axis = -1))\n",
           "  entry scores(x: i32[B, T]) -> real[B, T, vocab] = exp(predict(x))\n"}};
}

void insertAfter(std::string &text, const std::string &anchor, char last, const std::string &what) {
  size_t at = text.find(anchor);
  if (at == std::string::npos)
    throw std::runtime_error("the model has no '" + anchor + "'");
  text.insert(text.find(last, at) + (last == '\n' ? 1 : 0), what);
}

} // namespace

std::span<const Model> allModels() {
  static const std::vector<Model> models = makeModels();
  return models;
}

Module compile(const Model &model) {
  SourceManager sources;
  Diagnostics diagnostics;
  FrontendOptions options;
  options.settings = model.settings;
  auto module = compileModel(sources, sources.add(model.name, model.source), diagnostics, options);
  if (!module)
    throw std::runtime_error(renderText(diagnostics.all().front(), sources, ColorMode::Plain));
  return std::move(*module);
}

Model withReport(Model model) {
  insertAfter(model.source, "    minimize", '\n', model.report);
  return model;
}

Model withEntry(Model model) {
  model.source.insert(model.source.find("  train step"), model.entry);
  return model;
}

Model withShards(Model model, int parts) {
  const std::string mixing = "BatchNorm(5), ";
  if (size_t at = model.source.find(mixing); at != std::string::npos)
    model.source.erase(at, mixing.size());
  insertAfter(model.source, "  train step", '{', "shards " + std::to_string(parts) + " ");
  return model;
}

DimBindings dimsOf(const Model &model, int64_t rows) {
  DimBindings dims = model.otherDims;
  dims["B"] = rows;
  return dims;
}

} // namespace apr::test
