// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse_elementwise.h"

#include "ir/rewrite.h"
#include "passes/fuse_legality.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr {
namespace {

/// Larger kernels save little more and cost registers and compile time.
constexpr size_t kMaximumNodes = 160;
/// Scalar code has no loop to keep in registers; the functions of f64 expand to hundreds of ops.
constexpr size_t kMaximumScalarNodes = 4000;

std::set<size_t> unite(const FuseGraph &graph, size_t first, size_t second) {
  std::set<size_t> nodes(graph.members(first).begin(), graph.members(first).end());
  nodes.insert(graph.members(second).begin(), graph.members(second).end());
  return nodes;
}

/// Why two groups cannot be one kernel; empty where they can.
std::string problemOfFusing(const FuseGraph &graph, size_t first, size_t second) {
  const bool areScalar = graph.isScalar(first) && graph.isScalar(second);
  if (!areScalar)
    if (KernelForm form = formOf(graph, unite(graph, first, second)); !form.isLegal())
      return form.problem;
  if (!graph.canMergeWithoutCycle(first, second))
    return "another kernel stands between them";
  return "";
}

bool isProfitable(const FuseGraph &graph, size_t first, size_t second) {
  const bool areScalar = graph.isScalar(first) && graph.isScalar(second);
  // Arithmetic of hyperparameters stays by itself: it is the same in a step and its apply, which
  // then share its kernel.
  if (areScalar && graph.isEarlyScalar(first) != graph.isEarlyScalar(second))
    return false;
  return graph.members(first).size() + graph.members(second).size() <=
         (areScalar ? kMaximumScalarNodes : kMaximumNodes);
}

bool fuse(FuseGraph &graph, size_t first, size_t second) {
  if (first == second || !isProfitable(graph, first, second) ||
      !problemOfFusing(graph, first, second).empty())
    return false;
  graph.merge(first, second);
  return true;
}

/// What follows a contraction belongs into its epilogue rather than into a later kernel, and a pick
/// to the row that it picks from, which then need not be stored.
void fuseAnchors(FuseGraph &graph) {
  for (size_t node : graph.nodes()) {
    const Op &op = graph.op(node);
    if (op.kind == OpKind::Pick) {
      if (auto producer = graph.trace(op.operands[0]).definition)
        fuse(graph, graph.groupOf(*producer), node);
      continue;
    }
    if (op.kind != OpKind::MatMul && opInfo(op.kind).family != OpFamily::Conv)
      continue;
    ValueId value = op.result();
    while (!graph.isResult(value) && graph.users(value).size() == 1 &&
           fuse(graph, node, graph.groupOf(graph.users(value)[0])))
      value = graph.op(graph.users(value)[0]).result();
  }
}

/// A value that only one other group uses need not exist outside it.
bool fuseIntoOnlyConsumers(FuseGraph &graph) {
  bool changed = false;
  for (size_t i = graph.nodes().size(); i-- > 0;) {
    const size_t node = graph.nodes()[i];
    const size_t group = graph.groupOf(node);
    std::set<size_t> consumers;
    bool isReturned = false;
    for (ValueId result : graph.op(node).results) {
      isReturned |= graph.isResult(result);
      for (size_t user : graph.users(result))
        consumers.insert(graph.groupOf(user));
    }
    consumers.erase(group);
    if (!isReturned && consumers.size() == 1)
      changed |= fuse(graph, *consumers.begin(), group);
  }
  return changed;
}

/// A value that stays in memory for others need not be read back by everyone.
bool fuseIntoProducers(FuseGraph &graph) {
  bool changed = false;
  for (size_t node : graph.nodes())
    for (ValueId operand : graph.op(node).operands)
      if (auto producer = graph.trace(operand).definition)
        changed |= fuse(graph, graph.groupOf(*producer), graph.groupOf(node));
  return changed;
}

/// Scalar arithmetic, of hyperparameters say, is not worth a kernel each.
bool fuseScalars(FuseGraph &graph) {
  bool changed = false;
  std::optional<size_t> early, late;
  for (size_t group : graph.groups()) {
    if (!graph.isScalar(group))
      continue;
    std::optional<size_t> &first = graph.isEarlyScalar(group) ? early : late;
    if (first && fuse(graph, *first, group))
      changed = true;
    else
      first = group;
  }
  return changed;
}

bool hasReduction(const FuseGraph &graph, size_t group) {
  return std::ranges::any_of(graph.members(group), [&](size_t node) {
    const OpFamily family = opInfo(graph.op(node).kind).family;
    return family == OpFamily::Reduce || family == OpFamily::ArgReduce;
  });
}

/// Reductions of the same rows read them once.
bool fuseSiblingReductions(FuseGraph &graph) {
  bool changed = false;
  for (ValueId value = 0; value < graph.graph().values().size(); ++value) {
    std::optional<size_t> first;
    for (size_t user : graph.users(value)) {
      const size_t group = graph.groupOf(user);
      if (!hasReduction(graph, group))
        continue;
      if (first)
        changed |= fuse(graph, *first, group);
      else
        first = group;
    }
  }
  return changed;
}

void fuseGroups(FuseGraph &graph) {
  fuseAnchors(graph);
  bool changed = true;
  while (changed) {
    changed = fuseScalars(graph);
    changed |= fuseIntoOnlyConsumers(graph);
    changed |= fuseIntoProducers(graph);
    changed |= fuseSiblingReductions(graph);
  }
}

/// Copies the ops of one group into a kernel's region, views included.
class RegionBuilder {
public:
  RegionBuilder(const FuseGraph &graph, const std::set<size_t> &nodes)
      : graph_(graph), nodes_(nodes), region_(std::make_shared<Graph>()) {
    // Arguments first: they are numbered before the results of ops.
    for (size_t node : nodes)
      for (ValueId operand : graph.op(node).operands)
        addArgument(graph.trace(operand));
    for (size_t node : nodes)
      copyOp(node);
    for (ValueId output : graph.outputsOf(nodes))
      region_->results.push_back(map_.at(output));
  }

  const std::vector<ValueId> &operands() const { return operands_; }
  std::shared_ptr<const Graph> region() const { return region_; }

private:
  void addArgument(const FuseGraph::Path &path) {
    if (path.base == kNoValue || map_.contains(path.base) ||
        (path.definition && nodes_.contains(*path.definition)))
      return;
    const Value &value = graph_.graph().value(path.base);
    map_[path.base] = region_->addArgument(value.type, value.name, value.location);
    operands_.push_back(path.base);
  }

  ValueId valueOf(ValueId old) {
    if (auto found = map_.find(old); found != map_.end())
      return found->second;
    // Views come in chains as long as the function; the far end is copied first.
    const FuseGraph::Path path = graph_.trace(old);
    for (size_t i = path.views.size(); i-- > 0;)
      if (!map_.contains(graph_.op(path.views[i]).result()))
        copyOp(path.views[i]);
    return map_.at(old);
  }

  void copyOp(size_t index) {
    const Op &op = graph_.op(index);
    std::vector<ValueId> operands;
    for (ValueId operand : op.operands)
      operands.push_back(valueOf(operand));
    std::vector<Type> types;
    for (ValueId result : op.results)
      types.push_back(graph_.graph().type(result));
    const size_t copy = region_->addOp(op.kind, std::move(operands), op.attributes,
                                       std::move(types), op.location, op.region);
    for (size_t i = 0; i < op.results.size(); ++i) {
      const ValueId fresh = region_->ops()[copy].results[i];
      region_->value(fresh) = graph_.graph().value(op.results[i]);
      region_->value(fresh).buffer.reset();
      map_[op.results[i]] = fresh;
    }
  }

  const FuseGraph &graph_;
  const std::set<size_t> &nodes_;
  std::shared_ptr<Graph> region_;
  std::map<ValueId, ValueId> map_;
  std::vector<ValueId> operands_;
};

void emitGroup(const FuseGraph &graph, size_t group, GraphRewriter &rewriter) {
  if (const Op &first = graph.op(graph.members(group).front()); first.kind == OpKind::Scan)
    return rewriter.copy(first);
  const std::set<size_t> nodes(graph.members(group).begin(), graph.members(group).end());
  const RegionBuilder builder(graph, nodes);
  std::vector<ValueId> operands;
  for (ValueId operand : builder.operands())
    operands.push_back(rewriter(operand));
  const std::vector<ValueId> outputs = graph.outputsOf(nodes);
  std::vector<Type> types;
  for (ValueId output : outputs)
    types.push_back(graph.graph().type(output));
  const std::string form = formOf(graph, nodes).form;
  if (form.empty())
    throw InternalError("fuse-elementwise made a kernel without a form");
  Builder &target = rewriter.builder();
  target.at(graph.op(graph.members(group).back()).location);
  auto results = target.createMulti(OpKind::Kernel, std::move(operands), {{AttrKey::Form, form}},
                                    std::move(types), builder.region());
  for (size_t i = 0; i < results.size(); ++i) {
    const Value &old = graph.graph().value(outputs[i]);
    target.graph().value(results[i]).name = old.name;
    target.graph().value(results[i]).location = old.location;
    rewriter.map(outputs[i], results[i]);
  }
}

std::string nameOf(const Graph &graph, ValueId value) {
  const Value &v = graph.value(value);
  return v.name.empty() ? fmt::format("a {}", str(v.type)) : fmt::format("'{}'", v.name);
}

void addRemarks(const FuseGraph &graph, const std::string &function,
                std::vector<std::string> &remarks) {
  for (size_t group : graph.orderedGroups()) {
    const auto &members = graph.members(group);
    const std::set<size_t> nodes(members.begin(), members.end());
    if (members.size() > 1) {
      std::string ops;
      for (size_t node : std::span(members).first(std::min<size_t>(members.size(), 24)))
        ops += fmt::format("{}{}", ops.empty() ? "" : ", ", opInfo(graph.op(node).kind).mnemonic);
      if (members.size() > 24)
        ops += fmt::format(" and {} more", members.size() - 24);
      remarks.push_back(fmt::format("{}: fused into one {} kernel: {}", function,
                                    formOf(graph, nodes).form, ops));
    }
    for (ValueId output : graph.outputsOf(nodes)) {
      if (graph.graph().type(output).rank() == 0)
        continue; // a scalar in memory costs nothing
      std::set<size_t> consumers;
      for (size_t user : graph.users(output))
        consumers.insert(graph.groupOf(user));
      consumers.erase(group);
      for (size_t consumer : consumers) {
        std::string problem = problemOfFusing(graph, group, consumer);
        if (problem.empty())
          problem = "the kernel would become too large";
        remarks.push_back(
            fmt::format("{}: {} is stored for a {}: {}", function, nameOf(graph.graph(), output),
                        opInfo(graph.op(graph.members(consumer).front()).kind).mnemonic, problem));
      }
    }
  }
}

Graph fuseGraph(const Graph &source, const std::string &function,
                std::vector<std::string> *remarks) {
  FuseGraph graph(source);
  fuseGroups(graph);
  if (remarks)
    addRemarks(graph, function, *remarks);
  Graph target;
  GraphRewriter rewriter(source, target);
  for (ValueId argument : source.arguments()) {
    const Value &value = source.value(argument);
    rewriter.map(argument, target.addArgument(value.type, value.name, value.location));
  }
  for (size_t group : graph.orderedGroups())
    emitGroup(graph, group, rewriter);
  for (ValueId result : source.results)
    target.results.push_back(rewriter(result));
  return target;
}

std::string_view formOfSingle(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
    return "reduce";
  case OpFamily::Contract:
    return "matmul";
  case OpFamily::Scatter:
    return "scatter";
  case OpFamily::Cumulative:
  case OpFamily::Sort:
    return "line";
  default:
    return "map";
  }
}

/// The op as a kernel of its own.
bool wrapOp(const Op &op, GraphRewriter &rewriter) {
  const Graph &source = rewriter.source();
  if (op.kind == OpKind::Kernel || op.kind == OpKind::Scan)
    return false;
  auto region = std::make_shared<Graph>();
  std::vector<ValueId> operands, inner;
  for (ValueId operand : op.operands) {
    operands.push_back(rewriter(operand));
    inner.push_back(region->addArgument(source.type(operand), source.value(operand).name));
  }
  std::vector<Type> types;
  for (ValueId result : op.results)
    types.push_back(source.type(result));
  const size_t index = region->addOp(op.kind, inner, op.attributes, types, op.location);
  region->results = region->ops()[index].results;
  Attributes attributes{{AttrKey::Form, std::string(formOfSingle(op.kind))}};
  auto results = rewriter.builder()
                     .at(op.location)
                     .createMulti(OpKind::Kernel, operands, attributes, types, region);
  for (size_t i = 0; i < results.size(); ++i)
    rewriter.map(op.results[i], results[i]);
  return true;
}

/// True where fuse-elementwise ran before.
bool hasKernels(const Graph &graph) {
  return std::ranges::any_of(graph.ops(), [](const Op &op) { return op.kind == OpKind::Kernel; });
}

/// A value that a step yields twice, as a carry and as an output, is stored twice by the kernel
/// that makes it; without this a kernel of its own would copy it.
Graph separateYields(Graph region) {
  Builder builder(region);
  for (size_t i = 1; i < region.results.size(); ++i) {
    const ValueId v = region.results[i];
    const auto here = region.results.begin() + static_cast<std::ptrdiff_t>(i);
    if (region.definitionIndex(v) && std::find(region.results.begin(), here, v) != here)
      region.results[i] = builder.at(region.value(v).location).unary(OpKind::StopGradient, v);
  }
  return region;
}

Graph separateAllYields(const Graph &graph) {
  return transformEveryGraph(graph, [](Graph one) {
    for (size_t i = 0; i < one.ops().size(); ++i)
      if (Op &op = one.op(i); op.kind == OpKind::Scan && !hasKernels(*op.region))
        op.region = std::make_shared<Graph>(separateYields(*op.region));
    return one;
  });
}

} // namespace

void fuseElementwise(Module &module, const PassOptions &options, Diagnostics &) {
  for (Function &function : module.functions) {
    // An init is fused at every level, because what it draws would otherwise need a workspace, and
    // its C signature has none. What has kernels was fused before; the rest joins one by one.
    const bool fuses = options.fuse || function.kind == FunctionKind::Init;
    if (fuses)
      function.graph = separateAllYields(function.graph);
    function.graph = transformEveryGraph(function.graph, [&](const Graph &graph) {
      return fuses && !hasKernels(graph) ? fuseGraph(graph, function.name, options.remarks)
                                         : rewriteGraph(graph, wrapOp);
    });
  }
}

} // namespace apr
