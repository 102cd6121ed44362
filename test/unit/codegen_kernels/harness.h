// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"
#include "ir/interp/interpreter.h"

#include <string>
#include <vector>

namespace apr::test {

/// How a graph becomes kernels.
enum class Division {
  OneKernel, ///< all ops in one, whatever fusion would think of it
  EachOp,    ///< fuse-elementwise with fusion off
  Fused,     ///< fuse-elementwise
};

struct Variant {
  std::string cpu;
  bool scalarOnly = false;
  Division division = Division::Fused;
  std::string str() const;
};

/// All levels of this machine and scalar code, each with the given divisions.
std::vector<Variant> variants(const std::vector<Division> &divisions);

/// Divides the graph into kernels and runs their native code, blocks in descending order.
std::vector<Tensor> runNative(const Graph &graph, const std::vector<Tensor> &arguments,
                              const DimBindings &dims, const Variant &variant);

/// Fails the test where native code of any variant differs from the interpreter in a bit.
void expectSameBits(const Graph &graph, const std::vector<Tensor> &arguments,
                    const DimBindings &dims = {},
                    const std::vector<Division> &divisions = {Division::OneKernel, Division::EachOp,
                                                              Division::Fused});

/// Reproducible elements: ordinary numbers, with `edges` also zeros, infinities, NaN, extremes.
enum class Content { Ordinary, Edges };
Tensor randomTensor(DType dtype, std::vector<int64_t> shape, uint64_t seed,
                    Content content = Content::Ordinary);
/// Integers in [low, high).
Tensor randomIntegers(DType dtype, std::vector<int64_t> shape, uint64_t seed, int64_t low,
                      int64_t high);

/// The assembly of a graph as one kernel.
std::string assemblyOf(const Graph &graph, const Variant &variant,
                       const std::vector<std::string> &dimNames = {});

/// The graph as kernels, for looking at what fusion made.
Graph divide(const Graph &graph, Division division);

} // namespace apr::test
