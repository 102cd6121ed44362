// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-run/closeness.h"

#include "tools/ir_runs/tensor_text.h"

#include <cmath>
#include <fmt/format.h>

namespace apr::run {

namespace {

template <typename T>
std::optional<std::string> distance(const Tensor &found, const Tensor &expected, double tolerance) {
  auto a = found.elements<T>();
  auto b = expected.elements<T>();
  for (size_t i = 0; i < a.size(); ++i) {
    double x = static_cast<double>(a[i]);
    double y = static_cast<double>(b[i]);
    bool isSame = x == y || (std::isnan(x) && std::isnan(y));
    // Infinity is within any share of itself from every number.
    bool isNear = std::isfinite(y) && std::abs(x - y) <= tolerance * (1 + std::abs(y));
    if (!isSame && !isNear)
      return fmt::format("element {} is {}, expected about {}", i, x, y);
  }
  return std::nullopt;
}

} // namespace

std::optional<std::string> firstDistance(const Tensor &found, const Tensor &expected) {
  if (found.dtype != expected.dtype || found.shape != expected.shape || !isFloat(found.dtype))
    return firstDifference(found, expected);
  return found.dtype == DType::F32 ? distance<float>(found, expected, 2e-5)
                                   : distance<double>(found, expected, 1e-11);
}

} // namespace apr::run
