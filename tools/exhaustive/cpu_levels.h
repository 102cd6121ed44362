// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"

namespace apr::exhaustive {

/// What compiled code is checked for on this machine: each CPU level that it runs, the best one
/// last.
std::vector<TargetOptions> levelsOfThisMachine();

/// The same, with the first level compiled at -O0 in front, which LLVM's optimizer does not touch.
std::vector<TargetOptions> targetsToCheck();

/// "x86-64-v3", "x86-64-v2 -O0".
std::string describe(const TargetOptions &options);

} // namespace apr::exhaustive
