// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ir_runs/interpreter_work.h"

#include "ir/scan.h"

#include <algorithm>
#include <limits>

namespace apr::run {
namespace {

/// What these cost the interpreter, in additions: correctly rounded functions, those that are long
/// sequences of f64 operations, and a position in a sorted line.
constexpr double kFunctionWork = 30;
constexpr double kSequenceWork = 200;
constexpr double kSortWork = 20;

class Estimate {
public:
  Estimate(const Graph &graph, const DimBindings &dims) : graph_(graph), dims_(dims) {}

  double all() const {
    double work = 0;
    for (const Op &op : graph_.ops())
      work += workOf(op);
    return work;
  }

private:
  double size(const Dim &dim) const {
    auto value = dim.evaluate(dims_);
    return value ? double(std::max<int64_t>(*value, 0)) : std::numeric_limits<double>::infinity();
  }

  double elements(ValueId v) const {
    double count = 1;
    for (const Dim &dim : graph_.type(v).shape)
      count *= size(dim);
    return count;
  }

  /// Operands are copied or read at least once, results written.
  double elementsTouched(const Op &op) const {
    double count = 0;
    for (ValueId v : op.operands)
      count += elements(v);
    for (ValueId v : op.results)
      count += elements(v);
    return count;
  }

  double termsPerProduct(const Op &op) const {
    const Shape &left = graph_.type(op.operands[0]).shape;
    const Shape &right = graph_.type(op.operands[1]).shape;
    if (op.kind == OpKind::MatMul)
      return size(left[left.size() - (op.attributes.integerOr0(AttrKey::TransposeA) != 0 ? 2 : 1)]);
    // The second operand has all terms times groups and outputs: w[K1..Kn,G,I,O],
    // y[B,S'1..S'n,G,O].
    size_t group = right.size() - (op.kind == OpKind::Conv ? 3 : 2);
    double apart = size(right[group]) * size(right.back());
    return apart > 0 ? elements(op.operands[1]) / apart : 0;
  }

  double workOf(const Op &op) const {
    switch (op.kind) {
    case OpKind::MatMul:
    case OpKind::Conv:
    case OpKind::ConvWeight:
      return elementsTouched(op) + elements(op.result()) * termsPerProduct(op);
    case OpKind::Scan:
      return elementsTouched(op) + size(ScanParts(op).length) * Estimate(*op.region, dims_).all();
    case OpKind::Kernel:
      return elementsTouched(op) + Estimate(*op.region, dims_).all();
    case OpKind::ArgSort:
      return elementsTouched(op) * kSortWork;
    default:
      return elementsTouched(op) * workPerElement(op.kind);
    }
  }

  static double workPerElement(OpKind kind) {
    OpFamily family = opInfo(kind).family;
    if (family == OpFamily::BinaryFloat || family == OpFamily::Random)
      return kSequenceWork;
    return family == OpFamily::Unary && !isArithmetic(kind) ? kFunctionWork : 1;
  }

  static bool isArithmetic(OpKind kind) {
    constexpr OpKind kArithmetic[] = {OpKind::Neg,  OpKind::Abs,   OpKind::Sign, OpKind::Floor,
                                      OpKind::Ceil, OpKind::Round, OpKind::Sqrt};
    return std::ranges::find(kArithmetic, kind) != std::end(kArithmetic);
  }

  const Graph &graph_;
  const DimBindings &dims_;
};

} // namespace

double interpreterWork(const Graph &graph, const DimBindings &dims) {
  return Estimate(graph, dims).all();
}

} // namespace apr::run
