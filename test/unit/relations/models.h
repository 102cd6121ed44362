// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <map>
#include <span>
#include <string>

namespace apr::test {

/// A small model of each kind whose train block is `step` over batches of B rows, and whose entry
/// `predict` gives a row for a row.
struct Model {
  std::string name;
  std::string source;
  std::map<std::string, std::string> settings;
  DimBindings otherDims; ///< besides B
  std::string report;    ///< more reports for the train block
  std::string entry;     ///< one more entry
};

/// A perceptron, a convolutional net with batch norm, a recurrent one, and attention.
std::span<const Model> allModels();

Module compile(const Model &model);
/// The model with `text` after the loss of its train block, or before the block.
Model withReport(Model model);
Model withEntry(Model model);
/// The model whose batches divide into so many parts, without batch norm, which mixes the rows.
Model withShards(Model model, int parts);

/// The sizes of a call with a batch of so many rows.
DimBindings dimsOf(const Model &model, int64_t rows);

} // namespace apr::test
