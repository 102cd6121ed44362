// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/apr-run/stages.h"

namespace apr::run {

/// Native code of the module, fused and vectorised and at -O0, run through the reflection table of
/// the very object that aprc would write.
Result<std::vector<Variant>> nativeVariants(const Module &module, const std::string &cpu);

} // namespace apr::run
