// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"

#include <mpfr.h>

#include <span>

namespace apr::exhaustive {

/// An elementary function twice: by MPFR, and roughly by the host's f64 functions.
struct ReferenceFunctions {
  int (*exact)(mpfr_t, const mpfr_t, mpfr_rnd_t);
  /// Many at once, so that the call costs nothing.
  void (*approximate)(std::span<const float> operands, double *results);
  /// Above the relative error of `approximate`, by a factor of 16 at least.
  double margin = 0x1p-46;
};

/// For the kinds of isElementary(); others are an internal error.
ReferenceFunctions findReferenceFunctions(OpKind kind);

} // namespace apr::exhaustive
