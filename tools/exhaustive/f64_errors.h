// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/exhaustive/f64_functions.h"

namespace apr::exhaustive {

/// The largest error of a function that was found, and where.
struct F64Error {
  double ulps = 0;
  double x = 0, y = 0; ///< y of functions of two operands
  uint64_t inputs = 0;
};

/// Measures against MPFR on the inputs of f64_inputs.h.
F64Error measure(const F64Function &function, uint64_t count, uint64_t seed);
F64Error measure(const F64BinaryFunction &function, uint64_t count, uint64_t seed);

} // namespace apr::exhaustive
