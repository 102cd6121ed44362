// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// rearrange(x, "b t (h d) -> b h t d", h = 4) and reduce(x, "b (t k) -> b t", max, k = 2): axes by
// name, split and joined by parentheses. They become reshape, transpose, broadcast, reshape.
#include "ir/frontend/axis_pattern.h"
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

/// A pattern and what is known of its axes.
struct Elaborator::AxisPlan {
  AxisGroups from;
  AxisGroups to;
  std::map<std::string, Dim> sizes;

  Shape shapeOf(const std::vector<std::string> &names) const {
    Shape shape;
    for (const std::string &name : names)
      shape.push_back(sizes.at(name));
    return shape;
  }
};

namespace {

bool contains(const std::vector<std::string> &names, const std::string &name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

/// Reads the pattern for an operand of this type and finds out the sizes of the left side's names.
Elaborator::AxisPlan Elaborator::planAxes(BuiltinCall &call, const Type &type) {
  Location location = call.locations[1];
  auto malformed = [&](std::string_view why) {
    fail(DiagnosticKind::BadPattern, location, std::string(why),
         "for example \"b t (h d) -> b h t d\"");
  };
  auto *pattern = call.values[1]->as<StringValue>();
  auto sides = splitPattern(pattern ? pattern->text : std::string_view(), "->");
  if (sides.size() != 2)
    malformed("a pattern has two sides with '->' between them");
  auto from = parseAxes(sides[0]);
  auto to = parseAxes(sides[1]);
  if (!from || !to)
    malformed("a side of a pattern consists of names, 1, '..', and parentheses around names");
  for (const AxisGroups *side : {&*from, &*to})
    if (auto name = findRepeated(namesOf(*side)))
      malformed(fmt::format("'{}' stands twice on one side of the pattern", *name));
  size_t rests = countRests(*from);
  if (countRests(*to) > rests)
    malformed("'..' stands on the right side only");
  for (const AxisGroup &group : *from)
    if (group.isJoined && contains(group.names, std::string(kRest)))
      malformed("'..' stands for whole axes of the operand, not for parts of one");
  size_t rank = type.rank();
  size_t fixed = from->size() - rests;
  if (rests == 0 ? rank != fixed : rank < fixed)
    fail(DiagnosticKind::ShapeMismatch, call.location,
         fmt::format("the pattern has {} axes, the operand is {}", fixed, str(type)));
  AxisPlan plan{expandRest(*from, rank - fixed), expandRest(*to, rank - fixed), {}};

  std::vector<std::string> known = namesOf(plan.from);
  for (const std::string &name : namesOf(plan.to))
    known.push_back(name);
  for (CallArgument &argument : call.rest) {
    if (argument.name.empty() || !contains(known, argument.name))
      fail(DiagnosticKind::WrongArguments, argument.location,
           argument.name.empty() ? "sizes are given by name, 'h = 4'"
                                 : fmt::format("the pattern has no '{}'", argument.name));
    if (plan.sizes.contains(argument.name))
      fail(DiagnosticKind::WrongArguments, argument.location,
           fmt::format("the size of '{}' is given twice", argument.name));
    Dim size = requireDim(evaluateArgument(argument, nullptr), argument.location, "a size");
    if (auto number = size.asConstant(); number && *number < 0)
      fail(DiagnosticKind::BadConstant, argument.location, fmt::format("a size of {}", *number));
    plan.sizes[argument.name] = size;
  }
  for (size_t axis = 0; axis < rank; ++axis)
    splitAxis(plan, plan.from[axis], axis, type, call.location);
  return plan;
}

/// Finds out the one size in a group that is not given.
void Elaborator::splitAxis(AxisPlan &plan, const AxisGroup &group, size_t axis, const Type &type,
                           Location location) {
  const Dim &size = type.shape[axis];
  Dim known = 1;
  const std::string *unknown = nullptr;
  for (const std::string &name : group.names) {
    if (auto found = plan.sizes.find(name); found != plan.sizes.end())
      known *= found->second;
    else if (std::exchange(unknown, &name))
      fail(DiagnosticKind::UnknownShape, location,
           fmt::format("the sizes of '{}' and another name of its axis are not known", name),
           fmt::format("give all but one: '{} = …'", name));
  }
  auto mismatch = [&] {
    fail(
        DiagnosticKind::ShapeMismatch, location,
        fmt::format("axis {} of {} does not split into parts of {}", axis, str(type), known.str()));
  };
  if (!unknown && known != size)
    mismatch();
  if (!unknown)
    return;
  auto quotient = size.dividedExactlyBy(known);
  if (!quotient && (size.isConstant() || !known.isConstant() || known.asConstant() == 0))
    mismatch();
  if (!quotient)
    fail(DiagnosticKind::OpenDim, location,
         fmt::format("whether {} is a multiple of {} depends on an open size", size.str(),
                     known.str()),
         fmt::format("declare the input as '{} * N'", known.str()));
  plan.sizes[*unknown] = *quotient;
}

/// Brings split axes named `names` into the order and the groups of the right side; its further
/// names repeat.
TensorValue Elaborator::joinAxes(const AxisPlan &plan, ValueId value,
                                 const std::vector<std::string> &names) {
  Builder &builder = context_->builder;
  std::vector<std::string> target = namesOf(plan.to);
  std::vector<int64_t> perm;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < target.size(); ++i) {
    auto found = std::find(names.begin(), names.end(), target[i]);
    if (found == names.end())
      continue;
    perm.push_back(found - names.begin());
    axes.push_back(static_cast<int64_t>(i));
  }
  if (!std::is_sorted(perm.begin(), perm.end()))
    value = builder.transpose(value, perm);
  if (axes.size() < target.size())
    value = builder.broadcast(value, plan.shapeOf(target), axes);
  Shape joined;
  for (const AxisGroup &group : plan.to)
    joined.push_back(elementCount(plan.shapeOf(group.names)));
  if (builder.type(value).shape != joined)
    value = builder.reshape(value, joined);
  return make(value);
}

Value Elaborator::builtinRearrange(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'rearrange'");
  AxisPlan plan = planAxes(call, x.type);
  std::vector<std::string> source = namesOf(plan.from);
  std::vector<std::string> target = namesOf(plan.to);
  for (const std::string &name : source)
    if (!contains(target, name))
      fail(DiagnosticKind::BadPattern, call.locations[1],
           fmt::format("'{}' is missing on the right side of the pattern", name),
           "'reduce(x, pattern, sum)' sums over the names that are missing");
  for (const std::string &name : target)
    if (!plan.sizes.contains(name))
      fail(DiagnosticKind::BadPattern, call.locations[1],
           fmt::format("'{}' is new on the right side of the pattern and has no size", name),
           fmt::format("to repeat along a new axis give its size: '{} = …'", name));
  Shape split = plan.shapeOf(source);
  ValueId value = x.id;
  if (split != x.type.shape)
    value = context_->builder.reshape(value, split);
  return joinAxes(plan, value, source);
}

/// The names that are missing on the right are reduced by a function of a tensor and its axes.
Value Elaborator::builtinReduce(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'reduce'");
  AxisPlan plan = planAxes(call, x.type);
  std::vector<std::string> source = namesOf(plan.from);
  std::vector<std::string> target = namesOf(plan.to);
  for (const std::string &name : target)
    if (!contains(source, name))
      fail(DiagnosticKind::BadPattern, call.locations[1],
           fmt::format("'{}' is new on the right side of the pattern", name));
  std::vector<std::string> kept;
  Shape shape;
  ListValue axes;
  for (size_t i = 0; i < source.size(); ++i) {
    if (!contains(target, source[i])) {
      axes.elements.emplace_back(NumberValue{Rational(static_cast<int64_t>(i))});
      continue;
    }
    kept.push_back(source[i]);
    shape.push_back(plan.sizes.at(source[i]));
  }
  Shape split = plan.shapeOf(source);
  TensorValue value =
      split == x.type.shape ? x : make(context_->builder.reshape(x.id, split), x.isWeak);
  if (!axes.elements.empty()) {
    std::vector<CallArgument> arguments;
    arguments.push_back({{}, call.locations[0], nullptr, nullptr, value});
    arguments.push_back({"axis", call.locations[2], nullptr, nullptr, axes});
    Value reduced = this->call(*call.values[2], std::move(arguments), call.locations[2], nullptr);
    value = anyTensor(reduced, call.locations[2], "what the function of 'reduce' returns");
    if (value.type.shape != shape)
      fail(DiagnosticKind::ShapeMismatch, call.locations[2],
           fmt::format("the function of 'reduce' is called with the axes to reduce and must return "
                       "the shape {}, found {}",
                       str(shape), str(value.type)),
           "sum, mean, max and min do");
  }
  return joinAxes(plan, value.id, kept);
}

} // namespace apr::frontend
