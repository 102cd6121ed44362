// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// passes/memory_order.h decides what is written over what, and the order that this needs. Then a
// walk over the ops gives out and takes back ranges of the workspace.
#include "passes/plan_buffers.h"

#include "ir/scan.h"
#include "passes/memory_order.h"
#include "passes/state_layout.h"
#include "passes/workspace_arena.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

/// Gives the values of one graph their places in the workspace; the graphs of a function share it.
class WorkspacePlanner {
public:
  /// `hasPlace` tells of each value whether it lies elsewhere already.
  WorkspacePlanner(Graph &graph, std::vector<bool> hasPlace, WorkspaceArena &arena)
      : graph_(graph), hasPlace_(std::move(hasPlace)), arena_(arena), last_(lastUses()),
        owned_(graph.values().size()) {}

  void run() {
    std::vector<std::vector<ValueId>> dying(graph_.ops().size());
    for (const Op &op : graph_.ops())
      for (ValueId v : op.results)
        dying[last_[v]].push_back(v);
    for (size_t k = 0; k < graph_.ops().size(); ++k) {
      placeResults(k);
      if (graph_.ops()[k].kind == OpKind::Scan)
        placeRegion(graph_.op(k));
      for (ValueId v : dying[k])
        if (owned_[v])
          arena_.release(graph_.value(v).buffer->offset);
    }
  }

private:
  /// Index of the last op that reads each value; the defining one where nothing does.
  std::vector<size_t> lastUses() const {
    std::vector<size_t> last(graph_.values().size());
    for (size_t k = 0; k < graph_.ops().size(); ++k) {
      for (ValueId v : graph_.ops()[k].operands)
        last[v] = k;
      for (ValueId v : graph_.ops()[k].results)
        last[v] = k;
    }
    return last;
  }

  void placeResults(size_t k) {
    const Op &op = graph_.ops()[k];
    for (size_t i = 0; i < op.results.size(); ++i)
      if (!hasPlace_[op.results[i]])
        placeResult(k, i);
  }

  void placeResult(size_t k, size_t index) {
    const ValueId result = graph_.ops()[k].results[index];
    const Dim bytes = byteCount(graph_.type(result));
    std::optional<BufferSlot> &slot = graph_.value(result).buffer;
    if (bytes == Dim(0)) {
      slot = {BufferSpace::Workspace, 0, 0};
      return;
    }
    owned_[result] = true;
    if (const ValueId donor = findDonor(k, index); donor != kNoValue) {
      slot = graph_.value(donor).buffer;
      owned_[donor] = false;
    } else {
      slot = {BufferSpace::Workspace, 0, arena_.allocate(bytes)};
    }
  }

  /// The operand whose range the result takes over: the first carry for the last one, or an
  /// operand that dies at kernel `k` and may be written over.
  ValueId findDonor(size_t k, size_t index) const {
    const Op &op = graph_.ops()[k];
    if (op.kind == OpKind::Scan)
      return ScanParts(op).isCarry(index) ? op.operands[index] : kNoValue;
    const ValueId result = op.results[index];
    for (ValueId operand : op.operands)
      if (last_[operand] == k && owned_[operand] &&
          byteCount(graph_.type(operand)) == byteCount(graph_.type(result)) &&
          mayOverwrite(graph_, k, operand, result))
        return operand;
    return kNoValue;
  }

  /// A region's arguments lie where the scan's operands do, its results where the scan's are. What
  /// is between lives for one step, while all that the scan reads and writes is alive.
  void placeRegion(Op &scan) {
    auto region = std::make_shared<Graph>(*scan.region);
    std::vector<bool> hasPlace(region->values().size());
    for (ValueId result : region->results)
      forEachInMemory(*region, result, [&](ValueId v) { hasPlace[v] = true; });
    WorkspacePlanner(*region, std::move(hasPlace), arena_).run();
    scan.region = std::move(region);
  }

  Graph &graph_;
  std::vector<bool> hasPlace_;
  WorkspaceArena &arena_;
  std::vector<size_t> last_;
  std::vector<bool> owned_; ///< values that hold a range of the arena
};

void dropBuffers(Graph &graph) {
  for (ValueId v = 0; v < graph.values().size(); ++v)
    graph.value(v).buffer.reset();
  for (size_t i = 0; i < graph.ops().size(); ++i)
    if (Op &op = graph.op(i); op.kind == OpKind::Scan) {
      auto region = std::make_shared<Graph>(*op.region);
      dropBuffers(*region);
      op.region = std::move(region);
    }
}

class FunctionPlanner {
public:
  FunctionPlanner(const Module &module, const ModuleLayout &layout, Function &function,
                  std::vector<std::string> *remarks)
      : module_(module), layout_(layout), function_(function), remarks_(remarks) {}

  void run() {
    dropBuffers(graph());
    copyKeptFloats();
    orderForMemory(graph(), [&](const Graph &g, size_t result) { return oldState(g, result); },
                   {function_.name, remarks_});
    place();
  }

private:
  Graph &graph() { return function_.graph; }

  /// The argument that holds the old value of the state tensor that a result updates, if the
  /// function has it.
  ValueId oldState(const Graph &graph, size_t result) const {
    if (function_.results[result].role != ResultRole::Update)
      return kNoValue;
    for (size_t i = 0; i < function_.arguments.size(); ++i)
      if (function_.arguments[i].role == ArgumentRole::State &&
          function_.arguments[i].name == function_.results[result].name)
        return graph.arguments()[i];
    return kNoValue;
  }

  /// A float that is updated by its old value is written all the same: the caller's NaN, of
  /// whatever payload, becomes the canonical one, as it does where a pass left some op between.
  void copyKeptFloats() {
    Builder builder(graph());
    for (size_t i = 0; i < function_.results.size(); ++i) {
      const ValueId v = graph().results[i];
      if (v == oldState(graph(), i) && holdsNaN(graph().type(v).dtype))
        graph().results[i] = appendCopy(builder, v);
    }
  }

  static bool holdsNaN(DType dtype) { return isFloat(dtype) || dtype == DType::BF16; }

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
      if (graph().results[i] == oldState(graph(), i))
        continue;
      BufferSlot slot;
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
      forEachInMemory(graph(), graph().results[i],
                      [&](ValueId v) { graph().value(v).buffer = slot; });
    }
  }

  void place() {
    gradientTensors_ = gradientTensors(module_, function_.trainBlock);
    placeArguments();
    placeResults();
    std::vector<bool> hasPlace;
    for (const Value &value : graph().values())
      hasPlace.push_back(value.buffer.has_value());
    WorkspaceArena arena;
    WorkspacePlanner(graph(), std::move(hasPlace), arena).run();
    function_.workspaceBytes = arena.totalBytes();
  }

  const Module &module_;
  const ModuleLayout &layout_;
  Function &function_;
  std::vector<std::string> *remarks_;
  std::vector<GradientTensor> gradientTensors_;
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

bool checkIsFused(const Function &function, const Graph &graph, Diagnostics &diagnostics) {
  for (const Op &op : graph.ops()) {
    if (op.kind == OpKind::Scan) {
      if (!checkIsFused(function, *op.region, diagnostics))
        return false;
    } else if (op.kind != OpKind::Kernel) {
      diagnostics.report(DiagnosticKind::IrInvalid, op.location,
                         fmt::format("plan-buffers needs every op in a kernel, found '{}' in @{}; "
                                     "run fuse-elementwise first",
                                     opInfo(op.kind).mnemonic, function.name));
      return false;
    }
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
    if (checkIsFused(function, function.graph, diagnostics) &&
        checkGradientRoles(module, function, diagnostics))
      FunctionPlanner(module, layout, function, options.remarks).run();
}

} // namespace apr
