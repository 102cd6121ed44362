// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/index_space.h"
#include "ir/interp/reduction.h"

#include <cmath>
#include <cstring>

namespace apr::interp {

void evalWindow(Evaluation &e) {
  const Tensor &x = e.operand(0);
  const auto &axes = e.attributes().integers(AttrKey::Axes);
  const auto &size = e.attributes().integers(AttrKey::Size);
  const auto &stride = e.attributes().integers(AttrKey::Stride);
  const auto &dilation = e.attributes().integers(AttrKey::Dilation);
  const Extents &extents = e.resultExtents();
  e.require(x.dtype == e.resultDType() && extents.size() == x.shape.size() + axes.size(),
            "has a result of another dtype or rank than its windows");
  const Extents strides = rowMajorStrides(x.shape);
  StridedSpace space;
  std::vector<std::pair<int64_t, int64_t>> inside; // size and stride of the axes inside windows
  Tensor &out = e.result();
  const int64_t count = out.count();
  if (count == 0)
    return;
  size_t next = 0;
  for (size_t axis = 0, at = 0; axis < x.shape.size(); ++axis) {
    const bool isWindowed = next < axes.size() && axes[next] == static_cast<int64_t>(axis);
    const int64_t windows = extents[at++];
    if (!isWindowed) {
      e.require(windows == x.shape[axis], "has a result of another shape than its windows");
      space.addAxis(windows, strides[axis]);
      continue;
    }
    // Both products fit, because the last element of the last window lies inside.
    const int64_t room = x.shape[axis] - 1;
    e.require(size[next] >= 1 && stride[next] >= 1 && dilation[next] >= 1 && windows >= 1 &&
                  size[next] - 1 <= room / dilation[next] &&
                  windows - 1 <= (room - (size[next] - 1) * dilation[next]) / stride[next],
              "has windows that leave the axis");
    space.addAxis(windows, windows == 1 ? 0 : stride[next] * strides[axis]);
    inside.emplace_back(size[next], size[next] == 1 ? 0 : dilation[next] * strides[axis]);
    if (++next < axes.size())
      continue;
    for (auto [length, step] : inside) {
      e.require(extents[at++] == length, "has a result of another shape than its windows");
      space.addAxis(length, step);
    }
  }
  for (int64_t i = 0; i < count; ++i)
    copyElement(x, space.offset(i), out, i);
}

namespace {

/// The three tensors of a convolution: x[B,S..,G,I], w[K..,G,I,O], y[B,S'..,G,O].
struct ConvShapes {
  int64_t batch, groups, inputs, outputs;
  Extents spatial, kernel, windows;

  ConvShapes(Evaluation &e, const Extents &x, const Extents &w, const Extents &y) {
    const size_t rank = x.size();
    e.require(rank >= 4 && w.size() == rank && y.size() == rank, "needs tensors of one rank");
    const auto end = static_cast<std::ptrdiff_t>(rank);
    batch = x[0];
    groups = x[rank - 2];
    inputs = x[rank - 1];
    outputs = y[rank - 1];
    spatial.assign(x.begin() + 1, x.begin() + end - 2);
    kernel.assign(w.begin(), w.begin() + end - 3);
    windows.assign(y.begin() + 1, y.begin() + end - 2);
    e.require(y[0] == batch && y[rank - 2] == groups && w[rank - 3] == groups &&
                  w[rank - 2] == inputs && w[rank - 1] == outputs,
              "has shapes that do not fit");
    const auto &stride = e.attributes().integers(AttrKey::Stride);
    const auto &dilation = e.attributes().integers(AttrKey::Dilation);
    e.require(stride.size() == spatial.size() && dilation.size() == spatial.size(),
              "needs one stride and dilation for each axis");
    for (size_t i = 0; i < spatial.size(); ++i) {
      const int64_t room = spatial[i] - 1;
      e.require(kernel[i] >= 1 && stride[i] >= 1 && dilation[i] >= 1 &&
                    (windows[i] == 0 ||
                     (kernel[i] - 1 <= room / dilation[i] &&
                      windows[i] - 1 <= (room - (kernel[i] - 1) * dilation[i]) / stride[i])),
                "has windows that leave the axis");
    }
  }
};

int64_t product(const Extents &extents) {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  return count;
}

/// The positions that the coordinates of a space have among those of `sizes`, `steps` apart along
/// each axis, in row-major order.
std::vector<int64_t> positionsOf(const Extents &space, const std::vector<int64_t> &steps,
                                 const Extents &sizes) {
  const Extents strides = rowMajorStrides(sizes);
  StridedSpace positions;
  for (size_t axis = 0; axis < space.size(); ++axis)
    positions.addAxis(space[axis], space[axis] == 1 ? 0 : steps[axis] * strides[axis]);
  std::vector<int64_t> result(static_cast<size_t>(product(space)));
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = positions.offset(static_cast<int64_t>(i));
  return result;
}

/// Where a window and a kernel position meet in x[B,S..,G,I].
class Convolution {
public:
  Convolution(const Evaluation &e, const ConvShapes &shapes)
      : s_(shapes), image_(product(shapes.spatial)),
        windows_(
            positionsOf(shapes.windows, e.attributes().integers(AttrKey::Stride), shapes.spatial)),
        kernel_(positionsOf(shapes.kernel, e.attributes().integers(AttrKey::Dilation),
                            shapes.spatial)) {}

  size_t x(int64_t b, int64_t window, int64_t k, int64_t g, int64_t i) const {
    const int64_t at =
        b * image_ + windows_[static_cast<size_t>(window)] + kernel_[static_cast<size_t>(k)];
    return static_cast<size_t>((at * s_.groups + g) * s_.inputs + i);
  }

private:
  const ConvShapes &s_;
  int64_t image_;
  std::vector<int64_t> windows_, kernel_;
};

BoundOrder orderOf(const Evaluation &e) {
  return bindOrder(e, e.attributes().has(AttrKey::Order) ? e.attributes().order()
                                                         : defaultContractionOrder());
}

template <typename T> void convolve(Evaluation &e, const ConvShapes &s) {
  auto x = e.elements<T>(0), w = e.elements<T>(1);
  auto out = e.resultElements<T>();
  const BoundOrder order = orderOf(e);
  // No terms give +0, and only then sizes may be beyond what memory holds.
  if (out.empty() || s.inputs == 0)
    return;
  const Convolution at(e, s);
  const int64_t windows = product(s.windows), terms = product(s.kernel) * s.inputs;
  for (int64_t n = 0; n < static_cast<int64_t>(out.size()); ++n) {
    const int64_t o = n % s.outputs, g = n / s.outputs % s.groups;
    const int64_t row = n / s.outputs / s.groups;
    auto step = [&](T sum, int64_t term) {
      const int64_t i = term % s.inputs, k = term / s.inputs;
      const T p = x[at.x(row / windows, row % windows, k, g, i)];
      return std::fma(
          p, w[static_cast<size_t>(((k * s.groups + g) * s.inputs + i) * s.outputs + o)], sum);
    };
    out[static_cast<size_t>(n)] =
        reduceInOrder<T>(order, terms, step, [](T a, T b) { return a + b; });
  }
}

template <typename T> void correlate(Evaluation &e, const ConvShapes &s) {
  auto x = e.elements<T>(0), y = e.elements<T>(1);
  auto out = e.resultElements<T>();
  const BoundOrder order = orderOf(e);
  if (out.empty() || s.batch == 0)
    return;
  const Convolution at(e, s);
  const int64_t windows = product(s.windows), terms = s.batch * windows;
  for (int64_t n = 0; n < static_cast<int64_t>(out.size()); ++n) {
    const int64_t o = n % s.outputs, i = n / s.outputs % s.inputs;
    const int64_t g = n / s.outputs / s.inputs % s.groups;
    const int64_t k = n / s.outputs / s.inputs / s.groups;
    auto step = [&](T sum, int64_t term) {
      const T p = x[at.x(term / windows, term % windows, k, g, i)];
      return std::fma(p, y[static_cast<size_t>((term * s.groups + g) * s.outputs + o)], sum);
    };
    out[static_cast<size_t>(n)] =
        reduceInOrder<T>(order, terms, step, [](T a, T b) { return a + b; });
  }
}

void requireOneDType(const Evaluation &e) {
  const DType dtype = e.operand(0).dtype;
  e.require(e.operand(1).dtype == dtype && e.resultDType() == dtype, "needs one float dtype");
}

} // namespace

void evalConv(Evaluation &e) {
  const ConvShapes shapes(e, e.operand(0).shape, e.operand(1).shape, e.resultExtents());
  requireOneDType(e);
  visitFloat(e, e.resultDType(), [&](auto zero) { convolve<decltype(zero)>(e, shapes); });
}

void evalConvWeight(Evaluation &e) {
  const ConvShapes shapes(e, e.operand(0).shape, e.resultExtents(), e.operand(1).shape);
  requireOneDType(e);
  visitFloat(e, e.resultDType(), [&](auto zero) { correlate<decltype(zero)>(e, shapes); });
}

} // namespace apr::interp
