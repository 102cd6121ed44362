// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <set>

namespace apr::fuzz {

/// True for an op through which derivatives can flow.
bool canHaveDerivative(OpKind kind);

/// The kinds of ops in a module, those in regions included.
std::set<OpKind> opsOf(const Module &module);

/// The kinds of ops of a source module that lie on the way from a differentiated value to a loss,
/// so that differentiate applies their rules; `gradient` itself among them.
std::set<OpKind> differentiatedOpsOf(const Module &module);

} // namespace apr::fuzz
