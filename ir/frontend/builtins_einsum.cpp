// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// einsum("b i, i o -> b o", x, w): products of tensors, summed over the axes whose names are not on
// the right side. Operands are joined in pairs from left to right; each pair is a transpose, a
// reshape and a matmul, or a plain product where it sums over nothing.
#include "ir/frontend/axis_pattern.h"
#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

using Names = std::vector<std::string>;

bool contains(const Names &names, const std::string &name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The names of `of` that are (or are not) in `among`, in order.
Names intersection(const Names &of, const Names &among) {
  Names result;
  std::copy_if(of.begin(), of.end(), std::back_inserter(result),
               [&](const std::string &name) { return contains(among, name); });
  return result;
}
Names difference(const Names &of, const Names &among) {
  Names result;
  std::copy_if(of.begin(), of.end(), std::back_inserter(result),
               [&](const std::string &name) { return !contains(among, name); });
  return result;
}

Names concatenation(std::initializer_list<Names> parts) {
  Names result;
  for (const Names &part : parts)
    result.insert(result.end(), part.begin(), part.end());
  return result;
}

/// A tensor whose axes have names.
struct NamedTensor {
  ValueId id;
  Names names;
};

class Einsum {
public:
  Einsum(Builder &builder, Names result, std::map<std::string, Dim> sizes)
      : b_(builder), result_(std::move(result)), sizes_(std::move(sizes)) {}

  ValueId run(std::vector<NamedTensor> operands) {
    for (NamedTensor &operand : operands)
      while (auto repeated = findRepeated(operand.names))
        operand = diagonal(operand, *repeated);
    for (size_t i = 0; i < operands.size(); ++i)
      operands[i] = sumLone(operands[i], neededBeside(operands, i));
    NamedTensor total = operands.front();
    for (size_t i = 1; i < operands.size(); ++i) {
      Names later = result_;
      for (size_t k = i + 1; k < operands.size(); ++k)
        later = concatenation({later, operands[k].names});
      total = multiply(total, operands[i], later);
    }
    return ordered(total, result_);
  }

private:
  Shape shapeOf(const Names &names) const {
    Shape shape;
    for (const std::string &name : names)
      shape.push_back(sizes_.at(name));
    return shape;
  }
  Dim count(const Names &names) const { return elementCount(shapeOf(names)); }

  Names neededBeside(const std::vector<NamedTensor> &operands, size_t index) const {
    Names needed = result_;
    for (size_t i = 0; i < operands.size(); ++i)
      if (i != index)
        needed = concatenation({needed, operands[i].names});
    return needed;
  }

  ValueId ordered(const NamedTensor &x, const Names &names) {
    if (x.names == names)
      return x.id;
    std::vector<int64_t> perm;
    for (const std::string &name : names)
      perm.push_back(std::find(x.names.begin(), x.names.end(), name) - x.names.begin());
    return b_.transpose(x.id, perm);
  }

  /// The elements of equal coordinates along the first two axes of a name.
  NamedTensor diagonal(const NamedTensor &x, const std::string &name) {
    size_t rank = x.names.size();
    auto first =
        static_cast<size_t>(std::find(x.names.begin(), x.names.end(), name) - x.names.begin());
    auto second = static_cast<size_t>(
        std::find(x.names.begin() + static_cast<std::ptrdiff_t>(first) + 1, x.names.end(), name) -
        x.names.begin());
    std::vector<int64_t> perm;
    Names rest;
    for (size_t i = 0; i < rank; ++i) {
      if (i == first || i == second)
        continue;
      perm.push_back(static_cast<int64_t>(i));
      rest.push_back(x.names[i]);
    }
    perm.push_back(static_cast<int64_t>(first));
    perm.push_back(static_cast<int64_t>(second));
    ValueId moved = std::is_sorted(perm.begin(), perm.end()) ? x.id : b_.transpose(x.id, perm);
    rest.push_back(name);
    Type indices{DType::I64, shapeOf(rest)};
    ValueId position = b_.iota(indices, static_cast<int64_t>(rest.size()) - 1);
    return {b_.create(OpKind::Pick, {moved, position}), rest};
  }

  NamedTensor sumLone(const NamedTensor &x, const Names &needed) {
    std::vector<int64_t> axes;
    for (size_t i = 0; i < x.names.size(); ++i)
      if (!contains(needed, x.names[i]))
        axes.push_back(static_cast<int64_t>(i));
    return axes.empty() ? x : NamedTensor{b_.sum(x.id, axes), intersection(x.names, needed)};
  }

  /// The product of two tensors, summed over common names that are not in `later`.
  NamedTensor multiply(const NamedTensor &x, const NamedTensor &y, const Names &later) {
    Names common = intersection(x.names, y.names);
    Names batch = intersection(common, later);
    Names inner = difference(common, later);
    Names rows = difference(x.names, common);
    Names columns = difference(y.names, common);
    Names names = concatenation({batch, rows, columns});
    if (inner.empty())
      return {b_.mul(spread(x, names), spread(y, names)), names};
    Shape lead;
    if (!batch.empty())
      lead.push_back(count(batch));
    bool transposeX = !rows.empty() && x.names == concatenation({batch, inner, rows});
    bool transposeY = !columns.empty() && y.names == concatenation({batch, columns, inner});
    ValueId left = matrix(x, lead, batch, transposeX ? inner : rows, transposeX ? rows : inner);
    ValueId right =
        matrix(y, lead, batch, transposeY ? columns : inner, transposeY ? inner : columns);
    ValueId product = b_.matmul(left, right, transposeX, transposeY);
    return {reshaped(product, shapeOf(names)), names};
  }

  /// The tensor as [batch, rows, columns], each part joined into one axis.
  ValueId matrix(const NamedTensor &x, Shape lead, const Names &batch, const Names &rows,
                 const Names &columns) {
    lead.push_back(count(rows));
    lead.push_back(count(columns));
    return reshaped(ordered(x, concatenation({batch, rows, columns})), lead);
  }

  ValueId reshaped(ValueId x, const Shape &shape) {
    return b_.type(x).shape == shape ? x : b_.reshape(x, shape);
  }

  /// The tensor repeated along the axes of `names` that it does not have.
  ValueId spread(const NamedTensor &x, const Names &names) {
    Names own = intersection(names, x.names);
    ValueId value = ordered(x, own);
    if (own == names)
      return value;
    std::vector<int64_t> axes;
    for (size_t i = 0; i < names.size(); ++i)
      if (contains(own, names[i]))
        axes.push_back(static_cast<int64_t>(i));
    return b_.broadcast(value, shapeOf(names), axes);
  }

  Builder &b_;
  const Names result_;
  const std::map<std::string, Dim> sizes_;
};

} // namespace

/// The tensors of an einsum, all of one dtype: that of the first that has one.
std::vector<TensorValue> Elaborator::einsumOperands(BuiltinCall &call) {
  std::vector<TensorValue> operands;
  const TensorValue *first = nullptr;
  for (CallArgument &argument : call.rest) {
    if (!argument.name.empty())
      fail(DiagnosticKind::WrongArguments, argument.location,
           fmt::format("'einsum' has no parameter '{}'", argument.name));
    operands.push_back(anyTensor(evaluateArgument(argument, nullptr), argument.location,
                                 "an operand of 'einsum'"));
  }
  for (const TensorValue &operand : operands)
    if (!first && !operand.isWeak)
      first = &operand;
  DType dtype = first ? first->type.dtype : real_;
  for (size_t i = 0; i < operands.size(); ++i)
    operands[i] =
        requireTensor(operands[i], dtype, call.rest[i].location, "an operand of 'einsum'");
  if (dtype == DType::Bool || dtype == DType::BF16)
    fail(DiagnosticKind::DTypeMismatch, call.location,
         fmt::format("'einsum' multiplies floats or integers, found {}", name(dtype)),
         "convert it: 'real(x)'");
  return operands;
}

Value Elaborator::builtinEinsum(BuiltinCall &call) {
  auto malformed = [&](std::string_view why, std::string hint = {}) {
    fail(DiagnosticKind::BadPattern, call.locations[0], std::string(why),
         hint.empty() ? "for example \"b i, i o -> b o\"" : std::move(hint));
  };
  auto *pattern = call.values[0]->as<StringValue>();
  auto sides = splitPattern(pattern ? pattern->text : std::string_view(), "->");
  if (sides.size() != 2)
    malformed("a pattern has two sides with '->' between them");
  auto parse = [&](std::string_view text) {
    auto groups = parseAxes(text);
    bool isPlain = groups && std::all_of(groups->begin(), groups->end(), [](const AxisGroup &g) {
                     return !g.isJoined && g.names.size() == 1;
                   });
    if (!isPlain)
      malformed("the pattern of 'einsum' consists of names and '..', with commas between operands");
    if (countRests(*groups) > 1)
      malformed("'..' stands twice in the pattern of one tensor");
    return *groups;
  };
  std::vector<AxisGroups> patterns;
  for (std::string_view text : splitPattern(sides[0], ","))
    patterns.push_back(parse(text));
  AxisGroups target = parse(sides[1]);

  std::vector<TensorValue> operands = einsumOperands(call);
  if (operands.size() != patterns.size())
    fail(DiagnosticKind::WrongArguments, call.location,
         fmt::format("the pattern of 'einsum' has {} operand{}, found {}", patterns.size(),
                     patterns.size() == 1 ? "" : "s", operands.size()));
  std::map<std::string, Dim> sizes;
  std::optional<size_t> rest;
  std::vector<NamedTensor> named;
  for (size_t i = 0; i < operands.size(); ++i) {
    const Type &type = operands[i].type;
    bool hasRest = countRests(patterns[i]) == 1;
    size_t fixed = patterns[i].size() - (hasRest ? 1 : 0);
    if (hasRest ? type.rank() < fixed : type.rank() != fixed)
      fail(DiagnosticKind::ShapeMismatch, call.rest[i].location,
           fmt::format("operand {} of 'einsum' has {} axes in the pattern, but is {}", i + 1, fixed,
                       str(type)));
    size_t count = type.rank() - fixed;
    if (hasRest && rest && *rest != count)
      fail(DiagnosticKind::ShapeMismatch, call.rest[i].location,
           fmt::format("'..' stands for {} axes and for {}", *rest, count));
    rest = hasRest ? count : rest;
    Names names = namesOf(expandRest(patterns[i], count));
    for (size_t axis = 0; axis < names.size(); ++axis) {
      auto [known, isNew] = sizes.try_emplace(names[axis], type.shape[axis]);
      if (isNew || known->second == type.shape[axis])
        continue;
      fail(DiagnosticKind::ShapeMismatch, call.rest[i].location,
           fmt::format("'{}' of the pattern has the sizes {} and {}",
                       names[axis].starts_with("..") ? ".." : names[axis], known->second.str(),
                       type.shape[axis].str()));
    }
    named.push_back({operands[i].id, std::move(names)});
  }
  if (countRests(target) == 1 && !rest)
    malformed("'..' stands on the right side only");
  Names result = namesOf(expandRest(target, rest.value_or(0)));
  if (auto repeated = findRepeated(result))
    malformed(fmt::format("'{}' stands twice on the right side", *repeated));
  for (const std::string &name : result)
    if (!sizes.contains(name))
      malformed(fmt::format("'{}' stands on the right side only", name));
  context_->builder.at(call.location);
  return make(Einsum(context_->builder, std::move(result), std::move(sizes)).run(std::move(named)));
}

} // namespace apr::frontend
