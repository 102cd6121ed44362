// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// scan(init, xs, fn (c, x) { … (c, y) }, axis = 0): a loop over an axis, as an op with a region.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/operators.h"
#include "ir/frontend/regions.h"
#include "ir/frontend/value_tree.h"
#include "ir/scan.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace apr::frontend {

namespace {

/// The permutation that brings an axis to another place and keeps the order of the others.
std::vector<int64_t> moveAxis(size_t rank, size_t from, size_t to) {
  std::vector<int64_t> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  auto moved = perm.begin() + static_cast<std::ptrdiff_t>(from);
  auto target = perm.begin() + static_cast<std::ptrdiff_t>(to);
  if (from < to)
    std::rotate(moved, moved + 1, target + 1);
  else
    std::rotate(target, moved, moved + 1);
  return perm;
}

/// Where the steps are in a stack of values of `rank`: at the axis that was asked for, or at the
/// nearest one that there is.
size_t stackAxis(int64_t axis, size_t rank) {
  auto last = static_cast<int64_t>(rank);
  return static_cast<size_t>(std::clamp(axis < 0 ? axis + last + 1 : axis, int64_t{0}, last));
}

std::string describeForm(const Value &tree) {
  if (auto *tuple = tree.as<TupleValue>()) {
    std::string text;
    for (const Value &element : tuple->elements)
      text += (text.empty() ? "" : ", ") + describeForm(element);
    return fmt::format("({})", text);
  }
  return describe(tree);
}

bool isNumber(const Value &value) { return value.is<NumberValue>() || value.is<DimValue>(); }

/// One call of `scan`.
class ScanCall {
public:
  ScanCall(Elaborator &elaborator, const BuiltinCall &call)
      : e_(elaborator), call_(call), location_(call.location) {}

  Value run() {
    if (Region::depthOf(e_.context()) >= Region::kMaximumDepth)
      e_.fail(DiagnosticKind::TooLarge, location_,
              fmt::format("scans nest more than {} deep", Region::kMaximumDepth));
    if (call_.has(3))
      axis_ = e_.requireInt(*call_.values[3], call_.locations[3], "the axis");
    if (call_.has(4) && e_.requireBool(*call_.values[4], call_.locations[4], "'reverse'"))
      direction_ = ScanDirection::Backwards;
    readInputs();
    readStart();
    Region region(e_.context(), length_);
    runBody(region);
    return finish(region);
  }

private:
  /// Instances count as bundles of their parameters.
  Value treeOf(const Value &value, Location location) {
    return isBundleLike(value) ? Value(e_.bundleOf(value, location)) : value;
  }

  // ---- what the scan goes along ----

  void readInputs() {
    Location location = call_.locations[1];
    const Value &xs = *call_.values[1];
    if (isNumber(xs)) {
      countTo(e_.requireDim(xs, location, "the number of steps"), location);
      return;
    }
    inputs_ = mapLeaves(treeOf(xs, location),
                        [&](const Value &leaf) -> Value { return addInput(leaf, location); });
    if (operands_.inputs.empty())
      e_.fail(
          DiagnosticKind::KindMismatch, location,
          fmt::format("'scan' goes along tensors or counts to a number, found {}", describe(xs)));
  }

  void countTo(const Dim &count, Location location) {
    if (auto known = count.asConstant(); known && *known < 0)
      e_.fail(DiagnosticKind::BadConstant, location, fmt::format("a scan of {} steps", *known));
    length_ = count;
    operands_.inputs.push_back(e_.context().builder.iota({DType::I32, {count}}, 0));
    inputs_ = e_.make(operands_.inputs.back());
  }

  /// The tensor with the axis of the steps in front.
  TensorValue addInput(const Value &leaf, Location location) {
    TensorValue x = e_.anyTensor(leaf, location, "an input of 'scan'");
    size_t rank = x.type.rank();
    if (rank == 0)
      e_.fail(DiagnosticKind::ShapeMismatch, location,
              fmt::format("an input of 'scan' needs an axis to go along, found {}", str(x.type)));
    auto from = static_cast<size_t>(
        e_.requireAxes(NumberValue{Rational(axis_)}, rank, call_.locations[3]).front());
    const Dim length = x.type.shape[from];
    if (!operands_.inputs.empty() && length_ != length)
      e_.fail(
          DiagnosticKind::ShapeMismatch, location,
          fmt::format("the inputs of 'scan' have {} and {} steps", length_.str(), length.str()));
    length_ = length;
    if (from != 0)
      x = e_.make(e_.context().builder.transpose(x.id, moveAxis(rank, from, 0)));
    operands_.inputs.push_back(x.id);
    return x;
  }

  // ---- the carry before the first step ----

  void readStart() {
    Location location = call_.locations[0];
    bool hasNumbers = false;
    start_ = mapLeaves(treeOf(*call_.values[0], location), [&](const Value &leaf) {
      hasNumbers = hasNumbers || (isNumber(leaf) && Elaborator::asDim(leaf));
      return e_.read(leaf, location);
    });
    Value after = hasNumbers ? tryBody() : start_;
    // A number has the dtype that is found after a step.
    auto typed = mapLeavesOf(start_, after, [&](const Value &leaf, const Value &then) {
      auto *tensor = then.as<TensorValue>();
      bool isKnown = isNumber(leaf) && tensor && !tensor->isWeak;
      return startOf(leaf, isKnown ? tensor->type.dtype : e_.real(), location);
    });
    start_ = typed ? *typed : mapLeaves(start_, [&](const Value &leaf) {
      return startOf(leaf, e_.real(), location);
    });
    mapLeaves(start_, [&](const Value &leaf) {
      operands_.carries.push_back(leaf.as<TensorValue>()->id);
      return leaf;
    });
  }

  Value startOf(const Value &leaf, DType dtype, Location location) {
    if (auto *boolean = leaf.as<BoolValue>())
      return e_.make(e_.context().builder.splatInteger({DType::Bool, {}}, boolean->value));
    auto *tensor = leaf.as<TensorValue>();
    if (tensor && (!tensor->isWeak || !isFloat(tensor->type.dtype)))
      return e_.make(tensor->id);
    return e_.requireTensor(leaf, dtype, location, "the start of a carry");
  }

  /// The carry after a step whose ops are thrown away.
  Value tryBody() {
    FunctionContext &root = e_.context().root();
    auto drawn = root.drawnStreams();
    Region region(e_.context(), length_);
    Elaborator::ContextSwitch inside(e_, region);
    Value after = callBody(start_, slicesIn(region)).elements[0];
    root.setDrawnStreams(std::move(drawn));
    return after;
  }

  // ---- a step ----

  Value argumentIn(Region &region, const Type &type, ValueId like) {
    const std::string &name = region.outer().graph().value(like).name;
    return e_.make(region.addArgument(type, name, location_));
  }

  Value slicesIn(Region &region) {
    size_t next = 0;
    return mapLeaves(inputs_, [&](const Value &) {
      ValueId input = operands_.inputs[next++];
      return argumentIn(region, sliceType(region.outer().graph().type(input)), input);
    });
  }

  /// The carry and the output that the body returns.
  TupleValue callBody(const Value &carry, const Value &slices) {
    Location location = call_.locations[2];
    std::vector<CallArgument> arguments;
    arguments.push_back({{}, location, nullptr, nullptr, carry});
    arguments.push_back({{}, location, nullptr, nullptr, slices});
    Value result = e_.call(*call_.values[2], std::move(arguments), location, nullptr);
    auto *pair = result.as<TupleValue>();
    if (!pair || pair->elements.size() != 2)
      e_.fail(DiagnosticKind::KindMismatch, location,
              fmt::format("the body of 'scan' returns the new carry and an output, '(c, y)', "
                          "found {}",
                          describe(result)),
              "'(c, none)' where there is nothing to collect");
    return TupleValue{{treeOf(pair->elements[0], location), treeOf(pair->elements[1], location)},
                      {}};
  }

  void runBody(Region &region) {
    Elaborator::ContextSwitch inside(e_, region);
    Value carry = mapLeaves(start_, [&](const Value &leaf) {
      const auto &tensor = *leaf.as<TensorValue>();
      return argumentIn(region, tensor.type, tensor.id);
    });
    TupleValue pair = callBody(carry, slicesIn(region));
    Location location = call_.locations[2];
    auto keep = [&](const Value &before, const Value &now) {
      yielded_.push_back(e_.requireType(now, before.as<TensorValue>()->type, location,
                                        "the carry that the body of 'scan' returns"));
      return before;
    };
    if (!mapLeavesOf(start_, pair.elements[0], keep))
      e_.fail(DiagnosticKind::KindMismatch, location,
              fmt::format("the carry of 'scan' keeps its type: it starts as {}, the body returns "
                          "{}",
                          describeForm(start_), describeForm(pair.elements[0])));
    constexpr std::string_view kOutput = "an output of the body of 'scan'";
    outputs_ = mapLeaves(pair.elements[1], [&](const Value &leaf) -> Value {
      TensorValue y = e_.anyTensor(leaf, location, kOutput);
      if (y.isWeak && isFloat(y.type.dtype))
        y = e_.requireTensor(y, e_.real(), location, kOutput);
      yielded_.push_back(y.id);
      return y;
    });
    if (yielded_.empty())
      e_.fail(DiagnosticKind::KindMismatch, location_,
              "nothing comes of this 'scan': it has neither a carry nor an output");
  }

  // ---- the op ----

  Value finish(Region &region) {
    Builder &builder = e_.context().builder.at(location_);
    Region::Finished finished = region.complete(yielded_);
    operands_.inputs.insert(operands_.inputs.end(), finished.inputs.begin(), finished.inputs.end());
    operands_.captured = finished.captured;
    std::vector<ValueId> results =
        createScan(builder, operands_, length_, direction_, finished.graph);
    size_t next = 0;
    Value last =
        mapLeaves(start_, [&](const Value &) -> Value { return e_.make(results[next++]); });
    Value stacked = mapLeaves(outputs_, [&](const Value &leaf) -> Value {
      ValueId stack = results[next++];
      size_t rank = leaf.as<TensorValue>()->type.rank();
      size_t to = stackAxis(axis_, rank);
      return e_.make(to == 0 ? stack : builder.transpose(stack, moveAxis(rank + 1, 0, to)));
    });
    return TupleValue{{std::move(last), std::move(stacked)}, {}};
  }

  Elaborator &e_;
  const BuiltinCall &call_;
  const Location location_;
  int64_t axis_ = 0;
  ScanDirection direction_ = ScanDirection::Forwards;
  Dim length_;
  Value inputs_;  ///< a tree of tensors with the steps in front
  Value start_;   ///< a tree of tensors
  Value outputs_; ///< a tree of tensors of the region
  ScanOperands operands_;
  std::vector<ValueId> yielded_; ///< what the region returns
};

} // namespace

Value Elaborator::builtinScan(BuiltinCall &call) { return ScanCall(*this, call).run(); }

} // namespace apr::frontend
