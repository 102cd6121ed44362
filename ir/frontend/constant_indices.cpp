// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/constant_indices.h"

#include <cstring>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

int64_t checkedIndex(Elaborator &e, int64_t index, const Dim &size, Location location) {
  auto known = size.asConstant();
  if (index < 0 && !known)
    e.fail(
        DiagnosticKind::OpenDim, location,
        fmt::format("{} counts from the end of an axis of {}, which is open", index, size.str()));
  if (known && (index < -*known || index >= *known))
    e.fail(DiagnosticKind::BadIndex, location,
           fmt::format("index {} of an axis of {}", index, *known));
  return index < 0 ? index + *known : index;
}

} // namespace

TensorValue requireIndices(Elaborator &e, const Value &value, const Dim &size, Location location,
                           std::string_view what) {
  if (Elaborator::asInt(value) || value.is<ListValue>()) {
    TensorValue tensor = e.requireTensor(value, DType::I64, location, what);
    Builder &builder = e.context().builder;
    Literal literal = builder.graph().definition(tensor.id)->attributes.literal();
    for (size_t i = 0; i < literal.count(); ++i) {
      std::byte *at = literal.bytes.data() + i * sizeof(int64_t);
      int64_t index = 0;
      std::memcpy(&index, at, sizeof index);
      index = checkedIndex(e, index, size, location);
      std::memcpy(at, &index, sizeof index);
    }
    return e.make(builder.constant(tensor.type, std::move(literal)));
  }
  if (value.is<DimValue>())
    return e.requireTensor(value, DType::I64, location, what);
  TensorValue tensor = e.anyTensor(value, location, what);
  if (tensor.type.dtype != DType::I32 && tensor.type.dtype != DType::I64)
    e.fail(DiagnosticKind::DTypeMismatch, location,
           fmt::format("indices are i32 or i64, found {}", str(tensor.type)));
  return tensor;
}

} // namespace apr::frontend
