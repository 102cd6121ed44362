// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/frontend.h"
#include "ir/interp/interpreter.h"

#include <string>
#include <vector>

namespace apr::testing {

/// A compiled program, or its messages as text.
struct Compiled {
  std::optional<Module> module;
  std::string messages;
  std::vector<std::string> codes; ///< of the messages, in order

  /// The function's results for the arguments; fails the test where it cannot run.
  std::vector<Tensor> run(const std::string &function, const std::vector<Tensor> &arguments,
                          const DimBindings &dims = {}) const;
};

/// Compiles and, where that succeeds, verifies; verifier messages land in `messages`.
Compiled compile(const std::string &text, const FrontendOptions &options = {});

Tensor f32s(std::vector<int64_t> shape, std::vector<float> values);
Tensor f64s(std::vector<int64_t> shape, std::vector<double> values);
Tensor i32s(std::vector<int64_t> shape, std::vector<int32_t> values);

/// Runs `entry f(<parameters>) -> <result> <body>` and returns its first result.
Tensor evaluate(const std::string &entry, const std::vector<Tensor> &arguments);

template <typename T> std::vector<T> values(const Tensor &tensor) {
  return {tensor.elements<T>().begin(), tensor.elements<T>().end()};
}

} // namespace apr::testing
