// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "ir/interp/interpreter.h"

namespace apr::test {

/// A module with one function @f over the open dim B, of random ops. Operands, constants and
/// movements are chosen so that the patterns of simplification are frequent, and values full of
/// signed zeros, infinities and NaN.
Module makeRandomModule(uint64_t seed);

/// Arguments for @f, edge values among them.
std::vector<Tensor> makeRandomArguments(const Module &module, const DimBindings &dims,
                                        uint64_t seed);

/// Runs @f; fails the test on an error.
std::vector<Tensor> runFunction(const Module &module, const std::vector<Tensor> &arguments,
                                const DimBindings &dims);

/// True where every result has the same bits.
bool haveSameBits(const std::vector<Tensor> &a, const std::vector<Tensor> &b);

} // namespace apr::test
