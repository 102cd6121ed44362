// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse_legality.h"

#include <algorithm>

namespace apr {
namespace {

Shape squeezed(const Shape &shape) {
  Shape result;
  for (const Dim &dim : shape)
    if (dim != Dim(1))
      result.push_back(dim);
  return result;
}

/// Position of each axis among those longer than 1; -1 for the others.
std::vector<int64_t> squeezedAxes(const Shape &shape) {
  std::vector<int64_t> result;
  int64_t next = 0;
  for (const Dim &dim : shape)
    result.push_back(dim == Dim(1) ? -1 : next++);
  return result;
}

/// Where each long axis of a view's operand stands among the long axes of its result; nothing where
/// elements do not map axis by axis.
std::optional<std::vector<int64_t>> axisMap(const Graph &graph, const Op &view) {
  const Shape &from = graph.type(view.operands[0]).shape;
  const Shape &to = graph.type(view.result()).shape;
  const auto fromAxes = squeezedAxes(from), toAxes = squeezedAxes(to);
  std::vector<int64_t> map(squeezed(from).size());
  switch (view.kind) {
  case OpKind::Reshape:
    if (squeezed(from) != squeezed(to))
      return std::nullopt;
    for (size_t i = 0; i < map.size(); ++i)
      map[i] = static_cast<int64_t>(i);
    return map;
  case OpKind::Broadcast: {
    const auto &axes = view.attributes.integers(AttrKey::Axes);
    for (size_t i = 0; i < from.size(); ++i)
      if (fromAxes[i] >= 0)
        map[static_cast<size_t>(fromAxes[i])] = toAxes[static_cast<size_t>(axes[i])];
    return map;
  }
  case OpKind::Transpose: {
    const auto &perm = view.attributes.integers(AttrKey::Perm);
    for (size_t i = 0; i < perm.size(); ++i)
      if (const int64_t source = fromAxes[static_cast<size_t>(perm[i])]; source >= 0)
        map[static_cast<size_t>(source)] = toAxes[i];
    return map;
  }
  default:
    return std::nullopt;
  }
}

/// Axes of a value as they meet the axes of the op that reads it.
std::optional<std::vector<int64_t>> axisMap(const FuseGraph &graph, const FuseGraph::Path &path) {
  std::vector<int64_t> map(squeezed(graph.graph().type(path.base).shape).size());
  for (size_t i = 0; i < map.size(); ++i)
    map[i] = static_cast<int64_t>(i);
  for (size_t i = path.views.size(); i-- > 0;) {
    auto step = axisMap(graph.graph(), graph.op(path.views[i]));
    if (!step)
      return std::nullopt;
    for (int64_t &axis : map)
      axis = (*step)[static_cast<size_t>(axis)];
  }
  return map;
}

bool isCounting(const std::vector<int64_t> &axes) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<int64_t>(i))
      return false;
  return true;
}

bool isReduction(OpKind kind) {
  const OpFamily family = opInfo(kind).family;
  return family == OpFamily::Reduce || family == OpFamily::ArgReduce;
}

/// Functions that are worth storing rather than computing in every pass over a row.
bool isExpensive(OpKind kind) {
  switch (kind) {
  case OpKind::Exp:
  case OpKind::Expm1:
  case OpKind::Log:
  case OpKind::Log1p:
  case OpKind::Sin:
  case OpKind::Cos:
  case OpKind::Tanh:
  case OpKind::Sigmoid:
  case OpKind::Erf:
  case OpKind::Exp2:
  case OpKind::Log2:
  case OpKind::Tan:
  case OpKind::Asin:
  case OpKind::Acos:
  case OpKind::Atan:
  case OpKind::Sinh:
  case OpKind::Cosh:
  case OpKind::ErfInv:
  case OpKind::Softplus:
  case OpKind::Silu:
  case OpKind::Gelu:
  case OpKind::GeluTanh:
  case OpKind::RandomBits:
  case OpKind::Uniform:
    return true;
  default:
    return false;
  }
}

/// Ops that are kernels by themselves.
bool isAlone(const Op &op) {
  const OpFamily family = opInfo(op.kind).family;
  return family == OpFamily::Scatter || family == OpFamily::Cumulative || family == OpFamily::Sort;
}

class FormFinder {
public:
  FormFinder(const FuseGraph &graph, const std::set<size_t> &nodes)
      : graph_(graph), nodes_(nodes), outputs_(graph.outputsOf(nodes)) {}

  KernelForm find() {
    if (!findAnchors() || !findSpaces() || !checkOutputs() || !checkShapes() || !checkUses() ||
        !checkPasses())
      return {"", problem_};
    return {form_, ""};
  }

private:
  const Graph &values() const { return graph_.graph(); }
  const Shape &shapeOf(ValueId value) const { return values().type(value).shape; }
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool isInside(const FuseGraph::Path &path) const {
    return path.definition && nodes_.contains(*path.definition);
  }

  /// A pick whose row is computed in the kernel ties the kernel to that row, as a reduction does.
  bool isRowPick(const Op &op) const {
    return op.kind == OpKind::Pick && isInside(graph_.trace(op.operands[0]));
  }

  static bool isConv(const Op &op) { return opInfo(op.kind).family == OpFamily::Conv; }

  bool findAnchors() {
    for (size_t node : nodes_) {
      const Op &op = graph_.op(node);
      if (op.kind == OpKind::MatMul || isAlone(op) || isConv(op)) {
        if (anchor_)
          return fail("a kernel holds one contraction, scatter, cumsum or argsort");
        anchor_ = &op;
      } else if (isReduction(op.kind) || isRowPick(op)) {
        reductions_.push_back(&op);
      } else if (op.kind == OpKind::Kernel) {
        return fail("it is a kernel already");
      } else if (op.kind == OpKind::Scan) {
        return fail("a scan is a loop over kernels");
      }
    }
    if (anchor_ && !reductions_.empty())
      return fail("a contraction and a reduction loop over different axes");
    if (anchor_ && isAlone(*anchor_) && nodes_.size() > 1)
      return fail(std::string(opInfo(anchor_->kind).mnemonic) + " works on memory in order");
    return true;
  }

  std::vector<int64_t> reducedAxes(const Op &op) const {
    if (op.kind != OpKind::Pick)
      return op.attributes.integers(AttrKey::Axes);
    return {static_cast<int64_t>(shapeOf(op.operands[0]).size()) - 1};
  }

  /// The shape whose elements the kernel walks, and the shape that reductions leave.
  bool findSpaces() {
    if (anchor_ && isConv(*anchor_)) {
      // What follows may leave out the axes of size 1 that stand for a group's channels.
      full_ = outputs_.empty() ? shapeOf(anchor_->result()) : shapeOf(outputs_.front());
      form_ = "map";
      return squeezed(full_) == squeezed(shapeOf(anchor_->result())) ||
             fail("its results have different shapes");
    }
    if (anchor_) {
      full_ = shapeOf(anchor_->result());
      form_ = anchor_->kind == OpKind::MatMul                     ? "matmul"
              : opInfo(anchor_->kind).family == OpFamily::Scatter ? "scatter"
                                                                  : "line";
      return true;
    }
    if (reductions_.empty()) {
      full_ = outputs_.empty() ? Shape{} : shapeOf(outputs_.front());
      form_ = "map";
      return true;
    }
    full_ = shapeOf(reductions_.front()->operands[0]);
    axes_ = reducedAxes(*reductions_.front());
    for (const Op *op : reductions_)
      if (shapeOf(op->operands[0]) != full_ || reducedAxes(*op) != axes_)
        return fail("its reductions have different axes or shapes");
    for (size_t axis = 0; axis < full_.size(); ++axis)
      if (!std::ranges::binary_search(axes_, static_cast<int64_t>(axis)))
        kept_.push_back(full_[axis]);
    isTrailing_ = axes_.empty() || axes_.front() == static_cast<int64_t>(kept_.size());
    form_ = "reduce";
    return true;
  }

  bool checkOutputs() {
    if (outputs_.empty())
      return fail("nothing uses it");
    if (reductions_.empty()) {
      for (ValueId output : outputs_)
        if (shapeOf(output) != full_)
          return fail("its results have different shapes");
      return true;
    }
    bool hasFull = false, hasKept = false, isExact = true;
    const Shape &first = shapeOf(outputs_.front());
    bool isUniform = true;
    for (ValueId output : outputs_) {
      const Shape &shape = shapeOf(output);
      isUniform &= shape == first;
      if (shape == full_ && !axes_.empty())
        hasFull = true;
      else if (squeezed(shape) == squeezed(kept_))
        hasKept = true, isExact &= shape == kept_;
      else
        return fail("a result has neither the shape before nor after the reduction");
    }
    if (hasFull && !isTrailing_)
      return fail("a result spans axes that are reduced across rows");
    if (hasFull && squeezed(kept_).empty())
      return fail("one worker would have to do the whole tensor");
    if (hasFull && hasKept && !isExact)
      return fail("its row results have different shapes");
    if (!hasFull && !isUniform)
      return fail("its results have different shapes");
    if (hasFull)
      form_ = "row";
    return true;
  }

  bool isPrefix(const Shape &shape) const {
    const Shape full = squeezed(full_), part = squeezed(shape);
    return part.size() <= full.size() && std::equal(part.begin(), part.end(), full.begin());
  }

  bool isKept(const Shape &shape) const {
    return !reductions_.empty() && squeezed(shape) == squeezed(kept_);
  }

  bool checkShapes() {
    for (size_t node : nodes_)
      for (ValueId result : graph_.op(node).results)
        if (!isPrefix(shapeOf(result)) && !isKept(shapeOf(result)))
          return fail("it has values of unrelated shapes");
    return true;
  }

  /// Whether reading the base along the path computes each of its elements once.
  bool isAligned(const FuseGraph::Path &path, ValueId operand) const {
    if (squeezed(shapeOf(path.base)).empty())
      return true;
    auto map = axisMap(graph_, path);
    if (!map)
      return false;
    if (map->size() == squeezed(shapeOf(operand)).size())
      return isCounting(*map);
    if (squeezed(shapeOf(operand)) != squeezed(full_))
      return isCounting(*map);
    return isCounting(*map) || *map == keptPositions();
  }

  std::vector<int64_t> keptPositions() const {
    std::vector<int64_t> positions;
    const auto all = squeezedAxes(full_);
    for (size_t axis = 0; axis < full_.size(); ++axis)
      if (all[axis] >= 0 && !std::ranges::binary_search(axes_, static_cast<int64_t>(axis)))
        positions.push_back(all[axis]);
    return positions;
  }

  bool checkUses() {
    for (size_t node : nodes_) {
      const Op &op = graph_.op(node);
      for (size_t i = 0; i < op.operands.size(); ++i) {
        FuseGraph::Path path = graph_.trace(op.operands[i]);
        if (isInside(path) && !checkUse(op, i, std::move(path)))
          return false;
      }
    }
    return true;
  }

  bool checkUse(const Op &op, size_t operand, FuseGraph::Path path) {
    const bool isScalar = squeezed(shapeOf(path.base)).empty();
    switch (opInfo(op.kind).family) {
    case OpFamily::Contract:
    case OpFamily::Conv:
      return fail("a contraction reads its operands many times");
    case OpFamily::Scatter:
    case OpFamily::Concat:
    case OpFamily::Gather:
      return fail(std::string(opInfo(op.kind).mnemonic) + " reads it at other indices");
    case OpFamily::Pad:
      if (operand == 0 || !isScalar)
        return fail("pad reads it at other indices");
      return true;
    case OpFamily::Reshape:
    case OpFamily::Transpose:
    case OpFamily::Broadcast:
    case OpFamily::Slice:
    case OpFamily::Reverse:
    case OpFamily::Window:
      // A view that is a result.
      path.views.insert(path.views.begin(), graph_.graph().definitionIndex(op.result()).value());
      if (isAligned(path, op.result()))
        return true;
      return fail(std::string(opInfo(op.kind).mnemonic) + " reads it at other indices");
    default:
      if (isAligned(path, op.operands[operand]))
        return true;
      return fail("it is read at other indices");
    }
  }

  bool checkPasses() {
    const bool isRow = form_ == "row";
    if (reductions_.size() + (isRow ? 1 : 0) < 2)
      return true;
    // What depends on a reduction is needed after it in any case.
    std::set<size_t> dependent;
    for (size_t node : nodes_) {
      const Op &op = graph_.op(node);
      bool depends = isReduction(op.kind);
      for (ValueId operand : op.operands) {
        const FuseGraph::Path path = graph_.trace(operand);
        depends |= path.definition && dependent.contains(*path.definition);
      }
      if (depends)
        dependent.insert(node);
      else if (isExpensive(op.kind) && squeezed(shapeOf(op.result())) == squeezed(full_))
        return fail("several passes over a row would compute " +
                    std::string(opInfo(op.kind).mnemonic) + " again");
    }
    return true;
  }

  const FuseGraph &graph_;
  const std::set<size_t> &nodes_;
  std::vector<ValueId> outputs_;
  const Op *anchor_ = nullptr;
  std::vector<const Op *> reductions_;
  std::vector<int64_t> axes_;
  Shape full_, kept_;
  bool isTrailing_ = false;
  std::string form_, problem_;
};

} // namespace

KernelForm formOf(const FuseGraph &graph, const std::set<size_t> &nodes) {
  return FormFinder(graph, nodes).find();
}

} // namespace apr
