// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"
#include "passes/autodiff/gradient_flow.h"
#include "tools/ir_runs/random_inputs.h"

#include <functional>

namespace apr::fuzz {

/// Choices, the same for a seed everywhere.
class Random : public run::RandomInputs {
public:
  using RandomInputs::RandomInputs;

  /// True once in `count` times.
  bool oneIn(uint64_t count) { return below(count) == 0; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low + 1)));
  }
  template <typename Range> const auto &pick(const Range &range) {
    return std::data(range)[below(std::size(range))];
  }
};

/// Whether the ops of a graph must have derivatives.
enum class Derivatives : uint8_t { NotAsked, Asked };

/// What the graphs of one module have in common.
struct Style {
  Derivatives derivatives = Derivatives::NotAsked;
  DimBindings dims;               ///< the sizes that open dims have in calls
  std::vector<Dim> sizes;         ///< what shapes are made of
  int64_t maximumElements = 2000; ///< of a value
  int64_t maximumTerms = 60000;   ///< of a contraction
};

/// How a derivative by the values that are differentiated gets to a value.
enum class Flow : uint8_t {
  None,   ///< not at all
  Smooth, ///< by ops that have derivatives
  Broken, ///< through an op without one, so that no loss may depend on it
};

/// Adds random well-typed ops to a graph, of a wanted kind each, with operands that are there or
/// that it makes. All ops hold for the style's sizes: no slice out of bounds, no window without
/// place.
class GraphGrower {
public:
  GraphGrower(Graph &graph, Random &random, const Style &style, int depth = 0)
      : graph_(graph), random_(random), style_(style), b_(graph), depth_(depth) {}

  /// Asked for a new argument of a type where an operand is missing; none where it cannot be.
  std::function<std::optional<ValueId>(const Type &)> newArgument;
  /// Seed, step and row offset of random ops: i64 scalars.
  std::function<std::vector<ValueId>()> randomKey;

  /// Makes an argument known as an operand.
  void know(ValueId value, Flow flow);
  /// Appends an op of the kind, and what it needs; false where it does not fit here.
  bool add(OpKind kind);
  /// Appends ops of any kinds until the graph has `count`.
  void grow(size_t count);
  /// Takes note of ops that were added to the graph from elsewhere.
  void settle();

  Builder &builder() { return b_; }
  const Graph &graph() const { return graph_; }
  const std::vector<ValueId> &values() const { return values_; }
  Flow flow(ValueId value) const { return flow_[value]; }
  /// A value of the type: one that is there, or made from others or from nothing.
  ValueId valueOf(const Type &type);
  /// A value of the type that is computed from `from`, both of at most one bf16 step apart.
  ValueId coerce(ValueId from, const Type &type);
  /// A value that fits; late ones and ones that derivatives reach more often.
  std::optional<ValueId> find(const std::function<bool(const Type &)> &fits);

  Shape makeShape(size_t rank);
  int64_t sizeOf(const Dim &dim) const { return dim.evaluate(style_.dims).value_or(-1); }
  int64_t countOf(const Shape &shape) const;
  bool fits(const Shape &shape) const { return countOf(shape) <= style_.maximumElements; }

private:
  enum class Elements : uint8_t { Any, Float, Integer, Number, NoBf16, NoBool, Logic };
  DType drawDType(Elements elements);
  static bool has(Elements elements, DType dtype);
  ValueId operand(Elements elements, size_t minimumRank = 0);
  ValueId constant(const Type &type);
  ValueId scalarOf(ValueId value);
  bool asksDerivatives() const { return style_.derivatives == Derivatives::Asked; }
  std::vector<int64_t> drawAxes(size_t rank);
  Shape without(const Shape &shape, const std::vector<int64_t> &axes) const;

  bool addElementwise(OpKind kind);
  bool addUnary(OpKind kind);
  bool addBinary(OpKind kind, Elements elements);
  bool addSelect();
  bool addConvert();
  bool addBitcast();
  // graph_grower_reduce.cpp
  bool addReduce(OpKind kind);
  bool addAlongAxis(OpKind kind);
  std::optional<Order> drawOrder(const Dim &terms);
  void addOrder(Attributes &attributes, const Dim &terms);
  bool addMatMul();
  ValueId image(DType dtype, size_t spatial, int64_t groups, int64_t channels);
  bool addConv();
  bool addConvWeight();
  // graph_grower_movement.cpp
  bool addMovement(OpKind kind);
  bool addReshape();
  bool addTranspose();
  bool addBroadcast();
  bool addSlice();
  bool addPad();
  bool addConcat();
  bool addReverse();
  bool addWindow();
  // graph_grower_indexing.cpp
  bool addIndexing(OpKind kind);
  ValueId indices(const Shape &shape);
  bool addGather();
  bool addScatter(OpKind kind);
  bool addPick();
  bool addOneHot();
  bool addSource(OpKind kind);
  // graph_grower_structure.cpp
  bool addStructure(OpKind kind);
  bool addScan();
  bool addWithGradient();
  bool addKernel();

  Graph &graph_;
  Random &random_;
  const Style &style_;
  Builder b_;
  int depth_;
  std::vector<ValueId> values_;
  std::vector<Flow> flow_; ///< per value
  size_t settled_ = 0;     ///< ops taken note of
  GradientFlow gradientFlow_;
};

/// Whether derivatives are refused by an op, or by one in its region.
bool refusesDerivatives(const Graph &graph, const Op &op);

} // namespace apr::fuzz
