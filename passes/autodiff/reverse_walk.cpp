// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reverse accumulation (Griewank and Walther, Evaluating Derivatives, chapter 3): walk the ops from
// the loss backwards; when an op is reached, every use of its result has contributed, so its own
// derivative is complete and its rule can hand contributions on to its operands.
#include "passes/autodiff/reverse_walk.h"

#include "passes/autodiff/gradient_flow.h"
#include "passes/autodiff/op_gradient.h"

#include "ir/size_overflow.h"
#include "ir/tensor_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace apr {
namespace {

/// How many steps of a path a message shows.
constexpr size_t kShownSteps = 8;

/// One use of a value and what it contributes to the value's derivative.
struct Contribution {
  size_t op;
  size_t operand;
  ValueId value;
};

class ReverseWalk {
public:
  ReverseWalk(Builder &builder, std::span<const ValueId> from, std::span<const ValueId> by,
              Location location, Diagnostics &diagnostics)
      : b_(builder), graph_(builder.graph()), from_(from), by_(by), location_(location),
        diagnostics_(diagnostics), opCount_(graph_.ops().size()) {
    findActiveValues();
  }

  std::vector<ValueId> runFromLoss() {
    if (active_[loss()])
      seed(0, b_.at(location_).splat(Type(graph_.type(loss())), 1));
    std::vector<ValueId> gradients = run();
    reportUnused();
    return gradients;
  }

  std::optional<std::vector<ValueId>> runFromSeeds(std::span<const GradientSeed> seeds) {
    for (size_t i = 0; i < seeds.size(); ++i)
      if (active_[seeds[i].value])
        seed(i, seeds[i].gradient);
    std::vector<ValueId> gradients = run();
    return isBroken_ ? std::nullopt : std::optional(std::move(gradients));
  }

private:
  ValueId loss() const { return from_.front(); }

  void seed(size_t index, ValueId gradient) {
    contributions_[from_[index]].push_back({opCount_, index, gradient});
  }

  std::vector<ValueId> run() {
    for (size_t i = opCount_; i-- > 0;)
      visit(i);
    std::vector<ValueId> gradients;
    for (ValueId v : by_)
      gradients.push_back(gradientOf(v));
    return gradients;
  }

  /// A value is active where it depends on a differentiated value and what the walk starts from
  /// depends on it.
  void findActiveValues() {
    std::vector<bool> depends(graph_.values().size());
    for (ValueId v : by_)
      depends[v] = isFloat(graph_.type(v).dtype);
    for (const Op &op : graph_.ops())
      for (size_t r = 0; r < op.results.size(); ++r)
        for (size_t j = 0; j < op.operands.size(); ++j)
          if (depends[op.operands[j]] && flow_.flows(graph_, op, j, r))
            depends[op.results[r]] = true;

    reaches_.assign(graph_.values().size(), false);
    for (ValueId v : from_)
      reaches_[v] = true;
    for (size_t i = opCount_; i-- > 0;) {
      const Op &op = graph_.ops()[i];
      for (size_t j = 0; j < op.operands.size(); ++j)
        if (flowsToOneOf(op, j, reaches_))
          reaches_[op.operands[j]] = true;
    }

    active_.resize(graph_.values().size());
    for (size_t v = 0; v < active_.size(); ++v)
      active_[v] = depends[v] && reaches_[v];
  }

  /// True where one of the op's results is among the values and has a derivative by the operand.
  bool flowsToOneOf(const Op &op, size_t operand, const std::vector<bool> &values) {
    for (size_t r = 0; r < op.results.size(); ++r)
      if (values[op.results[r]] && flow_.flows(graph_, op, operand, r))
        return true;
    return false;
  }

  bool isActiveUse(const Op &op, size_t operand) {
    return active_[op.operands[operand]] && flowsToOneOf(op, operand, active_);
  }

  void visit(size_t index) {
    const Op op = graph_.ops()[index]; // a copy: building moves the graph's own
    std::vector<bool> wanted(op.operands.size());
    for (size_t j = 0; j < op.operands.size(); ++j)
      wanted[j] = isActiveUse(op, j);
    bool isActive = std::ranges::any_of(op.results, [&](ValueId v) { return bool(active_[v]); }) &&
                    std::ranges::count(wanted, true) != 0;
    if (!isActive || isBroken_)
      return;
    std::vector<ValueId> gradients;
    for (ValueId result : op.results)
      gradients.push_back(active_[result] ? gradientOf(result) : kNoValue);
    OpGradient gradient(b_.at(op.location), op, std::move(gradients), wanted,
                        {flow_, location_, diagnostics_});
    applyRule(gradient);
    if (!gradient.refusal().empty())
      return reportRefusal(op, gradient.refusal());
    isBroken_ = isBroken_ || gradient.isBroken();
    for (const auto &[operand, value] : gradient.contributions())
      contributions_[op.operands[operand]].push_back({index, operand, value});
  }

  /// Derivatives of what fits in memory may not: those of windows spread the strides out.
  void applyRule(OpGradient &gradient) {
    constexpr std::string_view tooLarge = "its derivative has values of 2^63 bytes or more";
    const auto before = ValueId(graph_.values().size());
    try {
      applyGradientRule(gradient);
    } catch (const SizeOverflow &) {
      return gradient.refuse(std::string(tooLarge));
    }
    for (ValueId v = before; v < graph_.values().size(); ++v)
      if (!canExist(graph_.type(v)))
        return gradient.refuse(std::string(tooLarge));
  }

  /// The derivative by a value, once every use of it was visited; zeros where it has none.
  ValueId gradientOf(ValueId v) {
    if (auto known = gradients_.find(v); known != gradients_.end())
      return known->second;
    std::vector<Contribution> all = contributions_[v];
    std::ranges::sort(all, {}, [](const Contribution &c) { return std::pair(c.op, c.operand); });
    if (all.empty())
      return gradients_[v] = b_.at(location_).splat(Type(graph_.type(v)), 0);
    ValueId total = all.front().value;
    for (size_t i = 1; i < all.size(); ++i)
      total = b_.add(total, all[i].value);
    if (all.size() > 1 || graph_.value(total).name.empty())
      nameGradient(v, total);
    return gradients_[v] = total;
  }

  void nameGradient(ValueId v, ValueId total) {
    const std::string &name = graph_.value(v).name;
    if (!name.empty() && total >= firstNewValue_)
      graph_.value(total).name = "d." + name;
  }

  void reportUnused() {
    std::vector<ValueId> unused;
    std::ranges::copy_if(by_, std::back_inserter(unused), [&](ValueId v) { return !active_[v]; });
    if (unused.empty() || isBroken_)
      return;
    if (unused.size() == by_.size()) {
      diagnostics_
          .report(DiagnosticKind::NoGradientPath, location_,
                  fmt::format("{} does not depend on {}", describeLoss(),
                              by_.size() == 1 ? describe(by_.front())
                                              : "any value it is differentiated by"))
          .withHint("comparisons, integers, sign and stop_gradient end a path");
      return;
    }
    for (ValueId v : unused)
      diagnostics_
          .report(DiagnosticKind::UnusedParameter, location_,
                  fmt::format("{} does not depend on {}, whose gradient is zero", describeLoss(),
                              describe(v)))
          .note(graph_.value(v).location, "defined here");
  }

  void reportRefusal(const Op &op, const std::string &reason) {
    isBroken_ = true;
    Diagnostic &diagnostic = diagnostics_.report(
        DiagnosticKind::NoGradient, op.location,
        fmt::format("'{}' has no gradient: {}", opInfo(op.kind).mnemonic, reason));
    diagnostic.withHint("wrap it in stop_gradient where a derivative of zero is meant");
    ValueId v = op.result();
    for (size_t step = 0; step < kShownSteps && std::ranges::count(from_, v) == 0; ++step) {
      const Op &user = findUserOnPath(v);
      diagnostic.note(user.location, "on the path to the loss: " + describeUse(user));
      auto next = std::ranges::find_if(user.results, [&](ValueId r) { return reaches_[r]; });
      v = *next;
    }
    diagnostic.note(location_, "the gradient is asked for here");
  }

  const Op &findUserOnPath(ValueId v) {
    for (size_t i = 0; i < opCount_; ++i) {
      const Op &op = graph_.ops()[i];
      for (size_t j = 0; j < op.operands.size(); ++j)
        if (op.operands[j] == v && flowsToOneOf(op, j, reaches_))
          return op;
    }
    throw InternalError("an active value has no use on a path to the loss");
  }

  std::string describeUse(const Op &user) const {
    const std::string &name = graph_.value(user.result()).name;
    std::string_view mnemonic = opInfo(user.kind).mnemonic;
    return name.empty() ? fmt::format("'{}' uses it", mnemonic)
                        : fmt::format("'{}' uses it in '{}'", name, mnemonic);
  }

  std::string describeLoss() const {
    return graph_.value(loss()).name.empty() ? "the loss" : describe(loss());
  }

  std::string describe(ValueId v) const {
    const std::string &name = graph_.value(v).name;
    if (!name.empty())
      return "'" + name + "'";
    const Op *op = graph_.definition(v);
    return op ? fmt::format("the result of '{}'", opInfo(op->kind).mnemonic) : "an argument";
  }

  Builder &b_;
  Graph &graph_;
  const std::span<const ValueId> from_; ///< the loss, or the values of the seeds
  const std::span<const ValueId> by_;
  const Location location_;
  Diagnostics &diagnostics_;
  const size_t opCount_; ///< ops before the walk; those behind are derivatives
  const ValueId firstNewValue_ = ValueId(graph_.values().size());
  GradientFlow flow_;
  std::vector<bool> reaches_;
  std::vector<bool> active_;
  std::map<ValueId, std::vector<Contribution>> contributions_;
  std::map<ValueId, ValueId> gradients_;
  bool isBroken_ = false; ///< an op was refused, so what would follow from it is not reported
};

} // namespace

std::vector<ValueId> buildGradients(Builder &builder, ValueId loss, std::span<const ValueId> by,
                                    Location location, Diagnostics &diagnostics) {
  const ValueId from[] = {loss};
  return ReverseWalk(builder, from, by, location, diagnostics).runFromLoss();
}

std::optional<std::vector<ValueId>> buildGradients(Builder &builder,
                                                   std::span<const GradientSeed> seeds,
                                                   std::span<const ValueId> by, Location location,
                                                   Diagnostics &diagnostics) {
  std::vector<ValueId> from;
  for (const GradientSeed &seed : seeds)
    from.push_back(seed.value);
  return ReverseWalk(builder, from, by, location, diagnostics).runFromSeeds(seeds);
}

} // namespace apr
