// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reverse accumulation (Griewank and Walther, Evaluating Derivatives, chapter 3): walk the ops from
// the loss backwards; when an op is reached, every use of its result has contributed, so its own
// derivative is complete and its rule can hand contributions on to its operands.
#include "passes/autodiff/reverse_walk.h"

#include "passes/autodiff/op_gradient.h"

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
  ReverseWalk(Builder &builder, ValueId loss, std::span<const ValueId> by, Location location,
              Diagnostics &diagnostics)
      : b_(builder), graph_(builder.graph()), loss_(loss), by_(by), location_(location),
        diagnostics_(diagnostics), opCount_(graph_.ops().size()) {}

  std::vector<ValueId> run() {
    findActiveValues();
    if (active_[loss_])
      contributions_[loss_].push_back({opCount_, 0, b_.at(location_).splat(lossType(), 1)});
    for (size_t i = opCount_; i-- > 0;)
      visit(i);
    reportUnused();
    std::vector<ValueId> gradients;
    for (ValueId v : by_)
      gradients.push_back(gradientOf(v));
    return gradients;
  }

private:
  Type lossType() const { return graph_.type(loss_); }

  /// A value is active where it depends on a differentiated value and the loss depends on it.
  void findActiveValues() {
    std::vector<bool> depends(graph_.values().size());
    for (ValueId v : by_)
      depends[v] = isFloat(graph_.type(v).dtype);
    for (const Op &op : graph_.ops())
      for (size_t j = 0; j < op.operands.size(); ++j)
        if (depends[op.operands[j]] && !cutsGradient(graph_, op, j))
          for (ValueId result : op.results)
            depends[result] = true;

    reaches_.assign(graph_.values().size(), false);
    reaches_[loss_] = true;
    for (size_t i = opCount_; i-- > 0;) {
      const Op &op = graph_.ops()[i];
      if (std::ranges::any_of(op.results, [&](ValueId v) { return reaches_[v]; }))
        for (size_t j = 0; j < op.operands.size(); ++j)
          if (!cutsGradient(graph_, op, j))
            reaches_[op.operands[j]] = true;
    }

    active_.resize(graph_.values().size());
    for (size_t v = 0; v < active_.size(); ++v)
      active_[v] = depends[v] && reaches_[v];
  }

  bool isActiveUse(const Op &op, size_t operand) const {
    return active_[op.operands[operand]] && !cutsGradient(graph_, op, operand);
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
    if (op.results.size() != 1)
      return reportRefusal(op, "it has several results");
    OpGradient gradient(b_.at(op.location), op, gradientOf(op.result()), wanted);
    applyGradientRule(gradient);
    if (!gradient.refusal().empty())
      return reportRefusal(op, gradient.refusal());
    for (const auto &[operand, value] : gradient.contributions())
      contributions_[op.operands[operand]].push_back({index, operand, value});
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
    for (size_t step = 0; step < kShownSteps && v != loss_; ++step) {
      const Op &user = findUserOnPath(v);
      diagnostic.note(user.location, "on the path to the loss: " + describeUse(user));
      v = user.result();
    }
    diagnostic.note(location_, "the gradient is asked for here");
  }

  const Op &findUserOnPath(ValueId v) const {
    for (size_t i = 0; i < opCount_; ++i) {
      const Op &op = graph_.ops()[i];
      for (size_t j = 0; j < op.operands.size(); ++j)
        if (op.operands[j] == v && reaches_[op.results.front()] && !cutsGradient(graph_, op, j))
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
    return graph_.value(loss_).name.empty() ? "the loss" : describe(loss_);
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
  const ValueId loss_;
  const std::span<const ValueId> by_;
  const Location location_;
  Diagnostics &diagnostics_;
  const size_t opCount_; ///< ops before the walk; those behind are derivatives
  const ValueId firstNewValue_ = ValueId(graph_.values().size());
  std::vector<bool> reaches_;
  std::vector<bool> active_;
  std::map<ValueId, std::vector<Contribution>> contributions_;
  std::map<ValueId, ValueId> gradients_;
  bool isBroken_ = false; ///< an op was refused, so what would follow from it is not reported
};

} // namespace

std::vector<ValueId> buildGradients(Builder &builder, ValueId loss, std::span<const ValueId> by,
                                    Location location, Diagnostics &diagnostics) {
  return ReverseWalk(builder, loss, by, location, diagnostics).run();
}

} // namespace apr
