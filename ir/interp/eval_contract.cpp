// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/integer.h"
#include "ir/interp/reduction.h"

#include <cmath>

namespace apr::interp {

namespace {

/// Where a matrix operand's element (row, column) lies; transposed operands store columns first.
struct MatrixView {
  int64_t rows;
  int64_t columns;
  int64_t rowStride;
  int64_t columnStride;

  MatrixView(const Extents &extents, bool isTransposed) {
    rows = extents[extents.size() - 2];
    columns = extents[extents.size() - 1];
    rowStride = columns;
    columnStride = 1;
    if (isTransposed) {
      std::swap(rows, columns);
      std::swap(rowStride, columnStride);
    }
  }
  size_t offset(int64_t batch, int64_t row, int64_t column) const {
    return static_cast<size_t>(batch * rows * columns + row * rowStride + column * columnStride);
  }
};

template <typename T>
void multiply(Evaluation &e, const MatrixView &a, const MatrixView &b, const BoundOrder &order) {
  auto x = e.elements<T>(0), y = e.elements<T>(1);
  auto out = e.resultElements<T>();
  if (out.empty())
    return;
  auto add = [](T p, T q) -> T {
    if constexpr (std::is_floating_point_v<T>)
      return p + q;
    else
      return wrapAdd(p, q);
  };
  int64_t matrixSize = a.rows * b.columns;
  for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i) {
    int64_t batch = i / matrixSize, row = i % matrixSize / b.columns, column = i % b.columns;
    auto step = [&](T sum, int64_t k) -> T {
      T p = x[a.offset(batch, row, k)], q = y[b.offset(batch, k, column)];
      if constexpr (std::is_floating_point_v<T>)
        return std::fma(p, q, sum);
      else
        return wrapAdd(sum, wrapMul(p, q));
    };
    out[static_cast<size_t>(i)] = reduceInOrder<T>(order, a.columns, step, add);
  }
}

} // namespace

void evalMatMul(Evaluation &e) {
  const Extents &aExtents = e.operand(0).shape, &bExtents = e.operand(1).shape;
  e.require(aExtents.size() >= 2 && aExtents.size() == bExtents.size(),
            "needs matrices with equally many batch dims");
  MatrixView a(aExtents, e.attributes().integerOr0(AttrKey::TransposeA) != 0);
  MatrixView b(bExtents, e.attributes().integerOr0(AttrKey::TransposeB) != 0);
  Extents expected(aExtents.begin(), aExtents.end() - 2);
  e.require(std::equal(expected.begin(), expected.end(), bExtents.begin()),
            "needs equal batch dims");
  expected.push_back(a.rows);
  expected.push_back(b.columns);
  e.require(a.columns == b.rows && expected == e.resultExtents(), "has shapes that do not fit");
  BoundOrder order = bindOrder(e, e.attributes().has(AttrKey::Order) ? e.attributes().order()
                                                                     : defaultContractionOrder());
  visitNumeric(e, e.operand(0).dtype, [&](auto zero) { multiply<decltype(zero)>(e, a, b, order); });
}

} // namespace apr::interp
