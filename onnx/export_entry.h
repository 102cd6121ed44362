// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "ir/result.h"
#include "onnx/graph_emitter.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace apr::onnx {

/// What an exported function needs beside its graph.
struct ExportInputs {
  /// The bytes of a state tensor: row-major, of its own type.
  std::function<std::string(const StateTensor &)> stateValue;
  std::map<std::string, double> hyper;
  std::map<std::string, std::string> metadata;   ///< of the model
  std::map<std::string, std::string> inputNotes; ///< by input: how its values are made
  std::function<std::string(Location)> describe; ///< the place as text, for nodes
};

struct ExportedModel {
  std::string bytes;             ///< of the .onnx file; empty where there are problems
  std::vector<Problem> problems; ///< what ONNX cannot express
};

/// The passes that come before: gradients are derived, and the graph is tidied; sums have no order
/// yet, elementary functions are single ops.
std::vector<std::string> exportPasses();

/// Writes an entry of a module that ran through `exportPasses`. Its inputs and results keep their
/// names and order, state tensors become initializers under their names. Values agree with ours as
/// far as a runtime's functions and sums do; the handling of special values that ONNX leaves open
/// is the runtime's.
ExportedModel exportEntry(const Module &module, const Function &entry, const ExportInputs &inputs);

} // namespace apr::onnx
