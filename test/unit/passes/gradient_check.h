// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives against central finite differences in f64, through the interpreter.
#pragma once

#include "ir/builder.h"
#include "ir/interp/interpreter.h"

#include <functional>
#include <ostream>

namespace apr::test {

/// A float value as a function of arguments; the test makes a scalar loss of it.
using BuildValue = std::function<ValueId(Builder &, const std::vector<ValueId> &)>;

struct GradientCase {
  std::string name;
  std::vector<Type> arguments; ///< float arguments are differentiated
  BuildValue build;
  double low = -2, high = 2; ///< range of the float arguments
  DimBindings dims = {};
  double tolerance = 2e-6; ///< relative to the largest derivative
};

/// For gtest's messages.
inline void PrintTo(const GradientCase &c, std::ostream *out) { *out << c.name; }

/// Fails the current test where a derivative differs from the finite difference.
void checkGradient(const GradientCase &c);
/// The same for the derivative of the sum of all (weighted) first derivatives.
void checkSecondGradient(const GradientCase &c);

/// A tensor of random numbers: floats in [low, high), integers in [-1, 4].
Tensor randomTensor(const Type &type, const DimBindings &dims, uint64_t seed, double low,
                    double high);

/// Every axis of a value of the type.
std::vector<int64_t> allAxes(const Type &type);

} // namespace apr::test
