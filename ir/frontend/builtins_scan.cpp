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

} // namespace

/// What a scan runs at each step.
struct Elaborator::ScanBody {
  const Value &function;
  Location location; ///< of the function
  Location call;     ///< of the scan
  std::optional<Dim> length;
  std::vector<Type> slices; ///< of the inputs
  Value inputs;             ///< their tree
};

/// Calls the body in the current region: its carry and its output.
Value Elaborator::runScanBody(const ScanBody &body, const Value &carry, const Value &slices) {
  std::vector<CallArgument> arguments;
  arguments.push_back({{}, body.location, nullptr, nullptr, carry});
  arguments.push_back({{}, body.location, nullptr, nullptr, slices});
  Value result = call(body.function, std::move(arguments), body.location, nullptr);
  auto *pair = result.as<TupleValue>();
  if (!pair || pair->elements.size() != 2)
    fail(DiagnosticKind::KindMismatch, body.location,
         fmt::format("the body of 'scan' returns the new carry and an output, '(c, y)', found {}",
                     describe(result)),
         "'(c, none)' where there is nothing to collect");
  return result;
}

/// The carry before the first step, as tensors. A number takes the dtype that it has after a step
/// on trial.
Value Elaborator::scanStart(const ScanBody &body, const Value &init, Location location) {
  Value start = isBundleLike(init) ? Value(bundleOf(init, location)) : init;
  bool hasNumbers = false;
  start = mapLeaves(start, [&](const Value &leaf) {
    hasNumbers = hasNumbers || (isNumber(leaf) && asDim(leaf));
    return read(leaf, location);
  });
  Value after = start;
  if (hasNumbers) {
    FunctionContext &root = context_->root();
    auto drawn = root.drawnStreams();
    Region region(*context_, body.length);
    ContextSwitch inside(*this, region);
    size_t next = 0;
    Value slices = mapLeaves(body.inputs, [&](const Value &) -> Value {
      return make(region.addArgument(body.slices[next++], "", location));
    });
    after = runScanBody(body, start, slices).as<TupleValue>()->elements[0];
    root.setDrawnStreams(std::move(drawn));
  }
  auto dtypeAfter = [&](const Value &leaf) {
    auto *tensor = leaf.as<TensorValue>();
    return tensor && !tensor->isWeak ? tensor->type.dtype : real_;
  };
  auto asTensor = [&](const Value &leaf, DType dtype) -> Value {
    if (auto *boolean = leaf.as<BoolValue>())
      return make(context_->builder.splatInteger({DType::Bool, {}}, boolean->value));
    if (auto *tensor = leaf.as<TensorValue>(); tensor && !tensor->isWeak)
      return leaf;
    if (auto *tensor = leaf.as<TensorValue>(); tensor && !isFloat(tensor->type.dtype))
      return make(tensor->id);
    return requireTensor(leaf, dtype, location, "the start of a carry");
  };
  auto typed = mapLeavesOf(start, after, [&](const Value &leaf, const Value &then) {
    return asTensor(leaf, isNumber(leaf) ? dtypeAfter(then) : real_);
  });
  if (typed)
    return *typed;
  return mapLeaves(start, [&](const Value &leaf) { return asTensor(leaf, real_); });
}

Value Elaborator::builtinScan(BuiltinCall &call) {
  Location location = call.location;
  if (Region::depthOf(*context_) >= Region::kMaximumDepth)
    fail(DiagnosticKind::TooLarge, location,
         fmt::format("scans nest more than {} deep", Region::kMaximumDepth));
  int64_t axis = call.has(3) ? requireInt(*call.values[3], call.locations[3], "the axis") : 0;
  bool isReversed = call.has(4) && requireBool(*call.values[4], call.locations[4], "'reverse'");
  ScanBody body{*call.values[2], call.locations[2], location, std::nullopt, {}, {}};

  // The inputs, with the axis of the steps in front.
  Location inputLocation = call.locations[1];
  Builder &builder = context_->builder;
  ScanOperands operands;
  const Value &xs = *call.values[1];
  if (isNumber(xs)) {
    Dim count = requireDim(xs, inputLocation, "the number of steps");
    if (auto known = count.asConstant(); known && *known < 0)
      fail(DiagnosticKind::BadConstant, inputLocation, fmt::format("a scan of {} steps", *known));
    body.length = count;
    operands.inputs.push_back(builder.iota({DType::I32, {count}}, 0));
    body.inputs = make(operands.inputs.back());
  } else {
    auto lead = [&](const Value &leaf) -> Value {
      TensorValue x = anyTensor(leaf, inputLocation, "an input of 'scan'");
      if (x.type.shape.empty())
        fail(DiagnosticKind::ShapeMismatch, inputLocation,
             fmt::format("an input of 'scan' needs an axis to go along, found {}", str(x.type)));
      auto from = static_cast<size_t>(
          requireAxes(NumberValue{Rational(axis)}, x.type.rank(), call.locations[3]).front());
      const Dim length = x.type.shape[from];
      if (body.length && *body.length != length)
        fail(DiagnosticKind::ShapeMismatch, inputLocation,
             fmt::format("the inputs of 'scan' have {} and {} steps", body.length->str(),
                         length.str()));
      body.length = length;
      if (from != 0)
        x = make(builder.transpose(x.id, moveAxis(x.type.rank(), from, 0)));
      operands.inputs.push_back(x.id);
      return x;
    };
    body.inputs = mapLeaves(isBundleLike(xs) ? Value(bundleOf(xs, inputLocation)) : xs, lead);
  }
  if (!body.length)
    fail(DiagnosticKind::KindMismatch, inputLocation,
         fmt::format("'scan' goes along tensors or counts to a number, found {}", describe(xs)));
  for (ValueId input : operands.inputs)
    body.slices.push_back(sliceType(builder.type(input)));

  Value start = scanStart(body, *call.values[0], call.locations[0]);
  mapLeaves(start, [&](const Value &leaf) {
    operands.carries.push_back(leaf.as<TensorValue>()->id);
    return leaf;
  });

  Region region(*context_, body.length);
  std::vector<ValueId> yielded;
  Value outputs;
  {
    ContextSwitch inside(*this, region);
    const Graph &outer = region.outer().graph();
    auto argument = [&](const Type &type, ValueId like) {
      return make(region.addArgument(type, outer.value(like).name, location));
    };
    Value carry = mapLeaves(start, [&](const Value &leaf) -> Value {
      const auto &tensor = *leaf.as<TensorValue>();
      return argument(tensor.type, tensor.id);
    });
    size_t next = 0;
    Value slices = mapLeaves(body.inputs, [&](const Value &) -> Value {
      size_t i = next++;
      return argument(body.slices[i], operands.inputs[i]);
    });
    Value result = runScanBody(body, carry, slices);
    const auto &pair = result.as<TupleValue>()->elements;
    Value after = pair[0].is<InstanceValue>() ? Value(bundleOf(pair[0], location)) : pair[0];
    auto keep = [&](const Value &before, const Value &now) {
      yielded.push_back(requireType(now, before.as<TensorValue>()->type, body.location,
                                    "the carry that the body of 'scan' returns"));
      return before;
    };
    if (!mapLeavesOf(start, after, keep))
      fail(DiagnosticKind::KindMismatch, body.location,
           fmt::format("the carry of 'scan' keeps its type: it starts as {}, the body returns {}",
                       describeForm(start), describeForm(after)));
    outputs = mapLeaves(pair[1], [&](const Value &leaf) -> Value {
      TensorValue y = anyTensor(leaf, body.location, "an output of the body of 'scan'");
      if (y.isWeak && isFloat(y.type.dtype))
        y = requireTensor(y, real_, body.location, "an output of the body of 'scan'");
      yielded.push_back(y.id);
      return y;
    });
  }
  if (yielded.empty())
    fail(DiagnosticKind::KindMismatch, location,
         "nothing comes of this 'scan': it has neither a "
         "carry nor an output");
  Region::Finished finished = region.complete(yielded);
  operands.inputs.insert(operands.inputs.end(), finished.inputs.begin(), finished.inputs.end());
  operands.captured = finished.captured;
  std::vector<ValueId> results =
      createScan(context_->builder.at(location), operands, *body.length,
                 isReversed ? ScanDirection::Backwards : ScanDirection::Forwards, finished.graph);

  size_t next = 0;
  Value last = mapLeaves(start, [&](const Value &) -> Value { return make(results[next++]); });
  Value stacked = mapLeaves(outputs, [&](const Value &leaf) -> Value {
    ValueId stack = results[next++];
    size_t rank = leaf.as<TensorValue>()->type.rank();
    size_t to = stackAxis(axis, rank);
    return make(to == 0 ? stack : builder.transpose(stack, moveAxis(rank + 1, 0, to)));
  });
  return TupleValue{{std::move(last), std::move(stacked)}, {}};
}

} // namespace apr::frontend
