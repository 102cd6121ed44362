// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of windows and convolutions. conv(x, w), conv_weight(x, y) and the transpose that
// hands y through w back to x are one trilinear form in x, w and y, each with one of the three as
// its result: the derivative of each is the other two.
#include "ir/convolution.h"
#include "passes/autodiff/grad_rules.h"

#include <algorithm>

namespace apr {
namespace {

const std::vector<int64_t> &integers(const OpGradient &d, AttrKey key) {
  return d.op.attributes.integers(key);
}

/// The derivative by x, from the other two.
ValueId inputOf(OpGradient &d, ValueId y, ValueId w) {
  const Shape shape = d.type(d.x()).shape;
  return buildConvTranspose(d.b, y, w, Shape(shape.begin() + 1, shape.end() - 2),
                            integers(d, AttrKey::Stride), integers(d, AttrKey::Dilation));
}

} // namespace

void gradWindow(OpGradient &d) {
  d.give(0, [&] {
    const Shape shape = d.type(d.x()).shape; // a copy: building moves the graph's own
    return buildWindowTranspose(d.b, d.g, shape, integers(d, AttrKey::Axes),
                                integers(d, AttrKey::Size), integers(d, AttrKey::Stride),
                                integers(d, AttrKey::Dilation));
  });
}

void gradConv(OpGradient &d) {
  d.give(0, [&] { return inputOf(d, d.g, d.y()); });
  d.give(1, [&] {
    const Shape &weight = d.type(d.y()).shape;
    std::vector<int64_t> size;
    for (size_t i = 0; i + 3 < weight.size(); ++i)
      size.push_back(*weight[i].asConstant());
    Attributes attributes =
        convAttributes(integers(d, AttrKey::Stride), integers(d, AttrKey::Dilation));
    attributes.set(AttrKey::Size, std::move(size));
    return d.b.create(OpKind::ConvWeight, {d.x(), d.g}, std::move(attributes));
  });
}

void gradConvWeight(OpGradient &d) {
  d.give(0, [&] { return inputOf(d, d.y(), d.g); });
  d.give(1, [&] {
    const ValueId y =
        d.b.create(OpKind::Conv, {d.x(), d.g},
                   convAttributes(integers(d, AttrKey::Stride), integers(d, AttrKey::Dilation)));
    // The operand may leave out the last windows.
    const Shape limit = d.type(d.y()).shape;
    if (d.type(y).shape == limit)
      return y;
    return d.b.slice(y, Shape(limit.size(), Dim(0)), limit, std::vector<int64_t>(limit.size(), 1));
  });
}

} // namespace apr
