// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Decides where every value lives, so that a step needs no allocation: arguments and results lie
/// in the caller's blocks, everything between in one workspace whose offsets are polynomials of the
/// open dims. A block of the workspace is used again once its value is dead and it is provably
/// large enough.
///
/// New state is written over the old where the kernel that makes it can come after every reader of
/// the old value (kernels are reordered for that), and otherwise by a copy at the end:
///
///     %g = kernel %x, %w { … }                %g = kernel %x, %w { … }      workspace 0
///     %new = kernel %w, %g { sub … }     →    %new = kernel %w, %g { … }    state 64
///     return update w = %new                  return update w = %new
///
/// The carries of a scan lie where its last ones do, from the kernel that makes the first ones on,
/// and each step writes them over like new state. What lives within a step has a place in the
/// workspace around it; the other values of a region have none of their own: its arguments lie in
/// the scan's operands and its results in the scan's results, at the index of the step where these
/// are stacks.
///
/// Requires: every op is a kernel or a scan of kernels (fuse-elementwise). Establishes:
/// Value::buffer of every value but those of regions just named and exec arguments, whose home is
/// the frame of the entry point; Function::workspaceBytes (scratch of kernels not counted); rule 8
/// of the verifier. Invalidates: nothing.
void planBuffers(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
