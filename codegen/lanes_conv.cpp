// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions at single points: those that lower-convolutions leaves, whose groups are so small
// that lanes run over groups rather than over a group's channels.
#include "codegen/lanes.h"
#include "codegen/ordered_sum.h"

namespace apr::codegen {

using llvm::Value;

namespace {

using Coordinates = std::vector<Coordinate>;

/// The factors of a term: one element of x[B,S..,G,I] and one of the other operand.
struct Factors {
  Coordinates x, other;
};

class ConvTerms {
public:
  ConvTerms(LaneEvaluator &lanes, const Op &op, const Point &point)
      : lanes_(lanes), op_(op), point_(point), n_(lanes.region().type(op.operands[0]).rank() - 3) {
    const Shape &other = lanes.region().type(op.operands[1]).shape;
    // Kernel positions and input channels; or batch and windows.
    if (op.kind == OpKind::Conv)
      sizes_.assign(other.begin(), other.end() - 3), sizes_.push_back(other[n_ + 1]);
    else
      sizes_.assign(other.begin(), other.end() - 2);
  }

  Index count() const { return lanes_.nest().count(sizes_); }

  Factors at(const Coordinate &term, uint32_t width) const {
    const Coordinates t = lanes_.delinearize(term, sizes_, width);
    const Coordinates &p = point_.coordinates;
    return op_.kind == OpKind::Conv ? ofConv(t, p, width) : ofConvWeight(t, p, width);
  }

private:
  /// Window times stride plus kernel position times dilation, per axis.
  Coordinate position(size_t axis, const Coordinate &window, const Coordinate &k,
                      uint32_t width) const {
    const int64_t stride = op_.attributes.integers(AttrKey::Stride)[axis];
    const int64_t dilation = op_.attributes.integers(AttrKey::Dilation)[axis];
    return lanes_.add(lanes_.multiply(window, stride, width), lanes_.multiply(k, dilation, width),
                      width);
  }

  /// Term (k.., i) of result (b, s'.., g, o).
  Factors ofConv(const Coordinates &t, const Coordinates &p, uint32_t width) const {
    Factors factors{{p[0]}, Coordinates(t.begin(), t.end() - 1)};
    for (size_t axis = 0; axis < n_; ++axis)
      factors.x.push_back(position(axis, p[axis + 1], t[axis], width));
    factors.x.insert(factors.x.end(), {p[n_ + 1], t[n_]});
    factors.other.insert(factors.other.end(), {p[n_ + 1], t[n_], p[n_ + 2]});
    return factors;
  }

  /// Term (b, s'..) of result (k.., g, i, o).
  Factors ofConvWeight(const Coordinates &t, const Coordinates &p, uint32_t width) const {
    Factors factors{{t[0]}, t};
    for (size_t axis = 0; axis < n_; ++axis)
      factors.x.push_back(position(axis, t[axis + 1], p[axis], width));
    factors.x.insert(factors.x.end(), {p[n_], p[n_ + 1]});
    factors.other.insert(factors.other.end(), {p[n_], p[n_ + 2]});
    return factors;
  }

  LaneEvaluator &lanes_;
  const Op &op_;
  const Point &point_;
  size_t n_; ///< spatial axes
  Shape sizes_;
};

} // namespace

Value *LaneEvaluator::emitConv(const Op &op, const Point &point) {
  const DType dtype = region_.type(op.result()).dtype;
  const Order order =
      op.attributes.has(AttrKey::Order) ? op.attributes.order() : defaultContractionOrder();
  const ConvTerms terms(*this, op, point);
  OrderedSum sum(*this, dtype, point.width, point.isUniform() ? width_ : 1);
  sum.step = [&](Value *accumulator, const Coordinate &term, uint32_t width, Value *mask,
                 uint32_t maskLevel) {
    Point at = point;
    at.width = std::max(width, point.width);
    if (mask) {
      at.mask = mask;
      at.maskLevel = maskLevel;
    }
    Factors factors = terms.at(term, at.width);
    auto factor = [&](ValueId operand, Coordinates coordinates) {
      at.coordinates = std::move(coordinates);
      Value *value = evaluate(operand, at);
      return splat(value, at.width, nest_.at(nest_.innermost()));
    };
    Value *x = factor(op.operands[0], std::move(factors.x));
    Value *y = factor(op.operands[1], std::move(factors.other));
    return emitMultiplyAdd(dtype, x, y, accumulator, nest_.at(nest_.innermost()));
  };
  return sum.emit(order, terms.count());
}

} // namespace apr::codegen
