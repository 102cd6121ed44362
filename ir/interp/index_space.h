// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/eval.h"

namespace apr::interp {

/// Positions of a row-major index space mapped to offsets by a stride for each axis.
class StridedSpace {
public:
  StridedSpace() = default;
  StridedSpace(const Extents &extents, const Extents &strides)
      : extents_(extents), strides_(strides) {}
  void addAxis(int64_t extent, int64_t stride) {
    extents_.push_back(extent);
    strides_.push_back(stride);
  }
  int64_t count() const { return checkedCount(extents_); }
  /// The offset of the position that comes `index`-th in row-major order, for index < count().
  int64_t offset(int64_t index) const {
    int64_t total = 0;
    for (size_t axis = extents_.size(); axis-- > 0;) {
      total += index % extents_[axis] * strides_[axis];
      index /= extents_[axis];
    }
    return total;
  }

private:
  Extents extents_;
  Extents strides_;
};

/// Copies element `fromIndex` to element `toIndex` of a tensor of the same dtype.
void copyElement(const Tensor &from, int64_t fromIndex, Tensor &to, int64_t toIndex);

} // namespace apr::interp
