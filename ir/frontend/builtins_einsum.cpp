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
    if (inner.empty()) {
      ValueId second = spread(y, names);
      return {b_.mul(spread(x, names), second), names};
    }
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

/// One call of `einsum`.
class EinsumCall {
public:
  EinsumCall(Elaborator &elaborator, BuiltinCall &call) : e_(elaborator), call_(call) {}

  TensorValue run() {
    auto *pattern = call_.values[0]->as<StringValue>();
    auto sides = splitPattern(pattern ? pattern->text : std::string_view(), "->");
    if (sides.size() != 2)
      malformed("a pattern has two sides with '->' between them");
    for (std::string_view text : splitPattern(sides[0], ","))
      patterns_.push_back(parse(text));
    AxisGroups target = parse(sides[1]);
    readOperands();
    for (size_t i = 0; i < operands_.size(); ++i)
      nameAxes(i);
    Names result = resultNames(target);
    Builder &builder = e_.context().builder.at(call_.location);
    return e_.make(Einsum(builder, std::move(result), std::move(sizes_)).run(std::move(named_)));
  }

private:
  [[noreturn]] void malformed(std::string why) {
    e_.fail(DiagnosticKind::BadPattern, call_.locations[0], std::move(why),
            "for example \"b i, i o -> b o\"");
  }

  AxisGroups parse(std::string_view text) {
    auto groups = parseAxes(text);
    bool isPlain = groups && std::all_of(groups->begin(), groups->end(), [](const AxisGroup &g) {
                     return !g.isJoined && g.names.size() == 1;
                   });
    if (!isPlain)
      malformed("the pattern of 'einsum' consists of names and '..', with commas between operands");
    if (countRests(*groups) > 1)
      malformed("'..' stands twice in the pattern of one tensor");
    return *groups;
  }

  /// All are of one dtype: that of the first that has one.
  void readOperands() {
    constexpr std::string_view kOperand = "an operand of 'einsum'";
    for (CallArgument &argument : call_.rest) {
      if (!argument.name.empty())
        e_.fail(DiagnosticKind::WrongArguments, argument.location,
                fmt::format("'einsum' has no parameter '{}'", argument.name));
      operands_.push_back(
          e_.anyTensor(e_.evaluateArgument(argument, nullptr), argument.location, kOperand));
    }
    auto first = std::find_if(operands_.begin(), operands_.end(),
                              [](const TensorValue &operand) { return !operand.isWeak; });
    DType dtype = first == operands_.end() ? e_.real() : first->type.dtype;
    for (size_t i = 0; i < operands_.size(); ++i)
      operands_[i] = e_.requireTensor(operands_[i], dtype, call_.rest[i].location, kOperand);
    if (dtype == DType::Bool || dtype == DType::BF16)
      e_.fail(DiagnosticKind::DTypeMismatch, call_.location,
              fmt::format("'einsum' multiplies floats or integers, found {}", name(dtype)),
              "convert it: 'real(x)'");
    if (operands_.size() != patterns_.size())
      e_.fail(DiagnosticKind::WrongArguments, call_.location,
              fmt::format("the pattern of 'einsum' has {} operand{}, found {}", patterns_.size(),
                          patterns_.size() == 1 ? "" : "s", operands_.size()));
  }

  /// Pairs the axes of an operand with the names of its pattern.
  void nameAxes(size_t index) {
    const Type &type = operands_[index].type;
    const AxisGroups &pattern = patterns_[index];
    auto mismatch = [&](std::string message) {
      e_.fail(DiagnosticKind::ShapeMismatch, call_.rest[index].location, std::move(message));
    };
    bool hasRest = countRests(pattern) == 1;
    size_t fixed = pattern.size() - (hasRest ? 1 : 0);
    if (hasRest ? type.rank() < fixed : type.rank() != fixed)
      mismatch(fmt::format("operand {} of 'einsum' has {} axes in the pattern, but is {}",
                           index + 1, fixed, str(type)));
    size_t count = type.rank() - fixed;
    if (hasRest && rest_ && *rest_ != count)
      mismatch(fmt::format("'..' stands for {} axes and for {}", *rest_, count));
    rest_ = hasRest ? count : rest_;
    Names names = namesOf(expandRest(pattern, count));
    for (size_t axis = 0; axis < names.size(); ++axis) {
      auto [known, isNew] = sizes_.try_emplace(names[axis], type.shape[axis]);
      if (!isNew && known->second != type.shape[axis])
        mismatch(fmt::format("'{}' of the pattern has the sizes {} and {}",
                             names[axis].starts_with(kRest) ? kRest : names[axis],
                             known->second.str(), type.shape[axis].str()));
    }
    named_.push_back({operands_[index].id, std::move(names)});
  }

  Names resultNames(const AxisGroups &target) {
    if (countRests(target) == 1 && !rest_)
      malformed("'..' stands on the right side only");
    Names names = namesOf(expandRest(target, rest_.value_or(0)));
    if (auto repeated = findRepeated(names))
      malformed(fmt::format("'{}' stands twice on the right side", *repeated));
    for (const std::string &name : names)
      if (!sizes_.contains(name))
        malformed(fmt::format("'{}' stands on the right side only", name));
    return names;
  }

  Elaborator &e_;
  BuiltinCall &call_;
  std::vector<AxisGroups> patterns_; ///< one per operand
  std::vector<TensorValue> operands_;
  std::vector<NamedTensor> named_;
  std::map<std::string, Dim> sizes_;
  std::optional<size_t> rest_; ///< how many axes '..' stands for, where it stands
};

} // namespace

Value Elaborator::builtinEinsum(BuiltinCall &call) { return EinsumCall(*this, call).run(); }

} // namespace apr::frontend
