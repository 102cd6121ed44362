// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "ir/result.h"

#include <functional>

namespace apr {

/// A dense row-major tensor with known dims.
struct Tensor {
  DType dtype = DType::F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  static Tensor zeros(DType dtype, std::vector<int64_t> shape);
  template <typename T> static Tensor scalar(DType dtype, T value);
  template <typename T> std::span<const T> elements() const {
    return {reinterpret_cast<const T *>(data.data()), data.size() / sizeof(T)};
  }
  template <typename T> std::span<T> elements() {
    return {reinterpret_cast<T *>(data.data()), data.size() / sizeof(T)};
  }
  int64_t count() const;
};

template <typename T> Tensor Tensor::scalar(DType dtype, T value) {
  Tensor t = zeros(dtype, {});
  t.elements<T>()[0] = value;
  return t;
}

/// Limits of one run, so that hostile IR cannot exhaust memory.
struct InterpreterOptions {
  int64_t maximumBytes = int64_t(8) << 30; ///< live tensors together
  /// Called with every value computed at the top level: dumps and op-by-op comparison.
  std::function<void(ValueId, const Tensor &)> observe;
};

/// Runs a graph: the meaning of the IR. Naive on purpose, one scalar at a time in the order that
/// the IR states; shares no formula with codegen. Accepts every stage of the pipeline but
/// `gradient`. NaNs in the results are canonical. Errors: shapes that do not fit the arguments or
/// the bindings, limits.
Result<std::vector<Tensor>> interpret(const Graph &graph, std::span<const Tensor> arguments,
                                      const DimBindings &dims,
                                      const InterpreterOptions &options = {});

/// Binds the function's dim variables from argument shapes where those are plain variables, checks
/// that all shapes agree and that the function's checks and index limits hold, and runs it.
/// `dims` binds what shapes do not say. Returns the results in the order of Function::results.
Result<std::vector<Tensor>> interpretFunction(const Function &function,
                                              std::span<const Tensor> arguments,
                                              const DimBindings &dims = {},
                                              const InterpreterOptions &options = {});

} // namespace apr
