// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/exhaustive/f64_functions.h"

#include <functional>

namespace apr::exhaustive {

/// Operands where the errors of a function are to be looked for: zeros, infinities, the ends of all
/// ranges with their neighbours, published hard cases, multiples of pi/2 of any size, numbers close
/// to 1 and to where formulas change; then random ones of every exponent and in the range of
/// interest, `count` in all. The same for a seed everywhere.
void forEachF64Input(const F64Function &function, uint64_t count, uint64_t seed,
                     const std::function<void(double)> &visit);

/// The same for pairs: results that over- and underflow or are subnormal, bases close to 1, whole
/// and half exponents, exact results; points on and near the axes and diagonals.
void forEachF64Pair(const F64BinaryFunction &function, uint64_t count, uint64_t seed,
                    const std::function<void(double, double)> &visit);

} // namespace apr::exhaustive
