// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/lower_convolutions.h"

#include "ir/convolution.h"
#include "ir/rewrite.h"
#include "ir/tensor_size.h"

#include <numeric>

namespace apr {
namespace {

Dim product(const Shape &shape, size_t begin, size_t end) {
  Dim count = 1;
  for (size_t i = begin; i < end; ++i)
    count *= shape[i];
  return count;
}

std::vector<int64_t> counting(size_t begin, size_t end) {
  std::vector<int64_t> axes(end - begin);
  std::iota(axes.begin(), axes.end(), int64_t(begin));
  return axes;
}

/// The shapes of a convolution x[B,S..,G,I], w[K..,G,I,O], y[B,S'..,G,O].
struct ConvShapes {
  Shape x, w, y;
  size_t n; ///< spatial axes

  ConvShapes(const Graph &graph, const Op &op)
      : x(graph.type(op.operands[0]).shape), w(graph.type(op.operands[1]).shape),
        y(graph.type(op.result()).shape), n(x.size() - 3) {
    if (op.kind == OpKind::ConvWeight)
      std::swap(w, y);
  }
  Dim groups() const { return x[n + 1]; }
  Dim inputs() const { return x[n + 2]; }
  Dim outputs() const { return y[n + 2]; }
  Dim rows() const { return product(y, 0, n + 1); }
  Dim terms() const { return product(w, 0, n) * inputs(); }
  bool isDepthwise() const {
    return groups() != Dim(1) && inputs() == Dim(1) && outputs() == Dim(1);
  }
};

/// The windows exist as a value, though never in memory.
bool canLayOutWindows(DType dtype, const ConvShapes &shapes) {
  Type windows{dtype, Shape(shapes.y.begin(), shapes.y.end() - 2)};
  windows.shape.insert(windows.shape.end(), shapes.w.begin(), shapes.w.end() - 1);
  return canExist(windows);
}

class ConvLowering {
public:
  ConvLowering(Builder &builder, const ConvShapes &shapes, const Attributes &attributes)
      : b_(builder), s_(shapes), attributes_(attributes) {}

  ValueId lowerConv(ValueId x, ValueId w) {
    const ValueId windows = windowRows(x), kernel = kernelMatrix(w);
    return rowsToOutputs(multiply(windows, kernel, {}));
  }

  ValueId lowerConvWeight(ValueId x, ValueId y) {
    const ValueId windows = windowRows(x), outputs = outputRows(y);
    ValueId w = multiply(windows, outputs, {{AttrKey::TransposeA, int64_t(1)}});
    if (isGrouped()) {
      // [G,K..,I,O] to [K..,G,I,O].
      Shape split{s_.groups()};
      split.insert(split.end(), s_.w.begin(), s_.w.begin() + ptrdiff_t(s_.n));
      split.insert(split.end(), {s_.inputs(), s_.outputs()});
      std::vector<int64_t> perm = counting(1, s_.n + 1);
      perm.push_back(0);
      perm.insert(perm.end(), {int64_t(s_.n + 1), int64_t(s_.n + 2)});
      w = b_.transpose(b_.reshape(w, split), perm);
    }
    return b_.reshape(w, s_.w);
  }

private:
  bool isGrouped() const { return s_.groups() != Dim(1); }

  /// The shape of a matrix, one per group where there are several.
  Shape matrix(Dim rows, Dim columns) const {
    return isGrouped() ? Shape{s_.groups(), rows, columns} : Shape{rows, columns};
  }

  ValueId multiply(ValueId left, ValueId right, Attributes attributes) {
    attributes.set(AttrKey::Order, attributes_.order());
    return b_.create(OpKind::MatMul, {left, right}, std::move(attributes));
  }

  /// x as [G,B*S'..,K..*I].
  ValueId windowRows(ValueId x) {
    std::vector<int64_t> size;
    for (size_t i = 0; i < s_.n; ++i)
      size.push_back(*s_.w[i].asConstant());
    x = buildWindow(b_, x, counting(1, s_.n + 1), std::move(size),
                    attributes_.integers(AttrKey::Stride), attributes_.integers(AttrKey::Dilation));
    // conv_weight may leave out the last windows.
    Shape limit = b_.type(x).shape;
    std::copy(s_.y.begin() + 1, s_.y.begin() + ptrdiff_t(s_.n) + 1, limit.begin() + 1);
    if (limit != b_.type(x).shape)
      x = b_.slice(x, Shape(limit.size(), Dim(0)), limit, std::vector<int64_t>(limit.size(), 1));
    if (isGrouped()) {
      std::vector<int64_t> perm{int64_t(2 * s_.n + 1)};
      for (int64_t axis : counting(0, 2 * s_.n + 1))
        perm.push_back(axis);
      perm.push_back(int64_t(2 * s_.n + 2));
      x = b_.transpose(x, perm);
    }
    return b_.reshape(x, matrix(s_.rows(), s_.terms()));
  }

  /// w as [G,K..*I,O].
  ValueId kernelMatrix(ValueId w) {
    if (isGrouped()) {
      std::vector<int64_t> perm{int64_t(s_.n)};
      for (int64_t axis : counting(0, s_.n))
        perm.push_back(axis);
      perm.insert(perm.end(), {int64_t(s_.n + 1), int64_t(s_.n + 2)});
      w = b_.transpose(w, perm);
    }
    return b_.reshape(w, matrix(s_.terms(), s_.outputs()));
  }

  /// y as [G,B*S'..,O].
  ValueId outputRows(ValueId y) {
    if (isGrouped()) {
      std::vector<int64_t> perm{int64_t(s_.n + 1)};
      for (int64_t axis : counting(0, s_.n + 1))
        perm.push_back(axis);
      perm.push_back(int64_t(s_.n + 2));
      y = b_.transpose(y, perm);
    }
    return b_.reshape(y, matrix(s_.rows(), s_.outputs()));
  }

  ValueId rowsToOutputs(ValueId rows) {
    if (isGrouped()) {
      Shape split{s_.groups()};
      split.insert(split.end(), s_.y.begin(), s_.y.begin() + ptrdiff_t(s_.n) + 1);
      split.push_back(s_.outputs());
      std::vector<int64_t> perm = counting(1, s_.n + 2);
      perm.insert(perm.end(), {0, int64_t(s_.n + 2)});
      rows = b_.transpose(b_.reshape(rows, split), perm);
    }
    return b_.reshape(rows, s_.y);
  }

  Builder &b_;
  const ConvShapes &s_;
  const Attributes &attributes_;
};

bool lower(const Op &op, GraphRewriter &rewriter) {
  if (opInfo(op.kind).family != OpFamily::Conv)
    return false;
  const ConvShapes shapes(rewriter.source(), op);
  if (shapes.isDepthwise() || !canLayOutWindows(rewriter.source().type(op.result()).dtype, shapes))
    return false;
  Builder &builder = rewriter.builder();
  ConvLowering lowering(builder, shapes, op.attributes);
  const ValueId first = rewriter(op.operands[0]), second = rewriter(op.operands[1]);
  const ValueId result = op.kind == OpKind::Conv ? lowering.lowerConv(first, second)
                                                 : lowering.lowerConvWeight(first, second);
  builder.graph().value(result).name = rewriter.source().value(op.result()).name;
  rewriter.map(op.result(), result);
  return true;
}

} // namespace

void lowerConvolutions(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = rewriteEveryGraph(function.graph, lower);
}

} // namespace apr
