// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/lower_test.h"
#include "ir/interp/interpreter.h"

#include <optional>
#include <string>
#include <utility>

namespace apr::aprun {

/// Why a condition does not hold for the results of its test; nothing where it holds.
std::optional<std::string> failureText(const Expectation &expectation,
                                       const std::vector<Tensor> &results);

/// How two tensors of one type differ: their values where they are few, else the first elements
/// that differ in bits. `names` are what the two are called.
std::string differenceText(const Tensor &left, const Tensor &right,
                           std::pair<const char *, const char *> names);

} // namespace apr::aprun
