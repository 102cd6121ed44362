// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/verifier.h"
#include "ir/infer.h"
#include "ir/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace apr {

namespace {

/// A step has the code of all its parts.
constexpr int64_t kMaximumShards = 256;

class Verifier {
public:
  Verifier(const Module &module, Diagnostics &diagnostics)
      : module_(module), diagnostics_(diagnostics) {}

  bool run() {
    size_t before = diagnostics_.errorCount();
    moduleLevel();
    for (const Function &function : module_.functions) {
      function_ = &function;
      where_ = fmt::format("@{}: ", function.name);
      signature();
      graph(function.graph);
      buffers();
    }
    return diagnostics_.errorCount() == before;
  }

private:
  void report(Location location, std::string message) {
    diagnostics_.report(DiagnosticKind::IrInvalid, location, where_ + std::move(message));
  }

  template <typename T> void uniqueNames(const std::vector<T> &all, std::string_view what) {
    std::set<std::string_view> seen;
    for (const T &one : all)
      if (!seen.insert(one.name).second)
        report(one.location, fmt::format("{} '{}' exists twice", what, one.name));
  }

  void moduleLevel() {
    uniqueNames(module_.state, "state tensor");
    uniqueNames(module_.hypers, "hyperparameter");
    uniqueNames(module_.functions, "function");
    for (const StateTensor &tensor : module_.state) {
      for (const Dim &dim : tensor.type.shape)
        if (!dim.isConstant())
          report(tensor.location,
                 fmt::format("state tensor '{}' is {}, but state has constant dims", tensor.name,
                             str(tensor.type)));
      type(tensor.type, tensor.location, tensor.name);
    }
    for (const Hyperparameter &hyper : module_.hypers)
      if (hyper.dtype != DType::F64 && hyper.dtype != DType::I32)
        report(hyper.location, fmt::format("hyperparameter '{}' is {}, expected f64 or i32",
                                           hyper.name, name(hyper.dtype)));
  }

  /// Rule 3: sizes of constant dims fit, however they are multiplied.
  void type(const Type &type, Location location, std::string_view what) {
    int64_t bytes = byteSize(type.dtype);
    for (const Dim &dim : type.shape) {
      auto size = dim.asConstant();
      if (!dim.isValid() || (size && *size < 0)) {
        report(location, fmt::format("'{}' is {}: {} is no size", what, str(type), dim.str()));
        return;
      }
      if (size && *size != 0 && __builtin_mul_overflow(bytes, *size, &bytes)) {
        report(location, fmt::format("'{}' is {}, which is 2^63 bytes or more", what, str(type)));
        return;
      }
    }
  }

  void signature() {
    const Function &f = *function_;
    if (f.arguments.size() != f.graph.arguments().size() ||
        f.results.size() != f.graph.results.size()) {
      report(f.location, "arguments or results do not match the graph");
      return;
    }
    std::set<std::string_view> dims(f.dims.begin(), f.dims.end());
    if (dims.size() != f.dims.size())
      report(f.location, "a dim variable is listed twice");
    for (size_t i = 0; i < f.arguments.size(); ++i)
      argument(f.arguments[i], f.graph.value(f.graph.arguments()[i]));
    if (f.shards &&
        (f.kind != FunctionKind::Grad || f.shards->count < 1 || f.shards->count > kMaximumShards ||
         (!f.shards->rows.empty() && !dims.contains(f.shards->rows))))
      report(f.location, fmt::format("only a grad has shards, 1 to {}, of one of its dim variables",
                                     kMaximumShards));
    std::set<std::string_view> updated;
    for (size_t i = 0; i < f.results.size(); ++i)
      if (f.graph.results[i] < f.graph.values().size())
        result(f.results[i], f.graph.value(f.graph.results[i]), updated);
    for (const DimCheck &check : f.checks)
      variablesKnown(check.value, check.location, "a check");
  }

  void argument(const Argument &argument, const Value &value) {
    switch (argument.role) {
    case ArgumentRole::State: {
      const StateTensor *tensor = module_.findState(argument.name);
      if (!tensor || !(tensor->type == value.type))
        report(
            value.location,
            fmt::format("state argument '{}' is {}, but {}", argument.name, str(value.type),
                        tensor ? "the tensor is " + str(tensor->type) : "no such tensor exists"));
      break;
    }
    case ArgumentRole::Hyper: {
      const Hyperparameter *hyper = module_.findHyper(argument.name);
      if (!hyper || !(Type{hyper->dtype, {}} == value.type))
        report(value.location, fmt::format("hyperparameter argument '{}' is {}, but {}",
                                           argument.name, str(value.type),
                                           hyper ? fmt::format("it is {}", name(hyper->dtype))
                                                 : "no such hyperparameter exists"));
      break;
    }
    case ArgumentRole::Exec:
      if (argument.name != "row_offset" || !(value.type == Type{DType::I64, {}}))
        report(value.location, "the exec argument is row_offset, an i64 scalar");
      break;
    case ArgumentRole::Input:
      if (argument.indexLimit && (value.type.dtype != DType::I32 && value.type.dtype != DType::I64))
        report(value.location, fmt::format("input '{}' has an index limit, but is {}",
                                           argument.name, str(value.type)));
      break;
    case ArgumentRole::Gradient:
      if (function_->kind != FunctionKind::Apply)
        report(value.location, fmt::format("'{}' is a gradient argument, which only the apply of a "
                                           "train block has",
                                           argument.name));
      break;
    }
  }

  void result(const FunctionResult &result, const Value &value,
              std::set<std::string_view> &updated) {
    if (result.role == ResultRole::Update) {
      const StateTensor *tensor = module_.findState(result.name);
      if (!tensor || !(tensor->type == value.type))
        report(
            value.location,
            fmt::format("update of '{}' is {}, but {}", result.name, str(value.type),
                        tensor ? "the tensor is " + str(tensor->type) : "no such tensor exists"));
      if (!updated.insert(result.name).second)
        report(value.location, fmt::format("'{}' is updated twice", result.name));
    }
    if (result.role == ResultRole::Gradient && function_->kind != FunctionKind::Grad)
      report(value.location,
             fmt::format("'{}' is a gradient result, which only the grad of a train "
                         "block has",
                         result.name));
    size_t rank = value.type.rank();
    const bool isPair = rank == 1 && value.type.shape[0] == Dim(2);
    if ((result.kind == ResultKind::Scalar && rank != 0) ||
        (result.kind == ResultKind::Rows && rank != 1) ||
        (result.kind == ResultKind::Ratio && !isPair))
      report(value.location,
             fmt::format("result '{}' is {}, which is no {}", result.name, str(value.type),
                         result.kind == ResultKind::Scalar ? "scalar"
                         : result.kind == ResultKind::Rows ? "row of values"
                                                           : "pair of a sum and a count"));
  }

  void variablesKnown(const Dim &dim, Location location, std::string_view what) {
    std::set<std::string> variables;
    dim.collectVariables(variables);
    const auto &known = function_->dims;
    for (const std::string &variable : variables)
      if (std::find(known.begin(), known.end(), variable) == known.end())
        report(location, fmt::format("{} uses dim variable {}, which is not one of the function",
                                     what, variable));
  }

  void graph(const Graph &graph) {
    std::vector<bool> defined(graph.values().size());
    for (ValueId argument : graph.arguments())
      defined[argument] = true;
    for (const Value &value : graph.values()) {
      type(value.type, value.location, value.name);
      for (const Dim &dim : value.type.shape)
        variablesKnown(dim, value.location, "a value");
    }
    for (const Op &op : graph.ops()) {
      bool usable = true;
      for (ValueId operand : op.operands)
        usable = usable && operand < defined.size() && defined[operand];
      if (!usable)
        report(op.location, fmt::format("'{}' uses a value that is not defined before it",
                                        opInfo(op.kind).mnemonic));
      else
        this->op(graph, op);
      for (ValueId result : op.results)
        defined[result] = true;
    }
    for (ValueId result : graph.results)
      if (result >= defined.size() || !defined[result])
        report({}, "a result is not defined");
  }

  /// Sizes in attributes count too: the length of a scan, or an order's ranges, may be no size of
  /// any value.
  void attributeVariablesKnown(const Op &op) {
    const std::string what = fmt::format("'{}'", opInfo(op.kind).mnemonic);
    for (const auto &[key, value] : op.attributes.entries()) {
      if (auto *dims = std::get_if<std::vector<Dim>>(&value))
        for (const Dim &dim : *dims)
          variablesKnown(dim, op.location, what);
      if (auto *order = std::get_if<Order>(&value))
        for (; order->kind() == Order::Kind::Ranges; order = &order->inner())
          variablesKnown(order->count(), op.location, what);
    }
  }

  void op(const Graph &graph, const Op &op) {
    attributeVariablesKnown(op);
    std::vector<Type> operands, results;
    for (ValueId operand : op.operands)
      operands.push_back(graph.type(operand));
    for (ValueId result : op.results)
      results.push_back(graph.type(result));
    auto inferred = inferTypes(op.kind, operands, op.attributes, results, op.region.get());
    if (!inferred)
      report(op.location, fmt::format("'{}': {}", opInfo(op.kind).mnemonic, inferred.error()));
    else if (*inferred != results)
      report(op.location, fmt::format("the result types of '{}' do not follow from its operands",
                                      printOp(graph, op)));
    if (op.region)
      this->graph(*op.region);
  }

  // ---- Rule 8 ----

  struct Interval {
    size_t begin, end; ///< op indices between which the value is alive
    ValueId value;
  };

  void buffers() {
    workspaceOf(function_->graph, {});
    stateWrites(function_->graph);
  }

  /// `outside` holds what is alive around a region, for all of its steps.
  void workspaceOf(const Graph &graph, const std::vector<const Value *> &outside) {
    std::vector<Interval> workspace = workspaceIntervals(graph);
    for (size_t i = 0; i < workspace.size(); ++i) {
      const Value &value = graph.value(workspace[i].value);
      for (size_t j = i + 1; j < workspace.size() && workspace[j].begin < workspace[i].end; ++j)
        notShared(value, graph.value(workspace[j].value));
      for (const Value *other : outside)
        notShared(*other, value);
    }
    for (size_t k = 0; k < graph.ops().size(); ++k)
      if (const Op &op = graph.ops()[k]; op.kind == OpKind::Scan && op.region)
        workspaceOf(*op.region, aliveAround(graph, k, workspace, outside));
  }

  /// The values in the workspace that the steps of scan `k` must leave alone.
  static std::vector<const Value *> aliveAround(const Graph &graph, size_t k,
                                                const std::vector<Interval> &workspace,
                                                std::vector<const Value *> alive) {
    for (const Interval &interval : workspace)
      if (interval.begin < k && interval.end > k)
        alive.push_back(&graph.value(interval.value));
    for (const auto *values : {&graph.ops()[k].operands, &graph.ops()[k].results})
      for (ValueId v : *values)
        if (auto &slot = graph.value(v).buffer; slot && slot->space == BufferSpace::Workspace)
          alive.push_back(&graph.value(v));
    return alive;
  }

  void notShared(const Value &a, const Value &b) {
    if (overlap(a, b))
      report(b.location, fmt::format("values '{}' and '{}' are alive at once and share workspace",
                                     a.name, b.name));
  }

  /// An interval ends where the last reader starts: that reader may write over the value.
  std::vector<Interval> workspaceIntervals(const Graph &graph) {
    std::vector<size_t> lastUse(graph.values().size(), 0);
    for (size_t i = 0; i < graph.ops().size(); ++i)
      for (ValueId operand : graph.ops()[i].operands)
        lastUse[operand] = i;
    for (ValueId result : graph.results)
      lastUse[result] = graph.ops().size();
    std::vector<Interval> intervals;
    for (size_t i = 0; i < graph.ops().size(); ++i)
      for (ValueId result : graph.ops()[i].results)
        if (auto &slot = graph.value(result).buffer;
            slot && slot->space == BufferSpace::Workspace && lastUse[result] > i)
          intervals.push_back({i, lastUse[result], result});
    return intervals;
  }

  static bool overlap(const Value &a, const Value &b) {
    auto aBegin = a.buffer->offset.asConstant(), bBegin = b.buffer->offset.asConstant();
    auto aSize = byteCount(a.type).asConstant(), bSize = byteCount(b.type).asConstant();
    if (!aBegin || !bBegin || !aSize || !bSize)
      return a.buffer->offset == b.buffer->offset && aSize != 0 && bSize != 0;
    return *aBegin < *bBegin + *bSize && *bBegin < *aBegin + *aSize;
  }

  void stateWrites(const Graph &graph) {
    // A tensor without elements has the offset of the next one, and nothing to overwrite.
    auto isEmpty = [&](ValueId v) { return byteCount(graph.type(v)) == Dim(0); };
    std::map<Dim, ValueId> arguments; // state offset -> argument
    for (ValueId argument : graph.arguments())
      if (auto &slot = graph.value(argument).buffer;
          slot && slot->space == BufferSpace::State && !isEmpty(argument))
        arguments.emplace(slot->offset, argument);
    std::map<ValueId, size_t> written;
    for (size_t i = 0; i < graph.ops().size(); ++i) {
      for (ValueId operand : graph.ops()[i].operands)
        if (auto found = written.find(operand); found != written.end() && found->second < i)
          report(graph.ops()[i].location,
                 fmt::format("state tensor '{}' is read after a kernel has overwritten it",
                             graph.value(operand).name));
      for (ValueId result : graph.ops()[i].results)
        if (auto &slot = graph.value(result).buffer;
            slot && slot->space == BufferSpace::State && !isEmpty(result))
          if (auto found = arguments.find(slot->offset); found != arguments.end())
            written.emplace(found->second, i);
    }
  }

  const Module &module_;
  Diagnostics &diagnostics_;
  const Function *function_ = nullptr;
  std::string where_;
};

} // namespace

bool verify(const Module &module, Diagnostics &diagnostics) {
  return Verifier(module, diagnostics).run();
}

} // namespace apr
