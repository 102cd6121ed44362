// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "runtime/train/dataset.h"
#include "runtime/train/instance.h"
#include "runtime/train/run_settings.h"
#include "runtime/train/trainer.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace apr::aprun {

/// What a training is about to do, for its first lines.
struct SummaryFigures {
  std::optional<std::uint64_t> operations; ///< of the forward part of a step on one batch
  std::optional<std::uint64_t> workspace;  ///< bytes of a step on one batch
  std::uint64_t batchRows = 0;             ///< 0 where a step has no rows
};

/// For a block's step on a full batch of the data; what open dimensions leave unknown is absent.
SummaryFigures summaryFigures(const train::RunSettings &settings, train::Trainer &trainer,
                              const train::Dataset &data);

/// A table of layers with their tensors and parameters, and a line with all of them, the memory of
/// the state and the figures. Many layers are cut to those at both ends.
std::string summaryText(const train::Instance &instance, const SummaryFigures &figures);

/// Additions, multiplications and other operations on single numbers that a graph asks for: two for
/// each term of a product of matrices or a convolution, one for each element that another operation
/// computes; moving numbers is free. Nothing where a dimension has no number here.
std::optional<std::uint64_t> operationCount(const Graph &graph, const DimBindings &dims);

/// "12.3 K", "4.5 M"; "3.4 KiB".
std::string shortCount(double count);
std::string shortBytes(std::uint64_t bytes);

} // namespace apr::aprun
