// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <aprt.h>

extern "C" {
/// A reflection table written by hand around straight-line C++: y = w·x + b in f64 with two
/// features, loss and gradients of the mean squared error, plain gradient descent. What the generic
/// runner sees of a compiled model, without a compiler.
const aprt_model *fake_model(void);
}
