// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// rearrange(x, "b t (h d) -> b h t d", h = 4): axes by name, split and joined by parentheses. It
// becomes reshape, transpose, reshape.
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

/// One axis of the operand or result: the names that it joins; none for an axis of size 1.
using AxisGroup = std::vector<std::string>;

/// The groups of one side of a pattern, or nothing where it is malformed.
std::optional<std::vector<AxisGroup>> parseSide(std::string_view text) {
  std::vector<AxisGroup> groups;
  bool isOpen = false;
  for (size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c == ' ') {
      ++i;
    } else if (c == '(' || c == ')') {
      if (isOpen == (c == '('))
        return std::nullopt;
      isOpen = c == '(';
      if (isOpen)
        groups.emplace_back();
      ++i;
    } else if (c == '1' && !isOpen) {
      groups.emplace_back();
      ++i;
    } else if (std::isalpha(c) != 0) {
      size_t end = i;
      while (end < text.size() &&
             (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
        ++end;
      if (!isOpen)
        groups.emplace_back();
      groups.back().emplace_back(text.substr(i, end - i));
      i = end;
    } else {
      return std::nullopt;
    }
  }
  return isOpen ? std::nullopt : std::optional(groups);
}

std::vector<std::string> namesOf(const std::vector<AxisGroup> &groups) {
  std::vector<std::string> names;
  for (const AxisGroup &group : groups)
    names.insert(names.end(), group.begin(), group.end());
  return names;
}

} // namespace

Value Elaborator::builtinRearrange(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'rearrange'");
  auto *pattern = call.values[1]->as<StringValue>();
  size_t arrow = pattern ? pattern->text.find("->") : std::string::npos;
  auto malformed = [&](std::string_view why) {
    fail(DiagnosticKind::BadPattern, call.locations[1], std::string(why),
         "for example \"b t (h d) -> b h t d\"");
  };
  if (arrow == std::string::npos)
    malformed("a pattern has two sides with '->' between them");
  auto from = parseSide(std::string_view(pattern->text).substr(0, arrow));
  auto to = parseSide(std::string_view(pattern->text).substr(arrow + 2));
  if (!from || !to)
    malformed("a side of a pattern consists of names, 1, and parentheses around names");
  std::vector<std::string> source = namesOf(*from);
  std::vector<std::string> target = namesOf(*to);
  std::vector<std::string> sortedSource = source;
  std::vector<std::string> sortedTarget = target;
  std::sort(sortedSource.begin(), sortedSource.end());
  std::sort(sortedTarget.begin(), sortedTarget.end());
  bool isRepeated =
      std::adjacent_find(sortedSource.begin(), sortedSource.end()) != sortedSource.end();
  if (sortedSource != sortedTarget || isRepeated)
    malformed("both sides of a pattern have the same names, each once");
  if (from->size() != x.type.rank())
    fail(DiagnosticKind::ShapeMismatch, call.location,
         fmt::format("the pattern has {} axes, the operand is {}", from->size(), str(x.type)));

  std::map<std::string, Dim> sizes;
  for (CallArgument &argument : call.rest) {
    if (std::find(source.begin(), source.end(), argument.name) == source.end())
      fail(DiagnosticKind::WrongArguments, argument.location,
           argument.name.empty() ? "sizes are given by name, 'h = 4'"
                                 : fmt::format("the pattern has no '{}'", argument.name));
    sizes[argument.name] =
        requireDim(evaluateArgument(argument, nullptr), argument.location, "a size");
  }
  for (size_t axis = 0; axis < from->size(); ++axis) {
    const Dim &size = x.type.shape[axis];
    Dim known = 1;
    const std::string *unknown = nullptr;
    for (const std::string &name : (*from)[axis]) {
      if (auto found = sizes.find(name); found != sizes.end())
        known *= found->second;
      else if (std::exchange(unknown, &name))
        fail(DiagnosticKind::UnknownShape, call.location,
             fmt::format("the sizes of '{}' and another name of its axis are not known", name),
             fmt::format("give all but one: '{} = …'", name));
    }
    auto mismatch = [&] {
      fail(DiagnosticKind::ShapeMismatch, call.location,
           fmt::format("axis {} of {} does not split into parts of {}", axis, str(x.type),
                       known.str()));
    };
    if (!unknown && known != size)
      mismatch();
    if (!unknown)
      continue;
    auto quotient = size.dividedExactlyBy(known);
    if (!quotient && (size.isConstant() || !known.isConstant() || known.asConstant() == 0))
      mismatch();
    if (!quotient) {
      fail(DiagnosticKind::OpenDim, call.location,
           fmt::format("whether {} is a multiple of {} depends on an open size", size.str(),
                       known.str()),
           fmt::format("declare the input as '{} * N'", known.str()));
    }
    sizes[*unknown] = *quotient;
  }

  Shape split;
  for (const std::string &name : source)
    split.push_back(sizes[name]);
  std::vector<int64_t> perm;
  for (const std::string &name : target)
    perm.push_back(std::find(source.begin(), source.end(), name) - source.begin());
  Shape joined;
  for (const AxisGroup &group : *to) {
    Dim size = 1;
    for (const std::string &name : group)
      size *= sizes[name];
    joined.push_back(size);
  }
  Builder &builder = context_->builder;
  ValueId value = x.id;
  if (split != x.type.shape)
    value = builder.reshape(value, split);
  if (!std::is_sorted(perm.begin(), perm.end()))
    value = builder.transpose(value, perm);
  if (builder.type(value).shape != joined)
    value = builder.reshape(value, joined);
  return make(value);
}

} // namespace apr::frontend
