// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/ast.h"
#include "ir/frontend/value.h"

#include <functional>
#include <string>

namespace apr::frontend {

/// "groups = 2 does not divide inputs = 3" where the expression is a quotient of whole numbers that
/// is no whole number; else empty.
std::string hintForQuotient(const Expr &expr, const std::function<Value(const Expr &)> &evaluate);

/// How to move the second axis to the end where it has the size that the last axis should have and
/// has not: what is channels-first elsewhere is channels-last here. Else empty.
std::string hintForChannels(const Shape &found, const Dim &last);

} // namespace apr::frontend
