// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions, gradients, sizes and orders.
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace apr::frontend {

namespace {

std::vector<int64_t> allAxes(size_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// The arguments `axis` and `keep` of a reduction.
struct ReducedAxes {
  std::vector<int64_t> axes; ///< ascending
  bool isKept = false;

  /// The reduced value in the operand's rank where `keep` asks for it.
  ValueId shaped(Builder &builder, ValueId reduced, Shape shape) const {
    if (!isKept)
      return reduced;
    for (int64_t axis : axes)
      shape[static_cast<size_t>(axis)] = Dim(1);
    return builder.reshape(reduced, std::move(shape));
  }
};

/// Reads argument `first` as axes and the next one as `keep`.
ReducedAxes readAxes(Elaborator &e, const BuiltinCall &call, size_t first, size_t rank,
                     std::vector<int64_t> otherwise) {
  ReducedAxes reduced{std::move(otherwise)};
  if (call.has(first))
    reduced.axes = e.requireAxes(*call.values[first], rank, call.locations[first]);
  std::sort(reduced.axes.begin(), reduced.axes.end());
  reduced.isKept = call.has(first + 1) &&
                   e.requireBool(*call.values[first + 1], call.locations[first + 1], "'keep'");
  return reduced;
}

} // namespace

Value Elaborator::builtinSum(BuiltinCall &call) {
  const Value &operand = *call.values[0];
  Builder &builder = context_->builder;
  if (isBundleLike(operand) && call.builtin.op == OpKind::Sum) {
    // Over all leaves, in declaration order.
    BundleValue bundle = bundleOf(operand, call.location);
    std::optional<ValueId> total;
    for (auto &[state, leaf] : bundle.leaves) {
      TensorValue tensor = anyTensor(leaf, call.location, "a leaf");
      ValueId sum = tensor.type.shape.empty() ? tensor.id
                                              : builder.sum(tensor.id, allAxes(tensor.type.rank()));
      if (total && builder.type(*total) != builder.type(sum))
        fail(DiagnosticKind::DTypeMismatch, call.location, "the bundle's tensors differ in dtype");
      total = total ? builder.add(*total, sum) : sum;
    }
    if (!total)
      return NumberValue{0};
    return make(*total);
  }
  TensorValue x =
      anyTensor(operand, call.locations[0], fmt::format("the operand of '{}'", call.builtin.name));
  if (x.type.dtype == DType::Bool && call.builtin.op == OpKind::Sum)
    x = convertTo(x, DType::I32);
  if (!isFloat(x.type.dtype) && !isInteger(x.type.dtype))
    fail(DiagnosticKind::DTypeMismatch, call.location,
         fmt::format("'{}' takes numbers, found {}", call.builtin.name, str(x.type)),
         "convert it: 'real(x)'");
  const ReducedAxes over = readAxes(*this, call, 1, x.type.rank(), allAxes(x.type.rank()));
  if (over.axes.empty())
    return x;
  Attributes attributes;
  attributes.set(AttrKey::Axes, over.axes);
  if (call.has(3)) {
    auto *order = call.values[3]->as<OrderValue>();
    if (!order)
      fail(DiagnosticKind::KindMismatch, call.locations[3],
           fmt::format("'order' must be an order, found {}", describe(*call.values[3])),
           "seq(), tree(seq(512)), tree(lanes(32, 4096))");
    if (auto problem = order->order.problem())
      fail(DiagnosticKind::BadConstant, call.locations[3], *problem);
    attributes.set(AttrKey::Order, order->order);
  }
  ValueId sum = builder.create(call.builtin.op, {x.id}, attributes);
  TensorValue result = make(over.shaped(builder, sum, x.type.shape));
  // A sum over everything with one term per input row may become a mean: see binary().
  const apr::Function &function = context_->function;
  bool overRows = false;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const Shape &shape = builder.type(context_->graph().arguments()[i]).shape;
    overRows = overRows || (function.arguments[i].role == ArgumentRole::Input && !shape.empty() &&
                            !x.type.shape.empty() && shape[0] == x.type.shape[0]);
  }
  if (call.builtin.op == OpKind::Sum && overRows && over.axes.size() == x.type.rank() &&
      !over.isKept && isFloat(x.type.dtype))
    result.rows = RowForm{RowForm::Kind::Sum, x.id};
  return result;
}

Value Elaborator::builtinMaxMin(BuiltinCall &call) {
  bool isMax = call.builtin.op == OpKind::Max;
  std::string what = fmt::format("'{}'", call.builtin.name);
  if (call.has(1)) {
    if (call.has(2) || call.has(3))
      fail(DiagnosticKind::WrongArguments, call.location,
           fmt::format("{} of two operands has no axis", what));
    if (isBundleLike(*call.values[0]) || isBundleLike(*call.values[1])) {
      BundleValue leaves = bundleOf(
          isBundleLike(*call.values[0]) ? *call.values[0] : *call.values[1], call.location);
      // Of two bundles, the leaves of the second are taken in the order of the first.
      bool areBoth = isBundleLike(*call.values[0]) && isBundleLike(*call.values[1]);
      BundleValue others = areBoth ? bundleOf(*call.values[1], call.location) : BundleValue{};
      if (areBoth && others.leaves.size() != leaves.leaves.size())
        fail(DiagnosticKind::KindMismatch, call.location,
             fmt::format("{} of bundles of {} and {} tensors", what, leaves.leaves.size(),
                         others.leaves.size()));
      for (size_t i = 0; i < leaves.leaves.size(); ++i) {
        Value &leaf = leaves.leaves[i].second;
        std::vector<Value> pair{leaf, areBoth ? others.leaves[i].second : *call.values[1]};
        if (!areBoth && isBundleLike(*call.values[1]))
          pair = {*call.values[0], leaf};
        leaf = elementwise(call.builtin.op, std::move(pair), call.location, what, call.locations);
      }
      return leaves;
    }
    auto a = call.values[0]->as<NumberValue>();
    auto b = call.values[1]->as<NumberValue>();
    if (a && b && a->kind == NumberValue::Kind::Finite && b->kind == NumberValue::Kind::Finite)
      return (Rational::compare(a->value, b->value) >= 0) == isMax ? *call.values[0]
                                                                   : *call.values[1];
    return elementwise(call.builtin.op, {*call.values[0], *call.values[1]}, call.location, what,
                       call.locations);
  }
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of " + what);
  if (!isFloat(x.type.dtype) && !isInteger(x.type.dtype))
    fail(DiagnosticKind::DTypeMismatch, call.location,
         fmt::format("{} takes numbers, found {}", what, str(x.type)),
         x.type.dtype == DType::Bool ? "'any' and 'all' take bools" : "convert it: 'real(x)'");
  const ReducedAxes over = readAxes(*this, call, 2, x.type.rank(), allAxes(x.type.rank()));
  if (over.axes.empty())
    return x;
  Builder &builder = context_->builder;
  const OpKind kind = isMax ? OpKind::ReduceMax : OpKind::ReduceMin;
  return make(over.shaped(builder, builder.reduce(kind, x.id, over.axes), x.type.shape));
}

Value Elaborator::builtinAnyAll(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0],
                            fmt::format("the operand of '{}'", call.builtin.name));
  if (x.type.dtype != DType::Bool)
    fail(DiagnosticKind::DTypeMismatch, call.location,
         fmt::format("'{}' takes bools, found {}", call.builtin.name, str(x.type)),
         "compare first: 'x != 0'");
  const ReducedAxes over = readAxes(*this, call, 1, x.type.rank(), allAxes(x.type.rank()));
  if (over.axes.empty())
    return x;
  Builder &builder = context_->builder;
  return make(over.shaped(builder, builder.reduce(call.builtin.op, x.id, over.axes), x.type.shape));
}

Value Elaborator::builtinArgmax(BuiltinCall &call) {
  const std::string what = fmt::format("'{}'", call.builtin.name);
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of " + what);
  if ((!isFloat(x.type.dtype) && !isInteger(x.type.dtype)) || x.type.shape.empty())
    fail(DiagnosticKind::ShapeMismatch, call.location,
         fmt::format("{} takes numbers with at least one axis, found {}", what, str(x.type)));
  const ReducedAxes over =
      readAxes(*this, call, 1, x.type.rank(), {static_cast<int64_t>(x.type.rank()) - 1});
  if (over.axes.empty())
    fail(DiagnosticKind::BadAxis, call.location, what + " needs an axis");
  Builder &builder = context_->builder;
  return make(over.shaped(builder, builder.reduce(call.builtin.op, x.id, over.axes), x.type.shape));
}

// ---- gradients ----

std::vector<bool> Elaborator::dependsOn(ValueId root) {
  const Graph &graph = context_->graph();
  std::vector<bool> reaches(graph.values().size(), false);
  reaches[root] = true;
  // A gradient lies on the way: then what a function's own gradient captures counts as well.
  bool isTwice = false;
  for (size_t i = graph.ops().size(); i-- > 0;) {
    const Op &op = graph.ops()[i];
    bool isUsed = std::any_of(op.results.begin(), op.results.end(), [&](ValueId result) {
      return reaches[result] && isFloat(graph.type(result).dtype);
    });
    if (!isUsed || op.kind == OpKind::StopGradient)
      continue;
    isTwice = isTwice || op.kind == OpKind::Gradient;
    size_t count = op.operands.size();
    if (op.kind == OpKind::WithGradient && !isTwice)
      count = 1 + static_cast<size_t>(op.attributes.integer(AttrKey::Arguments));
    for (size_t operand = op.kind == OpKind::WithGradient ? 1 : 0; operand < count; ++operand)
      if (isFloat(graph.type(op.operands[operand]).dtype))
        reaches[op.operands[operand]] = true;
  }
  return reaches;
}

Value Elaborator::builtinGrad(BuiltinCall &call) {
  TensorValue e = anyTensor(*call.values[0], call.locations[0], "what is differentiated");
  if (!e.type.shape.empty() || !isFloat(e.type.dtype))
    fail(DiagnosticKind::ShapeMismatch, call.locations[0],
         fmt::format("only a float scalar can be differentiated, found {}", str(e.type)),
         "sum or average it first: 'grad(sum(e), x)'");
  Value by;
  if (call.has(1))
    by = *call.values[1];
  else if (instance_)
    by = InstanceValue{instance_};
  else
    fail(DiagnosticKind::WrongArguments, call.location,
         "'grad(e)' needs a model or layer around it", "say by what: 'grad(e, x)'");
  std::vector<bool> reaches = dependsOn(e.id);
  auto gradients = [&](const std::vector<ValueId> &values) {
    std::vector<ValueId> operands{e.id};
    operands.insert(operands.end(), values.begin(), values.end());
    return context_->builder.at(call.location).createMulti(OpKind::Gradient, operands);
  };
  std::function<Value(const Value &)> derive = [&](const Value &target) -> Value {
    if (auto *tuple = target.as<TupleValue>()) {
      TupleValue result;
      for (const Value &element : tuple->elements)
        result.elements.push_back(derive(element));
      result.names = tuple->names;
      return result;
    }
    if (auto *bundle = target.as<BundleValue>())
      return mapBundle(*bundle, derive);
    bool isBundle = target.is<InstanceValue>() || target.is<ChainValue>();
    if (isBundle) {
      std::vector<uint32_t> states;
      std::vector<ValueId> values;
      bool hasPath = false;
      for (uint32_t state : statesOf(target, call.location)) {
        if (tables_.states[state].isFrozen)
          continue;
        states.push_back(state);
        values.push_back(context_->stateArgument(state));
        bool reached = values.back() < reaches.size() && reaches[values.back()];
        hasPath = hasPath || reached;
        if (!reached)
          report(DiagnosticKind::UnusedParameter, call.location,
                 fmt::format("'{}' has no influence on this value; its gradient is zero",
                             tables_.states[state].tensor.name));
      }
      if (!hasPath)
        fail(DiagnosticKind::NoGradientPath, call.location,
             fmt::format("no parameter of {} has any influence on this value", describe(target)));
      std::vector<ValueId> results = gradients(values);
      BundleValue bundle;
      for (size_t i = 0; i < states.size(); ++i)
        bundle.leaves.emplace_back(states[i], make(results[i]));
      return bundle;
    }
    TensorValue x = anyTensor(target, call.locations.size() > 1 ? call.locations[1] : call.location,
                              "the variable of 'grad'");
    if (!isFloat(x.type.dtype) || x.id >= reaches.size() || !reaches[x.id])
      fail(DiagnosticKind::NoGradientPath, call.location,
           fmt::format("there is no path of derivatives from this {} to the value", str(x.type)),
           "'x' must be the very value that was used, not one computed again");
    return make(gradients({x.id}).front());
  };
  return derive(by);
}

// ---- sizes and orders ----

Value Elaborator::builtinSize(BuiltinCall &call) {
  Value operand = *call.values[0];
  Shape shape;
  if (operand.is<StateValue>() || operand.is<TensorValue>() || operand.is<HyperValue>())
    shape = anyTensor(operand, call.locations[0], "the operand").type.shape;
  else if (operand.is<NumberValue>() && call.builtin.name != "size")
    shape = {};
  else
    shape = requireShape(operand, call.locations[0]);
  auto asValue = [](const Dim &dim) -> Value {
    if (auto known = dim.asConstant())
      return NumberValue{Rational(*known)};
    return DimValue{dim};
  };
  if (call.builtin.name == "rank")
    return NumberValue{Rational(static_cast<int64_t>(shape.size()))};
  if (call.builtin.name == "axes") {
    ListValue list;
    for (size_t i = 0; i < shape.size(); ++i)
      list.elements.emplace_back(NumberValue{Rational(static_cast<int64_t>(i))});
    return list;
  }
  Dim count = 1;
  if (call.has(1))
    for (int64_t axis : requireAxes(*call.values[1], shape.size(), call.locations[1]))
      count *= shape[static_cast<size_t>(axis)];
  else
    count = elementCount(shape);
  if (!count.isValid())
    fail(DiagnosticKind::BadConstant, call.location, "the size is too large to be computed");
  return asValue(count);
}

Value Elaborator::builtinShape(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'shape'");
  ListValue list;
  for (const Dim &dim : x.type.shape) {
    if (auto known = dim.asConstant())
      list.elements.emplace_back(NumberValue{Rational(*known)});
    else
      list.elements.emplace_back(DimValue{dim});
  }
  return list;
}

Value Elaborator::builtinOrder(BuiltinCall &call) {
  auto length = [&](size_t i) {
    return requireInt(*call.values[i], call.locations[i], "a length of an order");
  };
  if (call.builtin.name == "seq")
    return OrderValue{call.has(0) ? Order::chunks(length(0)) : Order::seq()};
  if (call.builtin.name == "lanes")
    return OrderValue{Order::lanes(length(0), length(1))};
  size_t inner = call.has(1) ? 1 : 0;
  auto *order = call.values[inner]->as<OrderValue>();
  if (!order)
    fail(DiagnosticKind::KindMismatch, call.locations[inner],
         fmt::format("'tree' needs an order, found {}", describe(*call.values[inner])));
  if (!call.has(1))
    return OrderValue{Order::tree(order->order)};
  return OrderValue{
      Order::ranges(requireDim(*call.values[0], call.locations[0], "a range count"), order->order)};
}

} // namespace apr::frontend
