// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/strided_view.h"

#include <algorithm>

namespace apr::codegen {
namespace {

using Factor = StridedView::Factor;
using Axis = StridedView::Axis;

/// Drops factors of size 1 and joins neighbours that step evenly through memory.
Axis joined(const Axis &factors) {
  Axis result;
  for (const Factor &factor : factors) {
    if (factor.size == Dim(1))
      continue;
    if (!result.empty() && result.back().stride == factor.size * factor.stride)
      result.back() = {result.back().size * factor.size, factor.stride};
    else
      result.push_back(factor);
  }
  return result;
}

/// Takes factors whose sizes multiply to `size` off the end, splitting one where it must.
std::optional<Axis> takeFactors(Axis &factors, Dim size) {
  Axis taken;
  while (size != Dim(1)) {
    if (factors.empty())
      return std::nullopt;
    Factor &last = factors.back();
    if (auto rest = size.dividedExactlyBy(last.size)) {
      taken.push_back(last);
      factors.pop_back();
      size = *rest;
      continue;
    }
    auto outer = last.size.dividedExactlyBy(size);
    if (!outer)
      return std::nullopt;
    taken.push_back({size, last.stride});
    last = {*outer, last.stride * size};
    break;
  }
  std::ranges::reverse(taken);
  return taken;
}

class ViewTracer {
public:
  explicit ViewTracer(const Graph &region) : region_(region) {}

  std::optional<StridedView> trace(ValueId value) {
    std::vector<const Op *> ops;
    while (const Op *op = region_.definition(value)) {
      if (op->operands.empty())
        return std::nullopt;
      ops.push_back(op);
      value = op->operands[0];
    }
    start(value);
    for (size_t i = ops.size(); i-- > 0;)
      if (!apply(*ops[i]))
        return std::nullopt;
    return std::move(view_);
  }

private:
  void start(ValueId argument) {
    const Shape &shape = region_.type(argument).shape;
    view_ = {argument, Dim(0), std::vector<Axis>(shape.size())};
    Dim stride = 1;
    for (size_t axis = shape.size(); axis-- > 0;) {
      view_.axes[axis] = joined({{shape[axis], stride}});
      stride *= shape[axis];
    }
  }

  bool apply(const Op &op) {
    switch (opInfo(op.kind).family) {
    case OpFamily::Reshape:
      return reshape(region_.type(op.result()).shape);
    case OpFamily::Transpose:
      return transpose(op.attributes.integers(AttrKey::Perm));
    case OpFamily::Broadcast:
      return broadcast(region_.type(op.result()).shape, op.attributes.integers(AttrKey::Axes));
    case OpFamily::Slice:
      return slice(op, region_.type(op.operands[0]).shape, region_.type(op.result()).shape);
    case OpFamily::Reverse:
      return reverse(op.attributes.integers(AttrKey::Axes));
    case OpFamily::Window:
      return window(op, region_.type(op.result()).shape);
    default:
      return false;
    }
  }

  bool reshape(const Shape &to) {
    Axis all;
    for (const Axis &axis : view_.axes)
      all.insert(all.end(), axis.begin(), axis.end());
    all = joined(all);
    std::vector<Axis> axes(to.size());
    for (size_t axis = to.size(); axis-- > 0;) {
      auto taken = takeFactors(all, to[axis]);
      if (!taken)
        return false;
      axes[axis] = joined(*taken);
    }
    view_.axes = std::move(axes);
    return all.empty();
  }

  bool transpose(const std::vector<int64_t> &perm) {
    std::vector<Axis> axes;
    for (int64_t axis : perm)
      axes.push_back(view_.axes[static_cast<size_t>(axis)]);
    view_.axes = std::move(axes);
    return true;
  }

  bool broadcast(const Shape &to, const std::vector<int64_t> &kept) {
    std::vector<Axis> axes;
    for (const Dim &size : to)
      axes.push_back(joined({{size, Dim(0)}}));
    for (size_t i = 0; i < kept.size(); ++i)
      axes[static_cast<size_t>(kept[i])] = view_.axes[i];
    view_.axes = std::move(axes);
    return true;
  }

  bool slice(const Op &op, const Shape &from, const Shape &to) {
    const auto &start = op.attributes.dims(AttrKey::Start);
    const auto &stride = op.attributes.integers(AttrKey::Stride);
    for (size_t i = 0; i < from.size(); ++i) {
      Axis &axis = view_.axes[i];
      if (from[i] == to[i] && start[i] == Dim(0) && stride[i] == 1)
        continue;
      if (axis.size() > 1)
        return false;
      if (axis.empty())
        continue;
      view_.offset += start[i] * axis[0].stride;
      axis = joined({{to[i], axis[0].stride * Dim(stride[i])}});
    }
    return true;
  }

  bool reverse(const std::vector<int64_t> &axes) {
    for (int64_t axis : axes)
      for (Factor &factor : view_.axes[static_cast<size_t>(axis)]) {
        view_.offset += (factor.size - Dim(1)) * factor.stride;
        factor.stride = Dim(0) - factor.stride;
      }
    return true;
  }

  bool window(const Op &op, const Shape &to) {
    const auto &axes = op.attributes.integers(AttrKey::Axes);
    const auto &stride = op.attributes.integers(AttrKey::Stride);
    const auto &dilation = op.attributes.integers(AttrKey::Dilation);
    std::vector<Axis> inside;
    for (size_t i = 0; i < axes.size(); ++i) {
      const auto at = static_cast<size_t>(axes[i]);
      Axis &axis = view_.axes[at];
      if (axis.size() > 1)
        return false;
      const Dim step = axis.empty() ? Dim(0) : axis[0].stride;
      axis = joined({{to[at], step * Dim(stride[i])}});
      inside.push_back(
          joined({{to[static_cast<size_t>(axes.back()) + 1 + i], step * Dim(dilation[i])}}));
    }
    view_.axes.insert(view_.axes.begin() + axes.back() + 1, inside.begin(), inside.end());
    return true;
  }

  const Graph &region_;
  StridedView view_;
};

} // namespace

std::optional<StridedView> traceStridedView(const Graph &region, ValueId value) {
  return ViewTracer(region).trace(value);
}

} // namespace apr::codegen
