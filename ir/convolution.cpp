// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/convolution.h"

#include <algorithm>
#include <numeric>

namespace apr {
namespace {

bool isZero(const Dim &dim) { return dim == Dim(0); }

ValueId zeroLike(Builder &builder, ValueId x) {
  return builder.splat({builder.type(x).dtype, {}}, 0);
}

/// Zeros around and between the elements; the value itself where there are none.
ValueId padZeros(Builder &builder, ValueId x, const Shape &low, const Shape &high,
                 const std::vector<int64_t> &stride) {
  const bool isUnchanged = std::ranges::all_of(low, isZero) && std::ranges::all_of(high, isZero) &&
                           std::ranges::all_of(stride, [](int64_t s) { return s == 1; });
  return isUnchanged ? x : builder.pad(x, zeroLike(builder, x), low, high, stride);
}

/// The elements along the axes from 0 on, cut or filled with zeros to another size. `covered` is at
/// most what there is and at most the size: what lies behind it is zero.
ValueId resize(Builder &builder, ValueId x, const std::vector<int64_t> &axes, const Shape &covered,
               const Shape &size) {
  const Shape shape = builder.type(x).shape;
  const Shape zeros(shape.size(), Dim(0));
  const std::vector<int64_t> ones(shape.size(), 1);
  Shape limit = shape, high = zeros;
  for (size_t i = 0; i < axes.size(); ++i) {
    limit[size_t(axes[i])] = covered[i];
    high[size_t(axes[i])] = size[i] - covered[i];
  }
  if (limit != shape)
    x = builder.slice(x, zeros, limit, ones);
  return padZeros(builder, x, zeros, high, ones);
}

/// The kernel of the transposed convolution: [A1..An,G,O,s1*..*sn*I]. Tap a of class p is the
/// kernel's tap at position (A - 1 - a) * s + p, or 0 where it has none.
struct PhaseKernel {
  ValueId value;
  std::vector<int64_t> taps;     ///< A
  std::vector<int64_t> dilation; ///< between taps
};

PhaseKernel makePhaseKernel(Builder &builder, ValueId w, const std::vector<int64_t> &stride,
                            const std::vector<int64_t> &dilation) {
  const Shape shape = builder.type(w).shape;
  const size_t n = stride.size();
  PhaseKernel kernel{w, {}, dilation};
  Shape high(shape.size(), Dim(0)), split;
  std::vector<int64_t> spread(shape.size(), 1), tapAxes, phaseAxes;
  Dim phases = 1;
  for (size_t i = 0; i < n; ++i) {
    const int64_t size = *shape[i].asConstant();
    const bool isStrided = stride[i] > 1;
    int64_t taps = size;
    if (isStrided) {
      const int64_t extent = (size - 1) * dilation[i] + 1;
      taps = extent / stride[i] + (extent % stride[i] != 0 ? 1 : 0);
      high[i] = Dim(taps) * Dim(stride[i]) - Dim(size) * Dim(dilation[i]);
      spread[i] = dilation[i];
      kernel.dilation[i] = 1;
    }
    kernel.taps.push_back(taps);
    tapAxes.push_back(int64_t(split.size()));
    split.emplace_back(taps);
    if (isStrided) {
      phaseAxes.push_back(int64_t(split.size()));
      split.emplace_back(stride[i]);
      phases *= Dim(stride[i]);
    }
  }
  const auto groups = int64_t(split.size());
  split.insert(split.end(), shape.end() - 3, shape.end());
  w = builder.reshape(padZeros(builder, w, Shape(shape.size(), Dim(0)), high, spread), split);
  w = builder.create(OpKind::Reverse, {w}, {{AttrKey::Axes, tapAxes}});
  std::vector<int64_t> perm = tapAxes;
  perm.insert(perm.end(), {groups, groups + 2});
  perm.insert(perm.end(), phaseAxes.begin(), phaseAxes.end());
  perm.push_back(groups + 1);
  w = builder.transpose(w, perm);
  Shape joined(kernel.taps.begin(), kernel.taps.end());
  joined.insert(joined.end(), {shape[n], shape[n + 2], phases * shape[n + 1]});
  kernel.value = builder.reshape(w, joined);
  return kernel;
}

/// [B,Q1..Qn,G,s1*..*sn*I] as [B,Q1*s1..Qn*sn,G,I].
ValueId layOutPhases(Builder &builder, ValueId z, const std::vector<int64_t> &stride,
                     const Dim &inputs) {
  const Shape shape = builder.type(z).shape;
  const size_t n = stride.size();
  Shape split(shape.begin(), shape.end() - 1), joined{shape[0]};
  std::vector<int64_t> perm{0};
  for (size_t i = 0; i < n; ++i) {
    perm.push_back(int64_t(i + 1));
    if (stride[i] > 1) {
      perm.push_back(int64_t(split.size()));
      split.emplace_back(stride[i]);
    }
    joined.push_back(shape[i + 1] * Dim(stride[i]));
  }
  perm.insert(perm.end(), {int64_t(n + 1), int64_t(split.size())});
  split.push_back(inputs);
  joined.insert(joined.end(), {shape[n + 1], inputs});
  return builder.reshape(builder.transpose(builder.reshape(z, split), perm), joined);
}

} // namespace

Dim windowExtent(int64_t size, int64_t dilation) { return Dim(size - 1) * Dim(dilation) + Dim(1); }

Dim windowCount(const Dim &axis, int64_t size, int64_t stride, int64_t dilation) {
  return Dim::floorDivide(axis - windowExtent(size, dilation), Dim(stride)) + Dim(1);
}

ValueId buildWindow(Builder &builder, ValueId x, std::vector<int64_t> axes,
                    std::vector<int64_t> size, std::vector<int64_t> stride,
                    std::vector<int64_t> dilation) {
  return builder.create(OpKind::Window, {x},
                        {{AttrKey::Axes, std::move(axes)},
                         {AttrKey::Size, std::move(size)},
                         {AttrKey::Stride, std::move(stride)},
                         {AttrKey::Dilation, std::move(dilation)}});
}

Attributes convAttributes(std::vector<int64_t> stride, std::vector<int64_t> dilation) {
  return {{AttrKey::Stride, std::move(stride)}, {AttrKey::Dilation, std::move(dilation)}};
}

ValueId buildConvTranspose(Builder &builder, ValueId y, ValueId w, const Shape &spatial,
                           const std::vector<int64_t> &stride,
                           const std::vector<int64_t> &dilation) {
  const Shape shape = builder.type(y).shape, weight = builder.type(w).shape;
  const size_t n = stride.size();
  const PhaseKernel kernel = makePhaseKernel(builder, w, stride, dilation);
  Shape border(shape.size(), Dim(0)), covered;
  std::vector<int64_t> axes(n);
  std::iota(axes.begin(), axes.end(), 1);
  for (size_t i = 0; i < n; ++i) {
    border[i + 1] = Dim(kernel.taps[i] - 1) * Dim(kernel.dilation[i]);
    covered.push_back((shape[i + 1] - Dim(1)) * Dim(stride[i]) +
                      windowExtent(*weight[i].asConstant(), dilation[i]));
  }
  y = padZeros(builder, y, border, border, std::vector<int64_t>(shape.size(), 1));
  ValueId z = builder.create(OpKind::Conv, {y, kernel.value},
                             convAttributes(std::vector<int64_t>(n, 1), kernel.dilation));
  if (std::ranges::any_of(stride, [](int64_t s) { return s > 1; }))
    z = layOutPhases(builder, z, stride, weight[n + 1]);
  return resize(builder, z, axes, covered, spatial);
}

namespace {

/// One axis of a sum over overlapping windows: the windows' elements, [.., count, .., size, ..],
/// become [.., count + A - 1, .., stride, ..], where A windows reach an element and what an axis of
/// count + A - 1 and one of stride say together is the element's position.
///
/// Element a * stride + p of window i lies at position (i + a) * stride + p. With zeros around the
/// count and another window over it, [.., q, a', .., a, p, ..] is element (a, p) of window
/// q + a' - (A - 1), so that the sum over all a' + a = A - 1 is the one looked for.
ValueId overlap(Builder &builder, ValueId u, int64_t count, int64_t size, int64_t stride,
                int64_t dilation) {
  const Shape shape = builder.type(u).shape;
  const int64_t extent = (*shape[size_t(size)].asConstant() - 1) * dilation + 1;
  const int64_t reach = extent / stride + (extent % stride != 0 ? 1 : 0);
  Shape low(shape.size(), Dim(0)), high = low;
  std::vector<int64_t> spread(shape.size(), 1);
  low[size_t(count)] = high[size_t(count)] = Dim(reach - 1);
  high[size_t(size)] = Dim(reach) * Dim(stride) - shape[size_t(size)] * Dim(dilation);
  spread[size_t(size)] = dilation;
  u = padZeros(builder, u, low, high, spread);
  if (reach == 1)
    return u;
  Shape split = builder.type(u).shape;
  split[size_t(size)] = Dim(reach);
  split.insert(split.begin() + size + 1, Dim(stride));
  u = buildWindow(builder, builder.reshape(u, split), {count}, {reach}, {1}, {1});
  std::vector<int64_t> perm;
  for (auto axis = int64_t(0); axis < int64_t(split.size()) + 1; ++axis) {
    if (axis == size + 1)
      perm.push_back(count + 1);
    if (axis != count + 1)
      perm.push_back(axis);
  }
  u = builder.transpose(u, perm);
  Shape square = builder.type(u).shape;
  square.erase(square.begin() + size);
  square[size_t(size)] = Dim(reach) * Dim(reach);
  u = builder.reshape(u, square);
  Shape start(square.size(), Dim(0)), limit = square;
  std::vector<int64_t> step(square.size(), 1);
  start[size_t(size)] = Dim(reach - 1);
  limit[size_t(size)] = Dim(reach) * Dim(reach - 1) + Dim(1);
  step[size_t(size)] = reach - 1;
  return builder.sum(builder.slice(u, start, limit, step), {size});
}

} // namespace

ValueId buildWindowTranspose(Builder &builder, ValueId windows, const Shape &shape,
                             const std::vector<int64_t> &axes, const std::vector<int64_t> &size,
                             const std::vector<int64_t> &stride,
                             const std::vector<int64_t> &dilation) {
  const Shape counts = builder.type(windows).shape;
  const auto count = int64_t(axes.size()), firstSize = axes.back() + 1;
  ValueId u = windows;
  for (size_t i = 0; i < axes.size(); ++i)
    u = overlap(builder, u, axes[i], firstSize + int64_t(i), stride[i], dilation[i]);
  const Shape parts = builder.type(u).shape;
  std::vector<int64_t> perm;
  Shape joined, covered, whole;
  size_t next = 0;
  for (int64_t axis = 0; axis < int64_t(shape.size()); ++axis) {
    const int64_t from = axis < firstSize ? axis : axis + count;
    perm.push_back(from);
    joined.push_back(parts[size_t(from)]);
    if (next == axes.size() || axes[next] != axis)
      continue;
    perm.push_back(firstSize + int64_t(next));
    joined.back() *= Dim(stride[next]);
    covered.push_back((counts[size_t(axis)] - Dim(1)) * Dim(stride[next]) +
                      windowExtent(size[next], dilation[next]));
    whole.push_back(shape[size_t(axis)]);
    ++next;
  }
  u = builder.reshape(builder.transpose(u, perm), joined);
  return resize(builder, u, axes, covered, whole);
}

} // namespace apr
