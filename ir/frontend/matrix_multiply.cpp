// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operator `@`.
#include "ir/frontend/operators.h"

#include <fmt/format.h>

namespace apr::frontend {

Value Elaborator::matrixMultiply(const Value &left, const Value &right, Location location) {
  auto operand = [&](const Value &value) {
    TensorValue tensor = anyTensor(value, location, "an operand of '@'");
    if (tensor.type.shape.empty())
      fail(DiagnosticKind::ShapeMismatch, location, "'@' takes matrices, found a scalar",
           "'*' multiplies by a scalar");
    return tensor;
  };
  TensorValue a = operand(left);
  TensorValue b = operand(right);
  auto mismatch = [&](std::string_view why) {
    std::vector<DiagnosticNote> notes;
    addOrigin(notes, a, "the left side");
    addOrigin(notes, b, "the right side");
    fail(DiagnosticKind::ShapeMismatch, location,
         fmt::format("'@' of {} and {}: {}", str(a.type), str(b.type), why), {}, notes);
  };
  if (a.type.dtype != b.type.dtype)
    mismatch("the dtypes differ");
  if (a.type.dtype == DType::Bool)
    mismatch("bools have no product");
  if (a.type.dtype == DType::BF16)
    mismatch("bf16 is for storage, convert it: 'real(x)'");
  const Shape left0 = a.type.shape;
  const Shape right0 = b.type.shape;
  const Dim inner = left0.back();
  const Dim contracted = right0.size() == 1 ? right0[0] : right0[right0.size() - 2];
  if (inner != contracted)
    mismatch(fmt::format("the inner sizes {} and {} differ", inner.str(), contracted.str()));

  Builder &builder = context_->builder;
  Shape result(left0.begin(), left0.end() - 1);
  ValueId x = a.id;
  ValueId y = b.id;
  if (right0.size() <= 2) {
    // Every row of the left side meets one matrix: all its leading axes are rows.
    Dim rows = elementCount(result);
    x = left0.size() == 2 ? x : builder.reshape(x, {rows, inner});
    y = right0.size() == 2 ? y : builder.reshape(y, {inner, Dim(1)});
    if (right0.size() == 2)
      result.push_back(right0[1]);
  } else {
    Shape batch(right0.begin(), right0.end() - 2);
    if (left0.size() <= 2) {
      Shape wide = batch;
      wide.insert(wide.end(), left0.begin(), left0.end());
      x = builder.broadcastTail(x, wide);
      if (left0.size() == 1) {
        wide.insert(wide.end() - 1, Dim(1));
        x = builder.reshape(x, wide);
      }
      result.insert(result.begin(), batch.begin(), batch.end());
    } else if (Shape(left0.begin(), left0.end() - 2) != batch) {
      mismatch("the batch dims differ");
    }
    result.push_back(right0.back());
  }
  // A transposed operand is read in place.
  auto readsTransposed = [&](ValueId &value) {
    const Op *definition = context_->graph().definition(value);
    if (!definition || definition->kind != OpKind::Transpose)
      return false;
    const auto &perm = definition->attributes.integers(AttrKey::Perm);
    size_t rank = perm.size();
    bool swapsLast = perm[rank - 1] == static_cast<int64_t>(rank) - 2 &&
                     perm[rank - 2] == static_cast<int64_t>(rank) - 1;
    for (size_t i = 0; i + 2 < rank; ++i)
      swapsLast = swapsLast && perm[i] == static_cast<int64_t>(i);
    if (swapsLast)
      value = definition->operands[0];
    return swapsLast;
  };
  bool transposeA = readsTransposed(x);
  bool transposeB = readsTransposed(y);
  ValueId product = builder.at(location).matmul(x, y, transposeA, transposeB);
  if (builder.type(product).shape != result)
    product = builder.reshape(product, result);
  return make(product);
}

} // namespace apr::frontend
