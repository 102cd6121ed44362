// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/interpreter.h"

#include <stdexcept>

namespace apr::interp {

using Extents = std::vector<int64_t>; ///< a shape with its dims bound

/// Ends the run; interpret() turns it into an Error.
struct EvalFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
[[noreturn]] void fail(const std::string &message);

/// "[64,3]"
std::string str(const Extents &extents);
/// Elements and bytes of a tensor; fails where the product does not fit.
int64_t checkedCount(const Extents &extents);
int64_t checkedBytes(DType dtype, const Extents &extents);
/// The distance in elements between neighbours along each axis, row-major.
Extents rowMajorStrides(const Extents &extents);

/// What the tensors of a run may hold together.
class MemoryBudget {
public:
  explicit MemoryBudget(int64_t maximumBytes) : remaining_(maximumBytes) {}
  void take(int64_t bytes);
  void giveBack(int64_t bytes) { remaining_ += bytes; }

private:
  int64_t remaining_;
};

/// One op, well typed, about to be computed: its operands, what its attributes say under the bound
/// dims, and a place for its results.
class Evaluation {
public:
  Evaluation(const Graph &graph, const Op &op, std::vector<const Tensor *> operands,
             const DimBindings &dims, MemoryBudget &memory, int depth);

  const Op &op() const { return op_; }
  const Graph &graph() const { return graph_; }
  const DimBindings &dims() const { return dims_; }
  MemoryBudget &memory() const { return memory_; }
  /// Regions around this op.
  int depth() const { return depth_; }

  size_t operandCount() const { return operands_.size(); }
  const Tensor &operand(size_t index) const { return *operands_[index]; }
  template <typename T> std::span<const T> elements(size_t index) const {
    return operand(index).elements<T>();
  }

  const Extents &resultExtents(size_t index = 0) const { return resultExtents_[index]; }
  DType resultDType(size_t index = 0) const { return graph_.type(op_.results[index]).dtype; }
  /// The result of this index, made of zeros on first use.
  Tensor &result(size_t index = 0);
  template <typename T> std::span<T> resultElements(size_t index = 0) {
    return result(index).elements<T>();
  }
  void setResult(size_t index, Tensor tensor);
  /// Results in order, NaNs canonical.
  std::vector<Tensor> takeResults();

  const Attributes &attributes() const { return op_.attributes; }
  int64_t evaluate(const Dim &dim) const;
  Extents evaluate(const Shape &shape) const;
  /// An attribute that numbers an axis of a tensor of this rank.
  size_t axis(AttrKey key, size_t rank) const;

  /// Fails, naming the op, unless the condition holds.
  void require(bool condition, std::string_view expectation) const;
  [[noreturn]] void reject(std::string_view reason) const;

private:
  /// Graphs that no verifier has seen must not lead to accesses out of bounds.
  void checkTypes() const;

  const Graph &graph_;
  const Op &op_;
  std::vector<const Tensor *> operands_;
  const DimBindings &dims_;
  MemoryBudget &memory_;
  int depth_;
  std::vector<Extents> resultExtents_;
  std::vector<std::optional<Tensor>> results_;
};

// One per row of ops.def.
#define APR_OP(Name, ...) void eval##Name(Evaluation &e);
#include "ir/ops.def"

/// Runs a graph inside a run: a region, or an expansion.
std::vector<Tensor> runGraph(const Graph &graph, const std::vector<const Tensor *> &arguments,
                             const DimBindings &dims, MemoryBudget &memory, int depth,
                             const std::function<void(ValueId, const Tensor &)> &observe);

/// Makes NaNs canonical and bools 0 or 1.
void canonicalize(Tensor &tensor);

/// Calls f with a zero of the C++ type that stores the dtype.
template <typename F> decltype(auto) visitFloat(const Evaluation &e, DType dtype, F &&f) {
  switch (dtype) {
  case DType::F32:
    return f(float(0));
  case DType::F64:
    return f(double(0));
  case DType::I32:
  case DType::I64:
  case DType::Bool:
  case DType::U8:
  case DType::BF16:
    break;
  }
  e.reject("works on floats only");
}

template <typename F> decltype(auto) visitInteger(const Evaluation &e, DType dtype, F &&f) {
  switch (dtype) {
  case DType::I32:
    return f(int32_t(0));
  case DType::I64:
    return f(int64_t(0));
  case DType::U8:
    return f(uint8_t(0));
  case DType::F32:
  case DType::F64:
  case DType::Bool:
  case DType::BF16:
    break;
  }
  e.reject("works on integers only");
}

template <typename F> decltype(auto) visitNumeric(const Evaluation &e, DType dtype, F &&f) {
  if (isFloat(dtype))
    return visitFloat(e, dtype, std::forward<F>(f));
  return visitInteger(e, dtype, std::forward<F>(f));
}

/// A bool is visited as the byte 0 or 1 that stores it, a bf16 as its bits.
template <typename F> decltype(auto) visitAny(const Evaluation &e, DType dtype, F &&f) {
  if (dtype == DType::BF16)
    return f(uint16_t(0));
  return visitNumeric(e, dtype == DType::Bool ? DType::U8 : dtype, std::forward<F>(f));
}

} // namespace apr::interp
