// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/ir_runs/stages.h"

namespace apr::run {

/// Native code for a CPU level, called through the reflection table of the very object that aprc
/// would write: fused and vectorised, once serially and once with its blocks backwards on three
/// workers, and at -O0.
Result<std::vector<Variant>> nativeVariants(const Module &source, const SourceManager &sources,
                                            const std::string &cpu);

} // namespace apr::run
