// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/value.h"

#include <functional>

namespace apr::frontend {

/// Tuples and bundles are trees of tensors. Rebuilds one with `function` applied to its leaves,
/// left to right; `none` stays.
Value mapLeaves(const Value &tree, const std::function<Value(const Value &)> &function);

/// The same for the leaves of `given` that stand where those of `like` do; empty where the trees
/// have different forms.
std::optional<Value>
mapLeavesOf(const Value &like, const Value &given,
            const std::function<Value(const Value &like, const Value &given)> &function);

} // namespace apr::frontend
