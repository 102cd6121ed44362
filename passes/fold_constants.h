// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Computes ops whose operands are all constants, with the reference interpreter.
///
///     %a: f64 = constant {value = 0.9}
///     %b: f32 = convert %a
///   →
///     %b: f32 = constant {value = 0.9}
///
/// The interpreter is the meaning of the IR, so folding cannot disagree with run time. An
/// element-wise op of constants that are the same everywhere folds for open sizes too; others fold
/// up to kMaximumFoldedElements, so that the object does not carry tables that are cheap to make.
///
/// Requires: no `gradient` ops. Establishes: nothing that others rely on. Invalidates: nothing;
/// the folded operands stay for dce.
void foldConstants(Module &module, const PassOptions &options, Diagnostics &diagnostics);

inline constexpr int64_t kMaximumFoldedElements = 64;

} // namespace apr
