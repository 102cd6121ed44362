// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/extremum.h"
#include "ir/interp/index_space.h"
#include "ir/interp/integer.h"
#include "ir/interp/reduction.h"

#include <algorithm>

namespace apr::interp {

BoundOrder bindOrder(const Evaluation &e, const Order &order) {
  e.require(!order.problem(), "has a malformed order");
  BoundOrder bound;
  const Order *inner = &order;
  for (; inner->kind() == Order::Kind::Ranges; inner = &inner->inner())
    bound.rangeCounts.push_back(e.evaluate(inner->count()));
  if (inner->kind() == Order::Kind::Tree)
    inner = &inner->inner();
  bound.leaf = inner->kind();
  bound.length = inner->length();
  bound.width = inner->width();
  return bound;
}

namespace {

/// The operand's axes divided into those that stay and those that are reduced.
struct ReducedSpace {
  StridedSpace kept;
  StridedSpace reduced;
  bool includesLastAxis = false;
};

ReducedSpace divideAxes(const Evaluation &e) {
  const Tensor &x = e.operand(0);
  const auto &axes = e.attributes().integers(AttrKey::Axes);
  Extents strides = rowMajorStrides(x.shape), kept;
  ReducedSpace space;
  for (size_t axis = 0; axis < x.shape.size(); ++axis) {
    bool isReduced = std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis));
    (isReduced ? space.reduced : space.kept).addAxis(x.shape[axis], strides[axis]);
    if (!isReduced)
      kept.push_back(x.shape[axis]);
    space.includesLastAxis = isReduced;
  }
  e.require(kept == e.resultExtents(), "has a result of another shape than its kept axes");
  return space;
}

/// result[i] = reduce(term, count) where term(k) is the k-th reduced element.
template <typename T, typename R, typename Reduce>
void reduceEach(Evaluation &e, const ReducedSpace &space, Reduce reduce) {
  auto x = e.elements<T>(0);
  auto out = e.resultElements<R>();
  int64_t count = space.reduced.count();
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t base = space.kept.offset(static_cast<int64_t>(i));
    out[i] = reduce(
        [&](int64_t k) { return x[static_cast<size_t>(base + space.reduced.offset(k))]; }, count);
  }
}

template <typename T> T lowest() {
  if constexpr (std::is_floating_point_v<T>)
    return -std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::min();
}

template <typename T> T highest() {
  if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::max();
}

} // namespace

void evalSum(Evaluation &e) {
  ReducedSpace space = divideAxes(e);
  Order order = e.attributes().has(AttrKey::Order)
                    ? e.attributes().order()
                    : defaultSumOrder(space.includesLastAxis ? LastAxis::Reduced : LastAxis::Kept);
  BoundOrder bound = bindOrder(e, order);
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    auto add = [](T x, T y) -> T {
      if constexpr (std::is_floating_point_v<T>)
        return x + y;
      else
        return wrapAdd(x, y);
    };
    reduceEach<T, T>(e, space, [&](auto term, int64_t count) {
      return reduceInOrder<T>(
          bound, count, [&](T sum, int64_t k) { return add(sum, term(k)); }, add);
    });
  });
}

void evalReduceMax(Evaluation &e) {
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    reduceEach<T, T>(e, divideAxes(e), [](auto term, int64_t count) {
      T best = lowest<T>();
      for (int64_t k = 0; k < count; ++k)
        best = maximum(best, term(k));
      return best;
    });
  });
}

void evalReduceMin(Evaluation &e) {
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    reduceEach<T, T>(e, divideAxes(e), [](auto term, int64_t count) {
      T best = highest<T>();
      for (int64_t k = 0; k < count; ++k)
        best = minimum(best, term(k));
      return best;
    });
  });
}

void evalArgMax(Evaluation &e) {
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) {
    using T = decltype(zero);
    reduceEach<T, int32_t>(e, divideAxes(e), [](auto term, int64_t count) {
      int64_t best = count == 0 ? -1 : 0;
      for (int64_t k = 1; k < count && !isNaN(term(best)); ++k)
        if (isNaN(term(k)) || term(k) > term(best))
          best = k;
      return static_cast<int32_t>(best);
    });
  });
}

} // namespace apr::interp
