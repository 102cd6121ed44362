// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/word_hints.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

struct Foreign {
  std::string_view word;
  std::string_view hint;
};

constexpr Foreign kForeign[] = {
    {"var", "'let name = …' binds a value"},
    {"val", "'let name = …' binds a value"},
    {"auto", "'let name = …' binds a value"},
    {"const", "'name = …' among members, or 'let name = …' in a block, binds a value"},
    {"return", "a block's last expression is its value"},
    {"def", "functions begin with 'fn': 'fn name(x: real[B]) = …'"},
    {"func", "functions begin with 'fn': 'fn name(x: real[B]) = …'"},
    {"function", "functions begin with 'fn': 'fn name(x: real[B]) = …'"},
    {"lambda", "a function without a name is 'fn (x) = …'"},
    {"class", "'model Name { … }' or 'layer Name(…) { … }'"},
    {"struct", "'model Name { … }' or 'layer Name(…) { … }'"},
    {"module", "'model Name { … }' or 'layer Name(…) { … }'"},
    {"import", "'from \"file.apr\" import name' brings names of another file"},
    {"include", "'from \"file.apr\" import name' brings names of another file"},
    {"use", "'using adam(lr = 1e-3)' names an optimizer"},
    {"for", "'repeat(n, fn (i) = …)' repeats structure, 'scan' runs along an axis"},
    {"while", "'repeat(n, fn (i) = …)' repeats structure, 'scan' runs along an axis"},
    {"loop", "'repeat(n, fn (i) = …)' repeats structure, 'scan' runs along an axis"},
    {"elif", "'else if condition { … }'"},
    {"print", "'report name = value' hands a figure out of a train block"},
    {"assert", "'expect condition' states a condition"},
    {"loss", "'minimize loss' is what a train block does with it"},
    {"weight", "'param weight: real[n] = …' declares a parameter"},
    {"parameter", "'param name: real[n] = …' declares a parameter"},
};

/// What arguments are called elsewhere, and here.
constexpr Foreign kForeignParameters[] = {
    {"dim", "axis"},
    {"dims", "axis"},
    {"axes", "axis"},
    {"keepdim", "keep"},
    {"keepdims", "keep"},
    {"kernel_size", "kernel"},
    {"kernel_size", "size"},
    {"in_features", "inputs"},
    {"in_channels", "inputs"},
    {"out_features", "outputs"},
    {"out_channels", "outputs"},
    {"num_heads", "heads"},
    {"embed_dim", "width"},
    {"num_groups", "groups"},
    {"reduction", "reduce"},
    {"label_smoothing", "smoothing"},
    {"ignore_index", "ignore"},
    {"learning_rate", "lr"},
    {"epsilon", "eps"},
};

const std::vector<std::string> kWords = {
    "minimize", "descend", "using",  "report", "let",      "state",  "expect", "after",
    "param",    "buffer",  "freeze", "entry",  "train",    "update", "layer",  "optimizer",
    "model",    "from",    "test",   "import", "gradient", "shards"};

} // namespace

std::string hintForWord(std::string_view word) {
  for (const Foreign &foreign : kForeign)
    if (foreign.word == word)
      return std::string(foreign.hint);
  auto closest = closestName(word, kWords);
  return closest ? fmt::format("did you mean '{}'?", *closest) : std::string();
}

std::string hintForParameter(std::string_view name, const std::vector<std::string> &parameters) {
  for (const Foreign &foreign : kForeignParameters)
    if (foreign.word == name &&
        std::find(parameters.begin(), parameters.end(), foreign.hint) != parameters.end())
      return fmt::format("did you mean '{}'?", foreign.hint);
  auto closest = closestName(name, parameters);
  return closest ? fmt::format("did you mean '{}'?", *closest) : std::string();
}

} // namespace apr::frontend
