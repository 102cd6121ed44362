// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"

namespace apr {

/// Elements from the first to the last that a window touches along an axis.
Dim windowExtent(int64_t size, int64_t dilation);
/// How many windows fit an axis.
Dim windowCount(const Dim &axis, int64_t size, int64_t stride, int64_t dilation);

ValueId buildWindow(Builder &builder, ValueId x, std::vector<int64_t> axes,
                    std::vector<int64_t> size, std::vector<int64_t> stride,
                    std::vector<int64_t> dilation);
/// The attributes that conv has and conv_weight needs a size besides.
Attributes convAttributes(std::vector<int64_t> stride, std::vector<int64_t> dilation);

/// The transpose of a convolution: what it hands back to x[B,S1..Sn,G,I] from y[B,S'1..S'n,G,O]
/// through w[K1..Kn,G,I,O]. `spatial` is S; positions that no window reaches are 0. S' must be what
/// the convolution gives for S, or less.
///
/// It is a convolution too. Where the stride s is above 1, the kernel's taps divide into s classes,
/// one for each remainder of the position by s; each class is a kernel of its own on y, all of them
/// channels of one convolution of stride 1, whose channels are then laid out side by side. Nothing
/// is multiplied by the zeros that would stand between the elements of a y spread out by the
/// stride.
ValueId buildConvTranspose(Builder &builder, ValueId y, ValueId w, const Shape &spatial,
                           const std::vector<int64_t> &stride,
                           const std::vector<int64_t> &dilation);

/// The transpose of `window`: sums the windows' elements into the positions they come from. `shape`
/// is that of the windowed value; `axes` ascends. Elements add in ascending order of their windows.
ValueId buildWindowTranspose(Builder &builder, ValueId windows, const Shape &shape,
                             const std::vector<int64_t> &axes, const std::vector<int64_t> &size,
                             const std::vector<int64_t> &stride,
                             const std::vector<int64_t> &dilation);

} // namespace apr
