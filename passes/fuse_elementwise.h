// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Makes every op part of a kernel. What one kernel computes stays in registers, so each fusion
/// saves a trip of a tensor through memory; nothing else changes, least of all a bit.
///
///     %m: f32[B,64] = matmul %x, %w              %h: f32[B,64] = kernel(%x, %w, %b) {
///     %s: f32[B,64] = add %m, %bias       →        … the same ops …
///     %h: f32[B,64] = max %s, %zero              } {form = "matmul"}
///
/// Greedy: a value with one consumer joins it, then consumers join the kernel that makes their
/// operand, until nothing changes. Forms: "map" (elementwise in its results' shape), "reduce" (then
/// elementwise), "row" (reductions over trailing axes and results of whole rows), "matmul" (with an
/// elementwise epilogue), "scatter", "line" (an op along one axis). With PassOptions::fuse off
/// every op is its own kernel.
///
/// A scan stays an op of its own; what its region holds becomes kernels there.
///
/// Requires orders on all reductions. Establishes that a function has only kernels and scans.
/// Invalidates buffers.
void fuseElementwise(Module &module, const PassOptions &options, Diagnostics &diagnostics);

/// True where the kernel reads an element of the operand only to compute the element of the result
/// at the same index, and after every other read of it, so that both may share one buffer.
/// Conservative.
bool readsOnlyAtWrittenIndex(const Op &kernel, size_t operand, size_t result);

} // namespace apr
