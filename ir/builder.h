// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr {

/// Appends ops to a graph with inferred types. A violated type rule is an InternalError: callers
/// check what users may get wrong before they build.
class Builder {
public:
  explicit Builder(Graph &graph) : graph_(graph) {}

  Graph &graph() { return graph_; }
  const Type &type(ValueId v) const { return graph_.type(v); }
  /// Location and name of the ops created from here on; the name goes to the next op only.
  Builder &at(Location location);
  Builder &named(std::string name);

  /// Any op with one result; `given` where the family needs a result type.
  ValueId create(OpKind kind, std::vector<ValueId> operands, Attributes attributes = {},
                 std::optional<Type> given = std::nullopt);
  /// Any op; returns all results.
  std::vector<ValueId> createMulti(OpKind kind, std::vector<ValueId> operands,
                                   Attributes attributes = {}, std::vector<Type> given = {},
                                   std::shared_ptr<const Graph> region = nullptr);

  ValueId unary(OpKind kind, ValueId x) { return create(kind, {x}); }
  ValueId binary(OpKind kind, ValueId x, ValueId y) { return create(kind, {x, y}); }
  ValueId add(ValueId x, ValueId y) { return binary(OpKind::Add, x, y); }
  ValueId sub(ValueId x, ValueId y) { return binary(OpKind::Sub, x, y); }
  ValueId mul(ValueId x, ValueId y) { return binary(OpKind::Mul, x, y); }
  ValueId div(ValueId x, ValueId y) { return binary(OpKind::Div, x, y); }
  ValueId neg(ValueId x) { return unary(OpKind::Neg, x); }
  ValueId fma(ValueId x, ValueId y, ValueId z) { return create(OpKind::Fma, {x, y, z}); }
  ValueId select(ValueId condition, ValueId yes, ValueId no);
  ValueId convert(ValueId x, DType to);
  ValueId bitcast(ValueId x, DType to);
  /// A constant of the type with one value everywhere.
  ValueId splat(const Type &type, double value);
  ValueId splatInteger(const Type &type, int64_t value);
  ValueId constant(const Type &type, Literal literal);
  ValueId iota(const Type &type, int64_t axis);
  ValueId sum(ValueId x, std::vector<int64_t> axes);
  ValueId reduce(OpKind kind, ValueId x, std::vector<int64_t> axes);
  ValueId matmul(ValueId a, ValueId b, bool transposeA, bool transposeB);
  ValueId reshape(ValueId x, Shape shape);
  ValueId transpose(ValueId x, std::vector<int64_t> perm);
  ValueId broadcast(ValueId x, Shape shape, std::vector<int64_t> axes);
  /// Repeats a scalar, or a tensor whose shape is the tail of `shape`.
  ValueId broadcastTail(ValueId x, const Shape &shape);
  ValueId slice(ValueId x, Shape start, Shape limit, std::vector<int64_t> stride);
  ValueId pad(ValueId x, ValueId fill, Shape low, Shape high, std::vector<int64_t> stride);
  ValueId concat(std::vector<ValueId> parts, int64_t axis);

private:
  Graph &graph_;
  Location location_;
  std::string name_;
};

} // namespace apr
