// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

namespace apr::train {

/// Several lambdas as one visitor of a variant.
template <class... F> struct Overloaded : F... {
  using F::operator()...;
};
template <class... F> Overloaded(F...) -> Overloaded<F...>;

} // namespace apr::train
