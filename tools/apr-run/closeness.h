// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/interpreter.h"

#include <optional>
#include <string>

namespace apr::run {

/// Where a tensor is further from the expected one than rounding explains, as text, or nothing:
/// a float may differ by 1e-11 (f64) or 2e-5 (f32) of 1 + |expected|; everything else, NaN and
/// infinities must agree.
std::optional<std::string> firstDistance(const Tensor &found, const Tensor &expected);

} // namespace apr::run
