// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/dim_value.h"

namespace apr {

ValueId dimValue(Builder &builder, const Dim &dim, DType dtype) {
  const Type scalar{dtype, {}};
  if (auto known = dim.asConstant())
    return isFloat(dtype) ? builder.splat(scalar, static_cast<double>(*known))
                          : builder.splatInteger(scalar, *known);
  const DType wide = isFloat(dtype) ? DType::F64 : DType::I64;
  ValueId counts = builder.iota({wide, {dim + Dim(1)}}, 0);
  ValueId last = builder.slice(counts, {dim}, {dim + Dim(1)}, {1});
  ValueId value = builder.named("size").reshape(last, {});
  return dtype == wide ? value : builder.convert(value, dtype);
}

} // namespace apr
