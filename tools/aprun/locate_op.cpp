// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/locate_op.h"

#include "ir/text.h"
#include "tools/aprun/element_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace apr::aprun {
namespace {

/// Whether an op makes new values of its operands; others copy and place them.
bool computes(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Identity:
  case OpFamily::Reshape:
  case OpFamily::Transpose:
  case OpFamily::Broadcast:
  case OpFamily::Slice:
  case OpFamily::Pad:
  case OpFamily::Concat:
  case OpFamily::Reverse:
  case OpFamily::Window:
  case OpFamily::Constant:
  case OpFamily::Iota:
    return false;
  default:
    return true;
  }
}

enum class Through { Everything, FloatsOnly };

/// The ops whose values a value is computed from, its own included; with FloatsOnly, only as far as
/// floats reach: an index or a comparison may be right although what it was made from is not.
std::set<std::size_t> slice(const Graph &graph, ValueId value, Through through) {
  std::set<std::size_t> ops;
  std::vector<ValueId> open = {value};
  while (!open.empty()) {
    const auto index = graph.definitionIndex(open.back());
    open.pop_back();
    if (!index)
      continue;
    const bool isFloat = apr::isFloat(graph.type(graph.ops()[*index].result()).dtype);
    if ((through == Through::FloatsOnly && !isFloat) || !ops.insert(*index).second)
      continue;
    const Op &op = graph.ops()[*index];
    open.insert(open.end(), op.operands.begin(), op.operands.end());
  }
  return ops;
}

/// The values of the first so many ops.
std::vector<ValueId> valuesOf(const Graph &graph, std::size_t ops) {
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < std::min(ops, graph.ops().size()); ++i)
    values.insert(values.end(), graph.ops()[i].results.begin(), graph.ops()[i].results.end());
  return values;
}

/// A value that compiled code has differently, among those that were asked for.
struct Found {
  ValueId value = kNoValue;
  ElementDifference element;
};

std::optional<Found> firstOf(const std::vector<ValueId> &values,
                             const std::map<ValueId, Tensor> &trace,
                             const std::map<ValueId, Tensor> &compiled) {
  for (const ValueId value : values) {
    const Tensor &expected = trace.at(value);
    const auto element =
        firstDifference(expected.dtype, expected.shape, compiled.at(value).data, expected.data);
    if (element)
      return Found{value, *element};
  }
  return std::nullopt;
}

std::map<ValueId, Tensor> exposed(const FunctionCall &call, const CompiledSide &side,
                                  std::span<const ValueId> values) {
  const Module &module = side.meaning->module();
  const FunctionCall own{module.findFunction(call.function->name), call.arguments, call.dims};
  return runExposed(module, own, side.request, values);
}

/// Exposing everything may leave out what is wrong in a kernel of many ops. One value at a time
/// leaves the other kernels as they are: halve the ops between one that agrees and one that does
/// not.
std::optional<Found> bisect(const FunctionCall &call, const std::map<ValueId, Tensor> &trace,
                            const std::vector<ValueId> &values, const CompiledSide &side) {
  const auto differs = [&](std::size_t index) {
    const std::vector<ValueId> one = {values[index]};
    return firstOf(one, trace, exposed(call, side, one));
  };
  // The values of the function's own results are known to differ: the last of them is the end.
  std::size_t end = values.size();
  std::optional<Found> found;
  for (const ValueId result : call.function->graph.results) {
    const auto at = std::find(values.begin(), values.end(), result);
    if (at == values.end())
      continue;
    const auto index = static_cast<std::size_t>(at - values.begin());
    if (index >= end)
      continue;
    if (auto here = differs(index)) {
      found = std::move(here);
      end = index;
    }
  }
  if (!found)
    return found;
  std::size_t begin = 0; // all before it agree
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    if (auto here = differs(middle)) {
      found = std::move(here);
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return found;
}

std::size_t orderOf(const std::vector<ValueId> &values, ValueId value) {
  return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) - values.begin());
}

std::vector<std::string> report(const Meaning &meaning, const Function &function,
                                const Found &found, const CompiledSide &side) {
  const Graph &graph = function.graph;
  std::vector<std::string> lines = {
      fmt::format("first op that differs: {}", describeOp(meaning, graph, found.value)),
      fmt::format("element {} of {} ({} differ): {} has {}, the interpreter {}",
                  found.element.index.empty() ? "0" : found.element.index,
                  str(graph.type(found.value)), found.element.count, side.name, found.element.first,
                  found.element.second)};
  const Graph &other = side.meaning->module().findFunction(function.name)->graph;
  if (printOp(graph, *graph.definition(found.value)) !=
      printOp(other, *other.definition(found.value)))
    lines.push_back(fmt::format("in its place {} has: {}", side.name,
                                describeOp(*side.meaning, other, found.value)));
  return lines;
}

} // namespace

std::optional<ElementDifference> firstDifference(DType dtype, std::span<const std::int64_t> shape,
                                                 std::span<const std::byte> first,
                                                 std::span<const std::byte> second) {
  const std::size_t size = byteSize(dtype);
  const std::size_t count = std::min(first.size(), second.size()) / size;
  std::optional<ElementDifference> found;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::memcmp(first.data() + i * size, second.data() + i * size, size) == 0)
      continue;
    if (!found)
      found = {indexText(shape, i), elementWithBits(dtype, first, i),
               elementWithBits(dtype, second, i), 0};
    ++found->count;
  }
  return found;
}

std::string describeOp(const Meaning &meaning, const Graph &graph, ValueId value) {
  const Op *op = graph.definition(value);
  if (!op)
    return fmt::format("the argument {}", graph.value(value).name);
  const Location place = op->location.isKnown() ? op->location : graph.value(value).location;
  return fmt::format("{} at {}", printOp(graph, *op), meaning.source->sources.describe(place));
}

std::vector<std::string> locateOp(const Meaning &meaning, const FunctionCall &call,
                                  const std::vector<CompiledSide> &sides) {
  const Graph &graph = call.function->graph;
  const auto trace = traceCall(call);
  const auto all = valuesOf(graph, graph.ops().size());
  std::optional<Found> first;
  const CompiledSide *culprit = nullptr;
  const auto consider = [&](const std::optional<Found> &found, const CompiledSide &side) {
    if (!found || (first && orderOf(all, first->value) <= orderOf(all, found->value)))
      return;
    first = found;
    culprit = &side;
  };
  for (const CompiledSide &side : sides) {
    const auto values = valuesOf(graph, side.commonOps);
    consider(firstOf(values, trace, exposed(call, side, values)), side);
  }
  if (!first)
    for (const CompiledSide &side : sides)
      consider(bisect(call, trace, valuesOf(graph, side.commonOps), side), side);
  if (!first)
    return {};
  return report(meaning, *call.function, *first, *culprit);
}

std::optional<std::size_t> firstOtherOp(const Function &a, const Function &b) {
  const auto &left = a.graph.ops();
  const auto &right = b.graph.ops();
  const auto typesOf = [](const Graph &graph, const Op &op) {
    std::vector<Type> types;
    for (const ValueId value : op.results)
      types.push_back(graph.type(value));
    return types;
  };
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
    if (left[i].operands != right[i].operands || left[i].results != right[i].results ||
        typesOf(a.graph, left[i]) != typesOf(b.graph, right[i]))
      return i;
  if (left.size() != right.size())
    return std::min(left.size(), right.size());
  return std::nullopt;
}

std::vector<std::string> suspectOps(const Meaning &meaning, const Function &function,
                                    const std::vector<std::size_t> &differing,
                                    const std::vector<std::size_t> &equal) {
  constexpr std::size_t shown = 12;
  const Graph &graph = function.graph;
  std::set<std::size_t> suspects;
  bool isFirst = true;
  for (const std::size_t result : differing) {
    const auto ops = slice(graph, graph.results[result], Through::Everything);
    std::set<std::size_t> both;
    std::set_intersection(suspects.begin(), suspects.end(), ops.begin(), ops.end(),
                          std::inserter(both, both.end()));
    suspects = isFirst ? ops : both;
    isFirst = false;
  }
  std::set<std::size_t> narrowed = suspects;
  for (const std::size_t result : equal)
    for (const std::size_t op : slice(graph, graph.results[result], Through::FloatsOnly))
      narrowed.erase(op);
  if (!narrowed.empty())
    suspects = narrowed;
  std::vector<std::string> lines;
  for (const std::size_t op : suspects) {
    if (!computes(graph.ops()[op].kind))
      continue;
    if (lines.size() == shown) {
      lines.push_back("and later ones");
      break;
    }
    lines.push_back(describeOp(meaning, graph, graph.ops()[op].result()));
  }
  return lines;
}

} // namespace apr::aprun
