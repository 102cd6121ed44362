// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/instance.h"
#include "runtime/train/npy.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace apr::train {

/// A tensor of another program's file.
struct ForeignTensor {
  std::string name;
  std::string type; ///< in the file's words
  std::vector<std::uint64_t> shape;
  std::function<NpyArray()> read;
};

/// The tensors of a safetensors or an NPZ file, known by its first bytes. bf16 is read as float32.
/// Errors are of kind Data.
std::vector<ForeignTensor> readForeignTensors(const std::string &path);

/// How names and axes of the file become the model's.
struct ImportRules {
  /// Ours and theirs. Where both end in a dot, or ours is empty, all names that begin so: the
  /// longest such rule counts, after one for the whole name.
  std::vector<std::pair<std::string, std::string>> names;
  /// Tensors of the model, `*` standing for any text, whose axes another program keeps as (out, in,
  /// sizes…): they become (sizes…, in, out).
  std::vector<std::string> transposed;
  bool keepsMissing = false; ///< tensors that the file lacks stay as they are
};

/// What became of the parameters and buffers of a model.
struct ImportReport {
  struct Line {
    std::string name; ///< ours
    std::string type; ///< "f32[64,10]"
    std::string from; ///< theirs
    std::string note; ///< "transposed", "rounded from float64"; may be empty
  };
  std::vector<Line> taken;
  std::vector<std::string> missing;    ///< "fc1.weight f32[64,10]; did you mean "fc1.w"?"
  std::vector<std::string> mismatched; ///< with what the file has, what was expected, what helps
  std::vector<std::string> unused;     ///< of the file: "conv.num_batches_tracked int64[]"
};

/// Sets the parameters and buffers from a file's tensors, as far as there is a report without
/// mismatches and, unless these are kept, missing ones: else nothing is changed. Values are exact,
/// but for floats that are rounded to a narrower type, which the report says.
ImportReport importWeights(Instance &instance, const std::vector<ForeignTensor> &file,
                           const ImportRules &rules);

/// The report as text, a line per tensor.
std::string text(const ImportReport &report);

} // namespace apr::train
