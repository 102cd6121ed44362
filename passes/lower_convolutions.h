// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// Writes convolutions as products of matrices, whose rows are the windows.
///
///     %y: f32[B,26,26,1,8] = conv %x, %w {stride = [1,1], dilation = [1,1], order = …}
///   →
///     %v: f32[B,26,26,3,3,1,4] = window %x {axes = [1,2], size = [3,3], …}
///     %a: f32[676*B,36] = reshape %v
///     %b: f32[36,8] = reshape %w
///     %m: f32[676*B,8] = matmul %a, %b {order = …}
///     %y: f32[B,26,26,1,8] = reshape %m
///
/// A product's terms count in the same order as a convolution's, (k1..kn, i), so both have the same
/// bits. Windows are views: the product's kernel reads them where they lie, and no tensor of
/// windows is ever made. conv_weight becomes the product of the windows' transpose with its other
/// operand. Groups become batch dims. A convolution of many groups with one channel each stays:
/// such products would have one column, while its own code runs lanes over the groups. So does one
/// whose windows would be 2^63 bytes or more if they were written down.
///
/// Requires: every convolution has its order (fix-reduction-orders). Establishes: the convolutions
/// left are depthwise, or their windows no tensor. Invalidates: nothing.
void lowerConvolutions(Module &module, const PassOptions &options, Diagnostics &diagnostics);

} // namespace apr
