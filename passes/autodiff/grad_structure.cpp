// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The derivative of a scan is a scan in the opposite direction:
//
//     carries    the derivative by each active carry, the sum so far of each wanted captured value
//     inputs     the carries that entered each step, the scan's inputs, the outputs' derivatives
//     captured   the scan's captured values
//     a step     the scan's own step again, then a reverse walk over it
//     outputs    the derivatives by the inputs; the carries that enter each step, for derivatives
//                of derivatives
#include "passes/autodiff/grad_rules.h"

#include "passes/autodiff/reverse_walk.h"
#include "passes/autodiff/scan_gradient.h"

#include "ir/rewrite.h"
#include "ir/scan.h"
#include "ir/tensor_size.h"

#include <algorithm>

namespace apr {
namespace {

/// The stacked values of a carry as each step found it; kNoValue where the scan does not keep them.
ValueId enteringCarries(const Op &scan, size_t carry) {
  const ScanParts parts(scan);
  const Graph &region = *scan.region;
  for (size_t i = parts.carries; i < region.results.size(); ++i)
    if (region.results[i] == region.arguments()[carry])
      return scan.results[i];
  return kNoValue;
}

/// Yields the carries that enter a step as outputs too, where all steps' fit in memory at all.
void yieldEnteringCarries(Graph &region, size_t carries, const Dim &length) {
  const std::vector<ValueId> yielded = region.results;
  for (size_t k = 0; k < carries; ++k) {
    const ValueId carry = region.arguments()[k];
    const bool isYielded =
        std::find(yielded.begin() + std::ptrdiff_t(carries), yielded.end(), carry) != yielded.end();
    if (!isYielded && canExist(stackedType(length, region.type(carry))))
      region.results.push_back(carry);
  }
}

/// Builds the derivative of one scan.
class ScanGradient {
public:
  explicit ScanGradient(OpGradient &d)
      : d_(d), b_(d.b), scan_(d.op), parts_(d.op), region_(*d.op.region),
        step_(std::make_shared<Graph>()), stepBuilder_(*step_) {}

  void run() {
    for (size_t k = 0; k < parts_.carries; ++k)
      if (enteringCarries(scan_, k) == kNoValue)
        return d_.refuse("its carries at every step together are too large to keep");
    findActiveCarries();
    declareArguments();
    if (!buildStep())
      return d_.abandon();
    giveResults();
  }

private:
  bool flows(size_t operand, size_t result) {
    return d_.walk.flow.flows(b_.graph(), scan_, operand, result);
  }

  /// A carry is active where a wanted operand gets to it in some step and it to an active result.
  void findActiveCarries() {
    for (size_t k = 0; k < parts_.carries; ++k) {
      bool isReached = false, reaches = false;
      for (size_t i = 0; i < scan_.operands.size(); ++i)
        isReached = isReached || (d_.wants(i) && flows(i, k));
      for (size_t r = 0; r < scan_.results.size(); ++r)
        reaches = reaches || (d_.gradients[r] != kNoValue && flows(k, r));
      if (isReached && reaches)
        activeCarries_.push_back(k);
    }
    for (size_t i = parts_.firstCaptured(); i < scan_.operands.size(); ++i)
      if (d_.wants(i))
        wantedCaptured_.push_back(i);
    for (size_t i = parts_.carries; i < parts_.firstCaptured(); ++i)
      if (d_.wants(i))
        wantedInputs_.push_back(i);
  }

  ValueId addStepArgument(const Type &type, const std::string &name) {
    return step_->addArgument(type, name, scan_.location);
  }

  /// The derivative of a region's value in the step, as an argument.
  ValueId addGradientArgument(ValueId v) {
    const std::string &name = region_.value(v).name;
    return addStepArgument(region_.type(v), name.empty() ? name : "d." + name);
  }

  void declareArguments() {
    for (size_t k : activeCarries_) {
      const ValueId last = d_.gradients[k];
      operands_.carries.push_back(last != kNoValue ? last : d_.splat(scan_.operands[k], 0));
      carryGradients_.push_back(addGradientArgument(region_.results[k]));
    }
    for (size_t i : wantedCaptured_) {
      operands_.carries.push_back(d_.splat(scan_.operands[i], 0));
      sums_.push_back(addGradientArgument(region_.arguments()[i]));
    }
    for (size_t i = 0; i < scan_.operands.size(); ++i) {
      if (i == parts_.firstCaptured())
        declareOutputGradients();
      const ValueId argument = region_.arguments()[i];
      own_.push_back(addStepArgument(region_.type(argument), region_.value(argument).name));
      if (parts_.isCarry(i))
        operands_.inputs.push_back(enteringCarries(scan_, i));
      else
        (parts_.isInput(i) ? operands_.inputs : operands_.captured).push_back(scan_.operands[i]);
    }
    if (parts_.captured == 0)
      declareOutputGradients();
  }

  void declareOutputGradients() {
    for (size_t r = parts_.carries; r < scan_.results.size(); ++r) {
      if (d_.gradients[r] == kNoValue)
        continue;
      operands_.inputs.push_back(d_.gradients[r]);
      outputGradients_.push_back({r, addGradientArgument(region_.results[r])});
    }
  }

  bool buildStep() {
    const std::vector<ValueId> yielded = inlineGraph(stepBuilder_, region_, own_);
    std::vector<GradientSeed> seeds;
    for (size_t n = 0; n < activeCarries_.size(); ++n)
      seeds.push_back({yielded[activeCarries_[n]], carryGradients_[n]});
    for (const auto &[result, gradient] : outputGradients_)
      seeds.push_back({yielded[result], gradient});
    std::vector<ValueId> by;
    for (const auto *operands : {&activeCarries_, &wantedCaptured_, &wantedInputs_})
      for (size_t i : *operands)
        by.push_back(own_[i]);
    auto gradients = buildGradients(stepBuilder_, seeds, by, d_.walk.location, d_.walk.diagnostics);
    if (!gradients)
      return false;
    yieldGradients(*gradients);
    return true;
  }

  void yieldGradients(const std::vector<ValueId> &gradients) {
    const size_t captured = activeCarries_.size(), inputs = captured + sums_.size();
    auto &results = step_->results;
    results.assign(gradients.begin(), gradients.begin() + std::ptrdiff_t(captured));
    stepBuilder_.at(scan_.location);
    for (size_t n = 0; n < sums_.size(); ++n)
      results.push_back(stepBuilder_.add(sums_[n], gradients[captured + n]));
    results.insert(results.end(), gradients.begin() + std::ptrdiff_t(inputs), gradients.end());
  }

  void giveResults() {
    const ScanDirection direction =
        parts_.isBackwards ? ScanDirection::Forwards : ScanDirection::Backwards;
    if (step_->results.empty())
      return;
    yieldEnteringCarries(*step_, operands_.carries.size(), parts_.length);
    auto results = createScan(b_, operands_, parts_.length, direction, step_);
    size_t next = 0;
    for (const auto *operands : {&activeCarries_, &wantedCaptured_, &wantedInputs_})
      for (size_t i : *operands)
        d_.give(i, [&, at = next++] { return results[at]; });
  }

  OpGradient &d_;
  Builder &b_;
  const Op &scan_;
  const ScanParts parts_;
  const Graph &region_;
  std::shared_ptr<Graph> step_;
  Builder stepBuilder_;
  ScanOperands operands_;
  std::vector<size_t> activeCarries_, wantedCaptured_, wantedInputs_; ///< indices of operands
  std::vector<ValueId> own_;            ///< in the step: the scan's region's arguments
  std::vector<ValueId> carryGradients_; ///< in the step: by the carries that it yields
  std::vector<ValueId> sums_;           ///< in the step: of the captured values
  std::vector<std::pair<size_t, ValueId>> outputGradients_; ///< result, value in the step
};

/// The same scan with the entering carries as outputs.
void replaceScan(const Op &op, GraphRewriter &rewriter) {
  const ScanParts parts(op);
  auto region = std::make_shared<Graph>(*op.region);
  yieldEnteringCarries(*region, parts.carries, parts.length);
  auto results = rebuildScan(
      rewriter.builder(), op, [&](size_t i) { return rewriter(op.operands[i]); }, region);
  for (size_t i = 0; i < op.results.size(); ++i) {
    rewriter.builder().graph().value(results[i]) = rewriter.source().value(op.results[i]);
    rewriter.map(op.results[i], results[i]);
  }
}

} // namespace

void gradScan(OpGradient &d) { ScanGradient(d).run(); }

Graph keepEnteringCarries(const Graph &graph) {
  return rewriteGraph(graph, [](const Op &op, GraphRewriter &rewriter) {
    if (op.kind != OpKind::Scan)
      return false;
    replaceScan(op, rewriter);
    return true;
  });
}

} // namespace apr
