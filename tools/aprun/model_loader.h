// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"
#include "ir/diagnostics.h"
#include "ir/graph.h"
#include "passes/pipeline.h"
#include "runtime/train/record.h"

#include <aprt.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace apr::aprun {

/// A model to be compiled in memory, or an object that aprc wrote (its path ends in .o).
struct ModelRequest {
  std::string path;
  std::map<std::string, std::string> set; ///< compile-time values
  std::string cpu = "native";
  std::string optimize; ///< "0" to "3"; empty: the default
};

/// A compiled model in this process: the very bytes of the object, linked in place.
class LoadedModel {
public:
  virtual ~LoadedModel() = default;
  virtual const aprt_model &table() const = 0;
  /// The files that the model was compiled from; empty for an object.
  virtual const std::vector<train::RecordedSource> &sources() const = 0;
};

/// A model as the frontend made it, with its sources for messages and locations.
struct SourceModel {
  SourceManager sources;
  Module module;
};

/// Reads a model or IR text. Diagnostics go to standard error, then an `Error` of kind Diagnostics
/// is thrown.
std::unique_ptr<SourceModel> readModel(const ModelRequest &request);
/// The hash that an object of the model has.
std::string hashOf(const SourceModel &model);

/// What a request asks of passes and code generator; an unknown CPU is an `Error` of kind Usage.
OptimizationLevel passLevel(const ModelRequest &request);
TargetOptions targetOptions(const ModelRequest &request);

/// Prints what was found wrong, and throws an `Error` of kind Diagnostics where that includes
/// errors.
void reportDiagnostics(const Diagnostics &diagnostics, const SourceManager &sources);

/// The user's files that were read for a model, named relative to its folder.
std::vector<train::RecordedSource> describeSources(const SourceManager &sources,
                                                   const std::string &model);

/// Compiles and loads. Diagnostics of the model go to standard error, then an `Error` of kind
/// Diagnostics is thrown; a broken object is of kind Data.
std::unique_ptr<LoadedModel> loadModel(const ModelRequest &request);

} // namespace apr::aprun
