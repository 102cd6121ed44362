// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/eval.h"

#include "ir/bfloat.h"
#include "ir/infer.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace apr::interp {

void fail(const std::string &message) { throw EvalFailure(message); }

std::string str(const Extents &extents) {
  std::string text = "[";
  for (size_t i = 0; i < extents.size(); ++i)
    text += fmt::format("{}{}", i ? "," : "", extents[i]);
  return text + "]";
}

int64_t checkedCount(const Extents &extents) {
  // An empty axis makes the tensor empty, however large the other axes are.
  for (int64_t extent : extents) {
    if (extent < 0)
      fail(fmt::format("the shape {} has a negative dim", str(extents)));
    if (extent == 0)
      return 0;
  }
  int64_t count = 1;
  for (int64_t extent : extents)
    if (__builtin_mul_overflow(count, extent, &count))
      fail(fmt::format("the shape {} has more than 2^63 elements", str(extents)));
  return count;
}

int64_t checkedBytes(DType dtype, const Extents &extents) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(checkedCount(extents), int64_t(byteSize(dtype)), &bytes))
    fail(fmt::format("the shape {} has more than 2^63 bytes", str(extents)));
  return bytes;
}

Extents rowMajorStrides(const Extents &extents) {
  Extents strides(extents.size());
  // Unsigned: around an empty axis the products are never used, but may be large.
  uint64_t stride = 1;
  for (size_t i = extents.size(); i-- > 0;) {
    strides[i] = static_cast<int64_t>(stride);
    stride *= static_cast<uint64_t>(extents[i]);
  }
  return strides;
}

void MemoryBudget::take(int64_t bytes) {
  if (bytes > remaining_)
    fail(fmt::format("{} more bytes exceed the memory limit of the run, {} are left", bytes,
                     remaining_));
  remaining_ -= bytes;
}

Evaluation::Evaluation(const Graph &graph, const Op &op, std::vector<const Tensor *> operands,
                       const DimBindings &dims, MemoryBudget &memory, int depth)
    : graph_(graph), op_(op), operands_(std::move(operands)), dims_(dims), memory_(memory),
      depth_(depth), results_(op.results.size()) {
  checkTypes();
  for (ValueId result : op.results)
    resultExtents_.push_back(evaluate(graph.type(result).shape));
}

void Evaluation::checkTypes() const {
  std::vector<Type> operandTypes, resultTypes;
  for (ValueId operand : op_.operands)
    operandTypes.push_back(graph_.type(operand));
  for (ValueId result : op_.results)
    resultTypes.push_back(graph_.type(result));
  auto inferred = inferTypes(op_.kind, operandTypes, op_.attributes, resultTypes, op_.region.get());
  if (!inferred)
    reject(inferred.error());
  require(*inferred == resultTypes, "has results of other types than its operands imply");
}

Tensor &Evaluation::result(size_t index) {
  if (!results_[index]) {
    memory_.take(checkedBytes(resultDType(index), resultExtents_[index]));
    results_[index] = Tensor::zeros(resultDType(index), resultExtents_[index]);
  }
  return *results_[index];
}

void Evaluation::setResult(size_t index, Tensor tensor) {
  require(tensor.dtype == resultDType(index) && tensor.shape == resultExtents(index),
          "gives a result of another type than stated");
  results_[index] = std::move(tensor);
}

std::vector<Tensor> Evaluation::takeResults() {
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < results_.size(); ++i) {
    canonicalize(result(i));
    tensors.push_back(std::move(*results_[i]));
  }
  return tensors;
}

int64_t Evaluation::evaluate(const Dim &dim) const {
  auto value = dim.evaluate(dims_);
  if (!value)
    reject(
        fmt::format("needs the value of the dim {}, which is not bound or overflows", dim.str()));
  return *value;
}

Extents Evaluation::evaluate(const Shape &shape) const {
  Extents extents;
  for (const Dim &dim : shape)
    extents.push_back(evaluate(dim));
  return extents;
}

size_t Evaluation::axis(AttrKey key, size_t rank) const {
  int64_t value = attributes().integer(key);
  require(value >= 0 && static_cast<uint64_t>(value) < rank, "names an axis that does not exist");
  return static_cast<size_t>(value);
}

void Evaluation::require(bool condition, std::string_view expectation) const {
  if (!condition)
    reject(expectation);
}

void Evaluation::reject(std::string_view reason) const {
  fail(fmt::format("{} {}", opInfo(op_.kind).mnemonic, reason));
}

namespace {
template <typename T> void canonicalizeFloats(std::span<T> elements) {
  for (T &x : elements)
    if (std::isnan(x))
      x = std::numeric_limits<T>::quiet_NaN();
}
} // namespace

void canonicalize(Tensor &tensor) {
  switch (tensor.dtype) {
  case DType::F32:
    return canonicalizeFloats(tensor.elements<float>());
  case DType::F64:
    return canonicalizeFloats(tensor.elements<double>());
  case DType::Bool:
    for (uint8_t &x : tensor.elements<uint8_t>())
      x = x != 0;
    return;
  case DType::BF16:
    for (uint16_t &x : tensor.elements<uint16_t>())
      x = isBfloatNaN(x) ? kBfloatNaN : x;
    return;
  case DType::I32:
  case DType::I64:
  case DType::U8:
    return;
  }
}

} // namespace apr::interp
