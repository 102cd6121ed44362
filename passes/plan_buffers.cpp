// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In four steps per function. Copies: a result that is an argument, or that another result has
// claimed, gets a kernel that copies it. Constraints: an update may overwrite the old state if its
// kernel can run after all other readers of it, which a search for a cycle decides; the others are
// bounced through the workspace by a copy at the end. Order: a stable topological sort. Placement:
// a walk over the kernels that gives out and takes back ranges of the workspace.
#include "passes/plan_buffers.h"

#include "ir/rewrite.h"
#include "passes/fuse_elementwise.h"
#include "passes/state_layout.h"
#include "passes/workspace_arena.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

namespace apr {
namespace {

/// Offsets of the blocks that all functions of a module share.
struct ModuleLayout {
  std::map<std::string, uint64_t, std::less<>> state;
  std::map<std::string, uint64_t, std::less<>> hypers;
};

ModuleLayout layoutModule(const Module &module) {
  ModuleLayout layout;
  const BlockLayout state = layoutState(module);
  for (size_t i = 0; i < module.state.size(); ++i)
    layout.state[module.state[i].name] = state.offsets[i];
  const HyperLayout hypers = layoutHypers(module);
  for (size_t i = 0; i < module.hypers.size(); ++i)
    layout.hypers[module.hypers[i].name] = hypers.offsets[i];
  return layout;
}

/// A kernel whose result is its operand.
ValueId appendCopy(Builder &builder, ValueId source) {
  auto region = std::make_shared<Graph>();
  const ValueId argument = region->addArgument(builder.type(source));
  Builder inner(*region);
  region->results.push_back(inner.create(OpKind::StopGradient, {argument}));
  Attributes attributes{{AttrKey::Form, std::string("map")}};
  return builder.createMulti(OpKind::Kernel, {source}, attributes, {builder.type(source)}, region)
      .front();
}

class FunctionPlanner {
public:
  FunctionPlanner(const Module &module, const ModuleLayout &layout, Function &function,
                  std::vector<std::string> *remarks)
      : module_(module), layout_(layout), function_(function), remarks_(remarks) {}

  void run() {
    for (ValueId v = 0; v < function_.graph.values().size(); ++v)
      function_.graph.value(v).buffer.reset();
    separateResults();
    decideUpdates();
    reorder();
    place();
  }

private:
  Graph &graph() { return function_.graph; }
  bool isArgument(ValueId v) { return !graph().definitionIndex(v); }

  /// The argument that holds the old value of a state tensor, if the function has it.
  ValueId oldState(const std::string &name) {
    for (size_t i = 0; i < function_.arguments.size(); ++i)
      if (function_.arguments[i].role == ArgumentRole::State && function_.arguments[i].name == name)
        return graph().arguments()[i];
    return kNoValue;
  }

  bool isUnchangedState(size_t result) {
    return function_.results[result].role == ResultRole::Update &&
           graph().results[result] == oldState(function_.results[result].name);
  }

  /// After this every result but unchanged state is the result of a kernel, and no value is two.
  void separateResults() {
    std::vector<bool> claimed(graph().values().size());
    for (size_t i = 0; i < function_.results.size(); ++i) {
      const ValueId v = graph().results[i];
      if (isUnchangedState(i))
        continue;
      if (!isArgument(v) && !claimed[v]) {
        claimed[v] = true;
        continue;
      }
      Builder builder(graph());
      graph().results[i] = appendCopy(builder, v);
    }
  }

  std::vector<std::vector<size_t>> readersOfValues() {
    std::vector<std::vector<size_t>> readers(graph().values().size());
    for (size_t k = 0; k < graph().ops().size(); ++k)
      for (ValueId operand : graph().ops()[k].operands)
        if (readers[operand].empty() || readers[operand].back() != k)
          readers[operand].push_back(k);
    return readers;
  }

  /// True where kernel `k` may write its result over each of its operands equal to `old`.
  bool mayOverwrite(size_t k, ValueId old, ValueId result) {
    const Op &op = graph().ops()[k];
    const size_t resultIndex = std::ranges::find(op.results, result) - op.results.begin();
    for (size_t j = 0; j < op.operands.size(); ++j)
      if (op.operands[j] == old && !readsOnlyAtWrittenIndex(op, j, resultIndex))
        return false;
    return true;
  }

  /// True where one of the targets runs after `from` whatever the order.
  bool reachesAny(size_t from, const std::vector<size_t> &targets) {
    std::vector<bool> seen(successors_.size());
    std::vector<size_t> stack{from};
    seen[from] = true;
    while (!stack.empty()) {
      const size_t k = stack.back();
      stack.pop_back();
      for (size_t next : successors_[k]) {
        if (std::ranges::find(targets, next) != targets.end())
          return true;
        if (!seen[next]) {
          seen[next] = true;
          stack.push_back(next);
        }
      }
    }
    return false;
  }

  void addDataflowEdges() {
    successors_.assign(graph().ops().size(), {});
    for (size_t k = 0; k < graph().ops().size(); ++k)
      for (ValueId operand : graph().ops()[k].operands)
        if (auto definition = graph().definitionIndex(operand))
          successors_[*definition].push_back(k);
  }

  bool updateInPlace(size_t result, const std::vector<std::vector<size_t>> &readers) {
    const ValueId v = graph().results[result];
    const ValueId old = oldState(function_.results[result].name);
    if (old == kNoValue)
      return true;
    const size_t k = *graph().definitionIndex(v);
    if (!mayOverwrite(k, old, v))
      return false;
    std::vector<size_t> others = readers[old];
    std::erase(others, k);
    if (reachesAny(k, others))
      return false;
    for (size_t reader : others)
      successors_[reader].push_back(k);
    return true;
  }

  void decideUpdates() {
    addDataflowEdges();
    const auto readers = readersOfValues();
    std::vector<size_t> bounced;
    for (size_t i = 0; i < function_.results.size(); ++i)
      if (function_.results[i].role == ResultRole::Update && !isUnchangedState(i) &&
          !updateInPlace(i, readers))
        bounced.push_back(i);
    for (size_t i : bounced)
      bounce(i);
  }

  /// Copies read the workspace only, so at the end of the order they come after every reader of old
  /// state.
  void bounce(size_t result) {
    if (remarks_)
      remarks_->push_back(
          fmt::format("{}: the new value of '{}' is made in the workspace and copied, because its "
                      "kernel cannot come after every reader of the old value",
                      function_.name, function_.results[result].name));
    Builder builder(graph());
    const size_t before = graph().ops().size();
    graph().results[result] = appendCopy(builder, graph().results[result]);
    successors_.emplace_back();
    for (size_t k = 0; k < before; ++k)
      successors_[k].push_back(before);
  }

  /// Kernels in an order that keeps all edges, the lowest old index first among those that may run.
  std::vector<size_t> sortedKernels() {
    std::vector<size_t> pending(successors_.size());
    for (const auto &successors : successors_)
      for (size_t next : successors)
        ++pending[next];
    std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
    for (size_t k = 0; k < pending.size(); ++k)
      if (pending[k] == 0)
        ready.push(k);
    std::vector<size_t> order;
    while (!ready.empty()) {
      const size_t k = ready.top();
      ready.pop();
      order.push_back(k);
      for (size_t next : successors_[k])
        if (--pending[next] == 0)
          ready.push(next);
    }
    if (order.size() != successors_.size())
      throw InternalError("plan-buffers made a cycle of kernels in " + function_.name);
    return order;
  }

  void reorder() {
    const std::vector<size_t> order = sortedKernels();
    if (std::ranges::is_sorted(order))
      return;
    Graph ordered;
    GraphRewriter rewriter(graph(), ordered);
    for (ValueId argument : graph().arguments()) {
      const Value &value = graph().value(argument);
      rewriter.map(argument, ordered.addArgument(value.type, value.name, value.location));
    }
    for (size_t k : order)
      rewriter.copy(graph().ops()[k]);
    for (ValueId result : graph().results)
      ordered.results.push_back(rewriter(result));
    graph() = std::move(ordered);
  }

  void placeArguments() {
    uint32_t inputs = 0;
    const BlockLayout gradients = layoutGradients(gradientTensors_);
    for (size_t i = 0; i < function_.arguments.size(); ++i) {
      const Argument &argument = function_.arguments[i];
      std::optional<BufferSlot> &slot = graph().value(graph().arguments()[i]).buffer;
      switch (argument.role) {
      case ArgumentRole::Input:
        slot = {BufferSpace::Input, inputs++, 0};
        break;
      case ArgumentRole::State:
        slot = {BufferSpace::State, 0, static_cast<int64_t>(layout_.state.at(argument.name))};
        break;
      case ArgumentRole::Hyper:
        slot = {BufferSpace::Hyper, 0, static_cast<int64_t>(layout_.hypers.at(argument.name))};
        break;
      case ArgumentRole::Gradient:
        slot = gradientSlot(gradients, argument.name);
        break;
      case ArgumentRole::Exec:
        break;
      }
    }
  }

  BufferSlot gradientSlot(const BlockLayout &layout, const std::string &name) {
    for (size_t i = 0; i < gradientTensors_.size(); ++i)
      if (gradientTensors_[i].name == name)
        return {BufferSpace::Gradient, 0, static_cast<int64_t>(layout.offsets[i])};
    throw InternalError(fmt::format("{}: no gradient block tensor '{}'", function_.name, name));
  }

  void placeResults() {
    uint32_t results = 0;
    const BlockLayout gradients = layoutGradients(gradientTensors_);
    for (size_t i = 0; i < function_.results.size(); ++i) {
      const FunctionResult &result = function_.results[i];
      if (isUnchangedState(i))
        continue;
      std::optional<BufferSlot> &slot = graph().value(graph().results[i]).buffer;
      switch (result.role) {
      case ResultRole::Result:
        slot = {BufferSpace::Result, results++, 0};
        break;
      case ResultRole::Gradient:
        slot = gradientSlot(gradients, result.name);
        break;
      case ResultRole::Update:
        slot = {BufferSpace::State, 0, static_cast<int64_t>(layout_.state.at(result.name))};
        break;
      }
    }
  }

  /// Index of the last kernel that reads each value; the defining one where nothing does.
  std::vector<size_t> lastUses() {
    std::vector<size_t> last(graph().values().size());
    for (size_t k = 0; k < graph().ops().size(); ++k) {
      for (ValueId v : graph().ops()[k].operands)
        last[v] = k;
      for (ValueId v : graph().ops()[k].results)
        last[v] = k;
    }
    return last;
  }

  /// An operand in the workspace that dies at kernel `k` and whose range its result can take over.
  ValueId reusableOperand(size_t k, ValueId result, const std::vector<size_t> &last) {
    for (ValueId operand : graph().ops()[k].operands) {
      const auto &slot = graph().value(operand).buffer;
      if (slot && slot->space == BufferSpace::Workspace && last[operand] == k && owned_[operand] &&
          byteCount(graph().type(operand)) == byteCount(graph().type(result)) &&
          mayOverwrite(k, operand, result))
        return operand;
    }
    return kNoValue;
  }

  void placeWorkspaceResult(size_t k, ValueId result, const std::vector<size_t> &last) {
    const Dim bytes = byteCount(graph().type(result));
    std::optional<BufferSlot> &slot = graph().value(result).buffer;
    if (bytes == Dim(0)) {
      slot = {BufferSpace::Workspace, 0, 0};
      return;
    }
    owned_[result] = true;
    if (const ValueId donor = reusableOperand(k, result, last); donor != kNoValue) {
      slot = graph().value(donor).buffer;
      owned_[donor] = false;
    } else {
      slot = {BufferSpace::Workspace, 0, arena_.allocate(bytes)};
    }
  }

  void place() {
    gradientTensors_ = gradientTensors(module_, function_.trainBlock);
    placeArguments();
    placeResults();
    owned_.assign(graph().values().size(), false);
    const std::vector<size_t> last = lastUses();
    std::vector<std::vector<ValueId>> dying(graph().ops().size());
    for (const Op &op : graph().ops())
      for (ValueId v : op.results)
        dying[last[v]].push_back(v);
    for (size_t k = 0; k < graph().ops().size(); ++k) {
      for (ValueId result : graph().ops()[k].results)
        if (!graph().value(result).buffer)
          placeWorkspaceResult(k, result, last);
      for (ValueId v : dying[k])
        if (owned_[v])
          arena_.release(graph().value(v).buffer->offset);
    }
    function_.workspaceBytes = arena_.totalBytes();
  }

  const Module &module_;
  const ModuleLayout &layout_;
  Function &function_;
  std::vector<std::string> *remarks_;
  std::vector<std::vector<size_t>> successors_; ///< kernels that must run later, per kernel
  std::vector<GradientTensor> gradientTensors_;
  std::vector<bool> owned_; ///< values that hold a range of the arena
  WorkspaceArena arena_;
};

bool checkBlockSizes(const Module &module, Diagnostics &diagnostics) {
  auto check = [&](const BlockLayout &layout, std::string_view what) {
    if (layout.isTooLarge())
      diagnostics.report(DiagnosticKind::IrInvalid, {},
                         fmt::format("the {} is larger than 2^46 bytes", what));
  };
  check(layoutState(module), "state block");
  for (const std::string &block : module.trainBlocks)
    check(layoutGradients(gradientTensors(module, block)),
          fmt::format("gradient block of '{}'", block));
  return !diagnostics.hasErrors();
}

bool checkIsFused(const Function &function, Diagnostics &diagnostics) {
  for (const Op &op : function.graph.ops())
    if (op.kind != OpKind::Kernel) {
      diagnostics.report(DiagnosticKind::IrInvalid, op.location,
                         fmt::format("plan-buffers needs every op in a kernel, found '{}' in @{}; "
                                     "run fuse-elementwise first",
                                     opInfo(op.kind).mnemonic, function.name));
      return false;
    }
  return true;
}

/// Gradient blocks pass from the grad of a train block to its apply, and nowhere else.
bool checkGradientRoles(const Module &module, const Function &function, Diagnostics &diagnostics) {
  const auto tensors = gradientTensors(module, function.trainBlock);
  const bool isInBlock =
      std::ranges::find(module.trainBlocks, function.trainBlock) != module.trainBlocks.end();
  auto check = [&](bool isGradient, FunctionKind kind, const std::string &name) {
    const bool isKnown = std::ranges::any_of(
        tensors, [&](const GradientTensor &tensor) { return tensor.name == name; });
    if (!isGradient || (function.kind == kind && isInBlock && isKnown))
      return true;
    diagnostics.report(DiagnosticKind::IrInvalid, function.location,
                       fmt::format("@{} has the gradient '{}', which belongs to no grad and apply "
                                   "of one train block",
                                   function.name, name));
    return false;
  };
  for (const Argument &argument : function.arguments)
    if (!check(argument.role == ArgumentRole::Gradient, FunctionKind::Apply, argument.name))
      return false;
  for (const FunctionResult &result : function.results)
    if (!check(result.role == ResultRole::Gradient, FunctionKind::Grad, result.name))
      return false;
  return true;
}

} // namespace

void planBuffers(Module &module, const PassOptions &options, Diagnostics &diagnostics) {
  if (!checkBlockSizes(module, diagnostics))
    return;
  const ModuleLayout layout = layoutModule(module);
  for (Function &function : module.functions)
    if (checkIsFused(function, diagnostics) && checkGradientRoles(module, function, diagnostics))
      FunctionPlanner(module, layout, function, options.remarks).run();
}

} // namespace apr
