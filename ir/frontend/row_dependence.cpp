// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/row_dependence.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

bool mentions(const Dim &dim, const std::string &variable) {
  std::set<std::string> variables;
  dim.collectVariables(variables);
  return variables.contains(variable);
}

namespace {

using Kind = RowDependence::Kind;

/// Carries of a scan settle after as many rounds as there are kinds.
constexpr int kMaximumRounds = 4;

class RowAnalysis {
public:
  RowAnalysis(const Graph &graph, const Shards &shards) : graph_(graph), shards_(shards) {
    all_.resize(graph.values().size());
  }

  std::vector<RowDependence> run(const std::vector<RowDependence> &arguments) {
    for (size_t i = 0; i < arguments.size(); ++i)
      all_[graph_.arguments()[i]] = arguments[i];
    for (const Op &op : graph_.ops()) {
      op_ = &op;
      visit();
    }
    return std::move(all_);
  }

private:
  // ---- the current op ----
  const RowDependence &of(size_t operand) const { return all_[op_->operands[operand]]; }
  Kind kind(size_t operand) const { return of(operand).kind; }
  const Shape &shape(size_t operand) const { return graph_.type(op_->operands[operand]).shape; }
  const Shape &resultShape() const { return graph_.type(op_->result()).shape; }
  bool hasRows(const Dim &dim) const { return mentions(dim, shards_.rows); }
  std::string mnemonic() const { return std::string(opInfo(op_->kind).mnemonic); }

  void set(RowDependence dependence) {
    for (ValueId result : op_->results)
      all_[result] = dependence;
  }
  void same() { set({}); }
  void rows(size_t axis) { set(RowDependence::rows(axis)); }
  void mix(std::string reason) { set({Kind::Mixed, 0, op_->location, std::move(reason)}); }
  void mixRows() {
    mix(fmt::format("'{}' makes one row of the batch depend on others", mnemonic()));
  }
  void mixSum() { mix(fmt::format("'{}' of a sum over the batch is no such sum", mnemonic())); }

  bool areAll(Kind wanted) const {
    return std::ranges::all_of(op_->operands, [&](ValueId v) { return all_[v].kind == wanted; });
  }
  bool isAny(Kind wanted) const {
    return std::ranges::any_of(op_->operands, [&](ValueId v) { return all_[v].kind == wanted; });
  }
  bool isZero(size_t operand) const {
    const Op *definition = graph_.definition(op_->operands[operand]);
    while (definition &&
           (definition->kind == OpKind::Broadcast || definition->kind == OpKind::Convert))
      definition = graph_.definition(definition->operands[0]);
    if (!definition || definition->kind != OpKind::Constant)
      return false;
    const Literal &literal = definition->attributes.literal();
    return literal.count() == 1 && literal.asDouble(0) == 0;
  }

  void visit() {
    if (isSizeOfBatch())
      return same();
    for (ValueId operand : op_->operands)
      if (all_[operand].kind == Kind::Mixed)
        return set(all_[operand]);
    if (isElementwise(op_->kind))
      return elementwise();
    const OpFamily family = opInfo(op_->kind).family;
    switch (family) {
    case OpFamily::Constant:
    case OpFamily::Broadcast:
      return broadcast();
    case OpFamily::Iota:
      return iota();
    case OpFamily::Random:
      return random();
    case OpFamily::Scan:
      return scan();
    case OpFamily::WithGradient:
      return withGradient();
    case OpFamily::Gradient:
      return gradient();
    default:
      break;
    }
    if (areAll(Kind::Same))
      return same();
    switch (family) {
    case OpFamily::Identity:
      return set(of(0));
    case OpFamily::Reduce:
      return reduce();
    case OpFamily::ArgReduce:
      return along(op_->attributes.integers(AttrKey::Axes), Axes::Dropped);
    case OpFamily::Reverse:
      return along(op_->attributes.integers(AttrKey::Axes), Axes::Kept);
    case OpFamily::Cumulative:
    case OpFamily::Sort:
      return along({op_->attributes.integer(AttrKey::Axis)}, Axes::Kept);
    case OpFamily::Contract:
      return contract();
    case OpFamily::Conv:
      return kind(0) == Kind::Rows && of(0).axis == 0 && kind(1) == Kind::Same ? rows(0)
                                                                               : mixRows();
    case OpFamily::Reshape:
      return reshape();
    case OpFamily::Transpose:
      return transpose();
    case OpFamily::Slice:
      return slice();
    case OpFamily::Pad:
      return pad();
    case OpFamily::Concat:
      return concat();
    case OpFamily::Window:
      return window();
    case OpFamily::Gather:
      return gather();
    case OpFamily::Scatter:
      return scatter();
    case OpFamily::Pick:
      return kind(0) == Kind::Rows && of(0) == of(1) ? set(of(0)) : mixRows();
    case OpFamily::OneHot:
      return kind(0) == Kind::Rows ? set(of(0)) : mixSum();
    default:
      return mixRows();
    }
  }

  void elementwise() {
    if (areAll(Kind::Same))
      return same();
    if (!isAny(Kind::Sum)) {
      std::optional<size_t> axis;
      for (ValueId operand : op_->operands) {
        if (all_[operand].kind != Kind::Rows)
          continue;
        if (axis && *axis != all_[operand].axis)
          return mixRows();
        axis = all_[operand].axis;
      }
      return rows(*axis);
    }
    if (isAny(Kind::Rows))
      return mix(fmt::format("'{}' takes a sum over the batch back into its rows", mnemonic()));
    bool isLinear = false;
    switch (op_->kind) {
    case OpKind::Neg:
    case OpKind::StopGradient:
      isLinear = true;
      break;
    case OpKind::Convert:
      isLinear = isFloat(graph_.type(op_->result()).dtype);
      break;
    case OpKind::Mul:
      isLinear = kind(0) != kind(1);
      break;
    case OpKind::Div:
      isLinear = kind(1) == Kind::Same && isFloat(graph_.type(op_->result()).dtype);
      break;
    case OpKind::Add:
    case OpKind::Sub:
      return addition(0, 1);
    case OpKind::Select:
      return kind(0) == Kind::Same ? addition(1, 2) : mixSum();
    default:
      break;
    }
    return isLinear ? set(RowDependence::sum()) : mixSum();
  }

  void addition(size_t a, size_t b) {
    bool isSum = (kind(a) == Kind::Sum || isZero(a)) && (kind(b) == Kind::Sum || isZero(b));
    return isSum ? set(RowDependence::sum())
                 : mix("a sum over the batch meets a value that does not depend on its rows");
  }

  /// What stands everywhere the same; where the shape has the rows, it is cut with them.
  void broadcast() {
    const Shape &to = resultShape();
    std::optional<size_t> axis;
    std::vector<bool> isOld(to.size(), false);
    if (!op_->operands.empty()) {
      const auto &axes = op_->attributes.integers(AttrKey::Axes);
      for (int64_t old : axes)
        isOld[static_cast<size_t>(old)] = true;
      if (kind(0) == Kind::Rows)
        axis = static_cast<size_t>(axes[of(0).axis]);
    } else if (op_->attributes.literal().count() > 1 &&
               std::ranges::any_of(to, [&](const Dim &d) { return hasRows(d); })) {
      return mixRows();
    }
    for (size_t i = 0; i < to.size(); ++i) {
      if (isOld[i] || !hasRows(to[i]))
        continue;
      if (axis)
        return mixRows();
      axis = i;
    }
    const bool isSum = !op_->operands.empty() && kind(0) == Kind::Sum;
    if (isSum && axis)
      return mix("a sum over the batch is taken back into its rows");
    if (isSum)
      return set(RowDependence::sum());
    return axis ? rows(*axis) : same();
  }

  void iota() {
    const auto along = static_cast<size_t>(op_->attributes.integer(AttrKey::Axis));
    for (size_t i = 0; i < resultShape().size(); ++i)
      if (hasRows(resultShape()[i]) && i != along)
        return rows(i);
    return hasRows(resultShape()[along]) ? mix("the number of a row in the batch is used") : same();
  }

  /// The size of the whole batch as a number, the way dimValue reads it.
  bool isSizeOfBatch() const {
    if (op_->kind != OpKind::Slice || shape(0).size() != 1)
      return false;
    const Op *definition = graph_.definition(op_->operands[0]);
    const Dim &start = op_->attributes.dims(AttrKey::Start)[0];
    return definition && definition->kind == OpKind::Iota &&
           op_->attributes.dims(AttrKey::Limit)[0] == start + Dim(1) &&
           shape(0)[0] == start + Dim(1) &&
           std::ranges::all_of(start.terms(), [&](const Dim::Term &term) {
             return term.coefficient % shards_.count == 0;
           });
  }

  void random() {
    const Shape &to = resultShape();
    bool isRowDraw = !to.empty() && to[0] == Dim::variable(shards_.rows);
    for (size_t i = 0; i < to.size(); ++i)
      if (hasRows(to[i]) && (i != 0 || !isRowDraw))
        return mix(fmt::format("a draw of shape {} is not made row by row", str(to)));
    return isRowDraw ? rows(0) : same();
  }

  void reduce() {
    const auto &axes = op_->attributes.integers(AttrKey::Axes);
    if (kind(0) == Kind::Sum)
      return op_->kind == OpKind::Sum ? set(RowDependence::sum()) : mixSum();
    bool reducesRows = std::ranges::count(axes, static_cast<int64_t>(of(0).axis)) != 0;
    if (reducesRows && op_->kind == OpKind::Sum)
      return set(RowDependence::sum());
    return along(axes, Axes::Dropped);
  }

  enum class Axes : uint8_t { Kept, Dropped };
  /// What mixes the elements along some axes.
  void along(const std::vector<int64_t> &axes, Axes then) {
    if (kind(0) != Kind::Rows)
      return mixSum();
    const auto axis = static_cast<int64_t>(of(0).axis);
    if (std::ranges::count(axes, axis) != 0)
      return mixRows();
    const auto before = std::ranges::count_if(axes, [&](int64_t a) { return a < axis; });
    return rows(static_cast<size_t>(then == Axes::Dropped ? axis - before : axis));
  }

  void contract() {
    const size_t rank = shape(0).size();
    const bool isTransposedA = op_->attributes.integerOr0(AttrKey::TransposeA) != 0;
    const bool isTransposedB = op_->attributes.integerOr0(AttrKey::TransposeB) != 0;
    const size_t termsA = isTransposedA ? rank - 2 : rank - 1;
    const size_t termsB = isTransposedB ? rank - 1 : rank - 2;
    if (kind(0) == Kind::Rows && kind(1) == Kind::Rows) {
      if (of(0).axis == termsA && of(1).axis == termsB)
        return set(RowDependence::sum());
      return of(0).axis == of(1).axis && of(0).axis + 2 < rank ? rows(of(0).axis) : mixRows();
    }
    if (isAny(Kind::Sum))
      return isAny(Kind::Same) ? set(RowDependence::sum()) : mixSum();
    const bool isLeft = kind(0) == Kind::Rows;
    const size_t axis = of(isLeft ? 0 : 1).axis;
    if (axis + 2 < rank || axis == (isLeft ? termsA : termsB))
      return mixRows();
    return rows(isLeft ? rank - 2 : rank - 1);
  }

  void reshape() {
    if (kind(0) == Kind::Sum)
      return set(of(0));
    const Shape &from = shape(0), &to = resultShape();
    const Dim before = elementCount({from.begin(), from.begin() + static_cast<long>(of(0).axis)});
    Dim product = 1;
    for (size_t i = 0; i < to.size(); product *= to[i++])
      if (product == before && hasRows(to[i]) &&
          to[i].dividedExactlyBy(Dim::variable(shards_.rows)))
        return rows(i);
    return mixRows();
  }

  void transpose() {
    const auto &perm = op_->attributes.integers(AttrKey::Perm);
    if (kind(0) == Kind::Sum)
      return set(of(0));
    for (size_t i = 0; i < perm.size(); ++i)
      if (static_cast<size_t>(perm[i]) == of(0).axis)
        return rows(i);
  }

  void slice() {
    if (kind(0) == Kind::Sum)
      return set(of(0));
    const size_t k = of(0).axis;
    bool isWhole = op_->attributes.dims(AttrKey::Start)[k] == Dim(0) &&
                   op_->attributes.dims(AttrKey::Limit)[k] == shape(0)[k] &&
                   op_->attributes.integers(AttrKey::Stride)[k] == 1;
    return isWhole ? set(of(0)) : mix("some rows of the batch are picked out");
  }

  void pad() {
    if (kind(0) == Kind::Sum && isZero(1))
      return set(of(0));
    const size_t k = of(0).axis;
    bool isWhole = kind(0) == Kind::Rows && kind(1) == Kind::Same &&
                   op_->attributes.dims(AttrKey::Low)[k] == Dim(0) &&
                   op_->attributes.dims(AttrKey::High)[k] == Dim(0) &&
                   op_->attributes.integers(AttrKey::Stride)[k] == 1;
    return isWhole ? set(of(0)) : mixRows();
  }

  void concat() {
    const auto axis = static_cast<size_t>(op_->attributes.integer(AttrKey::Axis));
    bool isOne = std::ranges::all_of(op_->operands, [&](ValueId v) { return all_[v] == of(0); });
    if (isOne && (kind(0) == Kind::Sum || of(0).axis != axis))
      return set(of(0));
    if (isAny(Kind::Sum) && isAny(Kind::Same))
      return mix("a sum over the batch meets a value that does not depend on its rows");
    return mixRows();
  }

  void window() {
    const auto &axes = op_->attributes.integers(AttrKey::Axes);
    if (kind(0) != Kind::Rows)
      return mixSum();
    const auto axis = static_cast<int64_t>(of(0).axis);
    if (std::ranges::count(axes, axis) != 0)
      return mixRows();
    return rows(of(0).axis + (axis > axes.back() ? axes.size() : 0));
  }

  void gather() {
    const auto axis = static_cast<size_t>(op_->attributes.integer(AttrKey::Axis));
    if (kind(0) == Kind::Same && kind(1) == Kind::Rows)
      return rows(axis + of(1).axis);
    if (kind(0) == Kind::Rows && kind(1) == Kind::Same && of(0).axis != axis)
      return rows(of(0).axis < axis ? of(0).axis : of(0).axis + shape(1).size() - 1);
    return mixRows();
  }

  void scatter() {
    const auto axis = static_cast<size_t>(op_->attributes.integer(AttrKey::Axis));
    bool isSum = op_->kind == OpKind::ScatterAdd && isZero(0) && kind(1) == Kind::Rows &&
                 of(2) == RowDependence::rows(axis + of(1).axis);
    return isSum ? set(RowDependence::sum()) : mixRows();
  }

  void gradient() {
    const RowDependence loss = of(0);
    for (size_t i = 1; i < op_->operands.size(); ++i) {
      const RowDependence &by = of(i);
      RowDependence &result = all_[op_->results[i - 1]];
      if (loss.kind == Kind::Same || (loss.kind == Kind::Sum && by.kind == Kind::Rows))
        result = by;
      else if (loss.kind == Kind::Sum && by.kind == Kind::Same)
        result = RowDependence::sum();
      else
        result = {Kind::Mixed, 0, op_->location,
                  "a derivative by a sum over the batch is no such sum"};
    }
  }

  // ---- regions ----

  RowDependence joined(const RowDependence &a, const RowDependence &b) const {
    if (a == b)
      return a;
    return {Kind::Mixed, 0, op_->location,
            "the state of this scan depends on the batch in more than one way"};
  }

  static bool hasMixed(const std::vector<RowDependence> &all) {
    return std::ranges::any_of(all, [](const RowDependence &d) { return d.kind == Kind::Mixed; });
  }

  /// Lets the carries take what the steps make of them; gives the results of the last step.
  std::vector<RowDependence> settle(std::vector<RowDependence> &arguments, size_t carries) const {
    std::vector<RowDependence> inner;
    for (int round = 0; round < kMaximumRounds; ++round) {
      inner = regionResults(arguments);
      bool isSettled = true;
      for (size_t i = 0; i < carries; ++i) {
        RowDependence next = joined(arguments[i], inner[i]);
        isSettled = isSettled && next == arguments[i];
        arguments[i] = next;
      }
      if (isSettled)
        break;
    }
    return inner;
  }

  void scan() {
    const auto carries = static_cast<size_t>(op_->attributes.integer(AttrKey::Carries));
    const auto inputs = static_cast<size_t>(op_->attributes.integer(AttrKey::Inputs));
    std::vector<RowDependence> arguments;
    for (size_t i = 0; i < op_->operands.size(); ++i) {
      RowDependence argument = of(i);
      if (i >= carries && i < carries + inputs && argument.kind == Kind::Rows) {
        if (argument.axis == 0)
          return mix("the scan runs from row to row");
        --argument.axis;
      }
      arguments.push_back(argument);
    }
    std::vector<RowDependence> gathering = arguments;
    std::vector<RowDependence> inner = settle(arguments, carries);
    // What starts at zero may gather a sum over the rows, step by step.
    for (size_t i = 0; i < carries; ++i)
      if (isZero(i))
        gathering[i] = RowDependence::sum();
    if (hasMixed(arguments) && gathering != arguments) {
      inner = settle(gathering, carries);
      arguments = std::move(gathering);
    }
    for (size_t i = 0; i < inner.size(); ++i) {
      RowDependence result = i < carries ? arguments[i] : inner[i];
      if (i >= carries && result.kind == Kind::Rows)
        ++result.axis;
      all_[op_->results[i]] = result;
    }
  }

  /// The value is its first operand; what the region gives must be what a derivative would be.
  void withGradient() {
    const auto count = static_cast<size_t>(op_->attributes.integer(AttrKey::Arguments));
    std::vector<RowDependence> arguments;
    for (size_t i = 0; i < op_->operands.size(); ++i)
      arguments.push_back(of(i));
    if (kind(0) == Kind::Sum)
      arguments[0] = {};
    std::vector<RowDependence> results = regionResults(arguments);
    for (size_t i = 0; i < count; ++i) {
      RowDependence wanted = of(1 + i);
      if (wanted.kind == Kind::Same && kind(0) != Kind::Same)
        wanted = RowDependence::sum();
      if (results[i].kind == Kind::Mixed)
        return set(results[i]);
      if (!(results[i] == wanted))
        return mixRows();
    }
    set(of(0));
  }

  std::vector<RowDependence> regionResults(const std::vector<RowDependence> &arguments) const {
    const Graph &region = *op_->region;
    std::vector<RowDependence> inner = findRowDependence(region, shards_, arguments);
    std::vector<RowDependence> results;
    for (ValueId result : region.results)
      results.push_back(inner[result]);
    return results;
  }

  const Graph &graph_;
  const Shards &shards_;
  const Op *op_ = nullptr;
  std::vector<RowDependence> all_;
};

} // namespace

std::vector<RowDependence> findRowDependence(const Graph &graph, const Shards &shards,
                                             const std::vector<RowDependence> &arguments) {
  return RowAnalysis(graph, shards).run(arguments);
}

} // namespace apr::frontend
