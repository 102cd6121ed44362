// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"
#include "ir/graph.h"
#include "ir/result.h"

#include <string>

namespace apr {

struct CompileOptions {
  TargetOptions target;
  std::string sourceHash; ///< SHA-256 of the source, hexadecimal; goes into the object
  /// Which texts to make beside object, header and manifest.
  bool llvmText = false;
  bool optimizedLlvmText = false;
  bool assemblyText = false;
};

/// Everything aprc can write about a model. The same module, options and compiler give the same
/// bytes.
struct CompiledModel {
  std::string prefix; ///< of the C symbols: "digits"
  std::string object;
  std::string header;
  std::string manifest;
  std::string llvm;          ///< what codegen made
  std::string optimizedLlvm; ///< what LLVM's passes left
  std::string assembly;
};

/// Compiles a module that has run through the whole pipeline (plan-buffers last). The error is the
/// user's: an unknown target, names that collide in C.
Result<CompiledModel> compileModule(const Module &module, const CompileOptions &options);

} // namespace apr
