// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/eval.h"

#include <algorithm>

namespace apr::interp {

/// An order with its range counts bound: ranges within ranges around a leaf.
struct BoundOrder {
  std::vector<int64_t> rangeCounts;    ///< outermost first
  Order::Kind leaf = Order::Kind::Seq; ///< Seq, Chunks or Lanes
  int64_t length = 0;                  ///< of a chunk or block
  int64_t width = 0;                   ///< lanes of a block
};
BoundOrder bindOrder(const Evaluation &e, const Order &order);

/// Combines `count` terms in an order. `Step(accumulator, i)` takes term i on the right; partial
/// results combine by `Join`. Chains start at `identity`; no terms give `empty`.
template <typename T, typename Step, typename Join> class OrderedReduction {
public:
  OrderedReduction(const BoundOrder &order, T identity, T empty, Step step, Join join)
      : order_(order), identity_(identity), empty_(empty), step_(step), join_(join) {}

  T operator()(int64_t count) const { return count == 0 ? empty_ : ranges(0, 0, count); }

private:
  T ranges(size_t level, int64_t begin, int64_t end) const {
    if (level == order_.rangeCounts.size())
      return leaf(begin, end);
    int64_t parts = order_.rangeCounts[level], total = end - begin;
    if (parts < 1 || total % parts != 0)
      fail("the terms of a reduction do not divide into " + std::to_string(parts) +
           " equal ranges");
    std::vector<T> partials;
    for (int64_t i = 0; i < parts; ++i)
      partials.push_back(
          ranges(level + 1, begin + total / parts * i, begin + total / parts * (i + 1)));
    return tree(std::move(partials));
  }

  T leaf(int64_t begin, int64_t end) const {
    if (order_.leaf == Order::Kind::Seq)
      return chain(begin, end, 1);
    std::vector<T> partials;
    for (int64_t i = begin; i < end; i += std::min(order_.length, end - i)) {
      int64_t blockEnd = i + std::min(order_.length, end - i);
      partials.push_back(order_.leaf == Order::Kind::Chunks ? chain(i, blockEnd, 1)
                                                            : lanes(i, blockEnd));
    }
    return tree(std::move(partials));
  }

  T chain(int64_t begin, int64_t end, int64_t stride) const {
    T accumulator = identity_;
    for (int64_t i = begin; i < end; i += stride)
      accumulator = step_(accumulator, i);
    return accumulator;
  }

  T lanes(int64_t begin, int64_t end) const {
    std::vector<T> lane;
    for (int64_t j = 0; j < order_.width; ++j)
      lane.push_back(chain(begin + j, end, order_.width));
    for (size_t half = lane.size() / 2; half >= 1; half /= 2)
      for (size_t j = 0; j < half; ++j)
        lane[j] = join_(lane[j], lane[j + half]);
    return lane[0];
  }

  /// Adjacent pairs, level by level; an odd last one moves up unchanged.
  T tree(std::vector<T> level) const {
    while (level.size() > 1) {
      std::vector<T> next;
      for (size_t i = 0; i + 1 < level.size(); i += 2)
        next.push_back(join_(level[i], level[i + 1]));
      if (level.size() % 2 != 0)
        next.push_back(level.back());
      level = std::move(next);
    }
    return level.front();
  }

  const BoundOrder &order_;
  T identity_, empty_;
  Step step_;
  Join join_;
};

/// A sum: -0 keeps the bits of what it is added to.
template <typename T, typename Step, typename Join>
T reduceInOrder(const BoundOrder &order, int64_t count, Step step, Join join) {
  return OrderedReduction<T, Step, Join>(order, T(-0.0), T(0), step, join)(count);
}

/// A product.
template <typename T, typename Step, typename Join>
T multiplyInOrder(const BoundOrder &order, int64_t count, Step step, Join join) {
  return OrderedReduction<T, Step, Join>(order, T(1), T(1), step, join)(count);
}

} // namespace apr::interp
