// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/model_description.h"

#include <string>

namespace apr {

/// Texts about the compilation and what the kernels were found to need.
struct ManifestFacts {
  std::string compiler;
  std::string triple;
  std::string cpu;
  std::string sourceHash;
  std::vector<uint64_t> scratchBytes; ///< per entry and worker
};

/// The JSON manifest: the content of the reflection table, docs, checks and symbols; its schema is
/// in docs/abi.md.
std::string generateManifest(const ModelDescription &model, const ManifestFacts &facts);

} // namespace apr
