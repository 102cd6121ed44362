// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/double2.h"

// Functions in double-double arithmetic: series, continued fractions and Newton's method. Neither
// the host's math library nor a formula of the code generator takes part.
namespace apr::exact {

/// 1/k for the denominators of series; 0 < k < 1024.
const Double2 &reciprocal(int k);

/// e^x - 1 and e^x for |x| <= 200.
Double2 expm1Of(Double2 x);
Double2 expOf(Double2 x);
/// 2^x for |x| <= 500.
Double2 exp2Of(double x);

/// For x > 0, exact in the neighbourhood of 1.
Double2 logOf(Double2 x);
Double2 log2Of(Double2 x);
/// log(1 + x) for 0 <= x <= 1, relative to x where x is small.
Double2 log1pOf(Double2 x);

Double2 erfOf(Double2 x);
/// The inverse of erf on (0, 1).
Double2 inverseErfOf(double x);
/// The normal distribution function, for |x| <= 19.
Double2 normalOf(double x);

/// sin(x + firstQuarter * pi/2) for finite x >= 0.
Double2 sineOf(float x, int firstQuarter);
Double2 tangentOf(float x);
/// For x >= 0.
Double2 arctangentOf(Double2 x);
/// For 0 <= x <= 1, and for |x| <= 1.
Double2 arcsineOf(double x);
Double2 arccosineOf(double x);

} // namespace apr::exact
