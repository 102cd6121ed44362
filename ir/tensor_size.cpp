// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/tensor_size.h"

#include <algorithm>

namespace apr {

bool canExist(const Type &type) {
  int64_t bytes = byteSize(type.dtype);
  return std::ranges::all_of(type.shape, [&](const Dim &dim) {
    auto size = dim.asConstant();
    return dim.isValid() &&
           (!size || *size == 0 || (*size > 0 && !__builtin_mul_overflow(bytes, *size, &bytes)));
  });
}

} // namespace apr
