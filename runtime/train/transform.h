// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

enum class TransformKind {
  Standardise,  ///< (x - mean) / deviation, both of the training rows
  MinMax,       ///< (x - min) / (max - min), both of the training rows
  Multiply,     ///< x * c
  Divide,       ///< x / c
  Add,          ///< x + c
  Clip,         ///< the nearest value in [low, high]
  Log,          ///< natural logarithm
  Normalise,    ///< (x - mean) / deviation, both given; of several channels, each its own
  ClassWeights, ///< the weight of the category: rows / (categories * rows of it), or given
  OneHot,       ///< a 1 at the category's place among zeros
  Categories    ///< the category's index
};

/// One declared step of a column's preparation. Arithmetic is f64 in the order written above, with
/// no function of a maths library beyond the square root of the deviation.
struct Transform {
  TransformKind kind = TransformKind::Standardise;
  /// Given or fitted numbers: mean and deviation, min and max, c, low and high; the weight of each
  /// category. Those of Normalise as written are the means of all channels, then the deviations.
  std::vector<double> constants;
  /// Given or fitted categories, in index order.
  std::vector<std::string> labels;

  bool operator==(const Transform &) const = default;
};

using Pipeline = std::vector<Transform>;

/// The mnemonic of a transform: "standardise", "min_max", "multiply", "divide", "add", "clip",
/// "log", "normalise", "class_weights", "one_hot" or "categories".
const char *name(TransformKind kind);

/// True where the transform maps text to numbers; such a transform stands alone in its pipeline.
bool takesLabels(TransformKind kind);
bool takesLabels(const Pipeline &pipeline);

/// Parses "clip(0, 10) | standardise"; errors are of kind Usage at `place`.
Pipeline parsePipeline(std::string_view text, const Place &place);
/// The pipeline of one column of an input that has so many: of channels it keeps the column's own,
/// the channels of a pixel standing side by side. Errors are of kind Usage at `place`.
Pipeline pipelineOfColumn(const Pipeline &pipeline, std::size_t position, std::size_t columns,
                          const Place &place);
/// The inverse of `parsePipeline`; fitted constants are not part of the text.
std::string text(const Pipeline &pipeline);

/// Fits the constants that the transforms of a numeric pipeline leave to the data and applies them,
/// transform by transform, to all values. Sums run over the training rows in ascending order; the
/// deviation is that of the population, and 1 where it, or a range, is zero.
void fitAndApply(Pipeline &pipeline, const std::vector<std::size_t> &trainingRows,
                 std::vector<double> &values);

/// Applies a fitted numeric pipeline.
void apply(const Pipeline &pipeline, std::vector<double> &values);

/// A category and how many training rows have it.
struct LabelCount {
  std::string label;
  std::size_t rows = 0;
};

/// Finds the categories, and their weights, that a transform leaves to the data.
void fitLabels(Transform &transform, const std::vector<LabelCount> &counts);

/// The order of categories found in data: ascending numbers where all are numbers, else by bytes.
void sortLabels(std::vector<std::string> &labels);

/// The natural logarithm by a fixed sequence of f64 operations; x > 0 is finite.
double naturalLogarithm(double x);

} // namespace apr::train
