// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of reductions and contractions.
#include "passes/autodiff/grad_rules.h"

#include <algorithm>

namespace apr {
namespace {

std::vector<int64_t> keptAxes(const OpGradient &d) {
  const std::vector<int64_t> &reduced = d.op.attributes.integers(AttrKey::Axes);
  std::vector<int64_t> kept;
  for (int64_t axis = 0; axis < int64_t(d.type(d.x()).rank()); ++axis)
    if (!std::ranges::count(reduced, axis))
      kept.push_back(axis);
  return kept;
}

/// A value of the reduced shape, repeated along the reduced axes.
ValueId repeat(OpGradient &d, ValueId v) {
  return d.b.broadcast(v, d.type(d.x()).shape, keptAxes(d));
}

/// The row-major index among the reduced axes, i32, of the operand's shape.
ValueId indexAmongReduced(OpGradient &d) {
  const std::vector<int64_t> &reduced = d.op.attributes.integers(AttrKey::Axes);
  Shape shape = d.type(d.x()).shape;
  Shape sizes;
  for (int64_t axis : reduced)
    sizes.push_back(shape[size_t(axis)]);
  ValueId flat = d.b.iota({DType::I32, {elementCount(sizes)}}, 0);
  return d.b.broadcast(d.b.reshape(flat, sizes), shape, reduced);
}

/// The gradient goes to the first extremal element of each group (to the first NaN, where there is
/// one), which `position` finds.
void gradExtremum(OpGradient &d, OpKind position) {
  d.give(0, [&] {
    std::vector<int64_t> axes = d.op.attributes.integers(AttrKey::Axes);
    if (axes.empty())
      return d.g;
    ValueId first = d.b.reduce(position, d.x(), axes);
    ValueId repeated = repeat(d, first);
    ValueId isFirst = d.b.binary(OpKind::Eq, indexAmongReduced(d), repeated);
    ValueId zero = d.splat(d.x(), 0);
    return d.b.select(isFirst, repeat(d, d.g), zero);
  });
}

} // namespace

void gradSum(OpGradient &d) {
  d.give(0, [&] { return repeat(d, d.g); });
}

void gradReduceMax(OpGradient &d) { gradExtremum(d, OpKind::ArgMax); }
void gradReduceMin(OpGradient &d) { gradExtremum(d, OpKind::ArgMin); }

namespace {

/// A product near the operand's value: P · E, where P is the product of the elements that are not 0
/// and E that of the zeros, which is 1, their sum, or (sum² − sum of squares)/2 for none, one or
/// two of them. More give 0 with zero first and second derivatives. Written so, derivatives of the
/// product's derivative are right at zeros too; dividing the product by an element is not.
class ProductAtZeros {
public:
  explicit ProductAtZeros(OpGradient &d)
      : d_(d), b_(d.b), full_(d.type(d.x())), kept_(d.type(d.result())),
        isZero_(b_.binary(OpKind::Eq, d.x(), d.splat(d.x(), 0))),
        others_(b_.select(isZero_, d.splat(d.x(), 1), d.x())),
        zeros_(b_.select(isZero_, d.x(), d.splat(d.x(), 0))), sum_(sumOf(zeros_)),
        count_(sumOf(b_.convert(isZero_, DType::I64))) {}

  /// The derivative by each element.
  ValueId derivative() {
    ValueId product = repeat(d_, b_.create(OpKind::Product, {others_}, d_.op.attributes));
    ValueId squares = sumOf(b_.mul(zeros_, zeros_));
    ValueId half = b_.splat(kept_, 0.5);
    ValueId pairs = b_.mul(b_.sub(b_.mul(sum_, sum_), squares), half);
    ValueId ofZeros = chooseByCount(kept_, b_.splat(kept_, 1), sum_, pairs);
    ValueId otherZero = b_.sub(repeat(d_, sum_), zeros_);
    ValueId one = b_.splat(full_, 1);
    ValueId byZero = chooseByCount(full_, b_.splat(full_, 0), one, otherZero);
    ValueId repeated = repeat(d_, ofZeros);
    ValueId byOther = b_.mul(b_.div(product, others_), repeated);
    return b_.select(isZero_, b_.mul(product, byZero), byOther);
  }

private:
  ValueId sumOf(ValueId v) { return b_.sum(v, d_.op.attributes.integers(AttrKey::Axes)); }

  /// One of three values by the number of zeros in the group, 0 for more.
  ValueId chooseByCount(const Type &type, ValueId none, ValueId one, ValueId two) {
    ValueId result = b_.splat(type, 0);
    ValueId values[] = {none, one, two};
    for (int64_t number = 2; number >= 0; --number) {
      ValueId isNumber =
          b_.binary(OpKind::Eq, count_, b_.splatInteger({DType::I64, kept_.shape}, number));
      if (type.shape != kept_.shape)
        isNumber = repeat(d_, isNumber);
      result = b_.select(isNumber, values[number], result);
    }
    return result;
  }

  OpGradient &d_;
  Builder &b_;
  const Type full_, kept_;
  ValueId isZero_, others_, zeros_, sum_, count_;
};

} // namespace

void gradProduct(OpGradient &d) {
  d.give(0, [&] {
    if (d.op.attributes.integers(AttrKey::Axes).empty())
      return d.g;
    ValueId derivative = ProductAtZeros(d).derivative();
    return d.b.mul(repeat(d, d.g), derivative);
  });
}

/// Each element is a term of the sums at and after it.
void gradCumSum(OpGradient &d) {
  d.give(0, [&] {
    int64_t axis = d.op.attributes.integer(AttrKey::Axis);
    Attributes along{{AttrKey::Axes, std::vector<int64_t>{axis}}};
    ValueId reversed = d.b.create(OpKind::Reverse, {d.g}, along);
    ValueId sums = d.b.create(OpKind::CumSum, {reversed}, {{AttrKey::Axis, axis}});
    return d.b.create(OpKind::Reverse, {sums}, along);
  });
}

/// C = op(A) op(B), where op transposes or not: op(A)' = G op(B)ᵀ and op(B)' = op(A)ᵀ G, each
/// written as one matmul whose result has the layout of the operand.
void gradMatMul(OpGradient &d) {
  bool transposesA = d.op.attributes.integerOr0(AttrKey::TransposeA) != 0;
  bool transposesB = d.op.attributes.integerOr0(AttrKey::TransposeB) != 0;
  ValueId a = d.x(), b = d.y();
  d.give(0, [&] {
    return transposesA ? d.b.matmul(b, d.g, transposesB, true)
                       : d.b.matmul(d.g, b, false, !transposesB);
  });
  d.give(1, [&] {
    return transposesB ? d.b.matmul(d.g, a, true, transposesA)
                       : d.b.matmul(a, d.g, !transposesA, false);
  });
}

} // namespace apr
