// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace apr::train {

/// Values as a line of block characters, the lowest as the smallest block: at most `width` of them,
/// each the mean of its share of the values. Values that are not finite leave blanks.
std::string sparkline(const std::vector<double> &values, std::size_t width);

} // namespace apr::train
