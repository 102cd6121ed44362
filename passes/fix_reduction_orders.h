// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Writes the order of every float sum and contraction into its `order` attribute.
///
/// An op without one already means this order (ir/order.h), so no value changes; written down, it
/// can no longer depend on anything a later pass does. It is a function of the op's kind and of
/// whether the summed axes include the operand's last, never of sizes, uses or targets. An order
/// that the source states is kept.
///
///     %h: f32[B,64] = matmul %x, %w
///   →
///     %h: f32[B,64] = matmul %x, %w {order = tree(seq(512))}
///
/// Integer sums wrap, so every order gives their bits, and they get none.
///
/// Requires: no `gradient` ops. Establishes: every float sum and matmul has an order. Invalidates:
/// nothing.
void fixReductionOrders(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
