// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"
#include "ir/diagnostics.h"
#include "passes/autodiff/gradient_flow.h"

#include <functional>

namespace apr {

/// What a gradient rule sees: an op, the derivative of the loss by its result, and a builder.
///
/// A rule gives each operand that is wanted its contribution: the derivative by the result times
/// the derivative of the result by the operand. It builds ops only, so that derivatives of
/// derivatives, fusion and printing work as for any other op.
class OpGradient {
public:
  /// What rules of ops with regions need of the walk that asks them.
  struct Walk {
    GradientFlow &flow;
    Location location; ///< where the gradient is asked for
    Diagnostics &diagnostics;
  };
  OpGradient(Builder &builder, Op op, std::vector<ValueId> gradients, std::vector<bool> wanted,
             Walk walk)
      : b(builder), op(std::move(op)), gradients(std::move(gradients)), g(this->gradients.front()),
        walk(walk), wanted_(std::move(wanted)) {}

  Builder &b;
  const Op op; ///< a copy: building ops moves the graph's own
  /// The derivative of the loss by each result; kNoValue where it is zero or nothing wants it.
  const std::vector<ValueId> gradients;
  const ValueId g; ///< that by the first result
  const Walk walk;

  ValueId x() const { return op.operands[0]; }
  ValueId y() const { return op.operands[1]; }
  ValueId z() const { return op.operands[2]; }
  ValueId result() const { return op.result(); }
  const Type &type(ValueId v) const { return b.type(v); }

  /// True where the operand lies between the differentiated values and the loss.
  bool wants(size_t operand) const { return wanted_[operand]; }
  /// Adds the contribution that `build` makes, where it is wanted.
  void give(size_t operand, const std::function<ValueId()> &build);
  /// A constant of the type of `like`.
  ValueId splat(ValueId like, double value) { return b.splat(type(like), value); }

  /// Says that the op has no derivative, and why; the walk reports it.
  void refuse(std::string reason) { refusal_ = std::move(reason); }
  /// Says that an op inside the op's region was refused, which is reported already.
  void abandon() { isBroken_ = true; }

  struct Contribution {
    size_t operand;
    ValueId value;
  };
  const std::vector<Contribution> &contributions() const { return contributions_; }
  const std::string &refusal() const { return refusal_; }
  bool isBroken() const { return isBroken_; }

private:
  std::vector<bool> wanted_;
  std::vector<Contribution> contributions_;
  std::string refusal_;
  bool isBroken_ = false;
};

/// Runs the rule of the op's kind.
void applyGradientRule(OpGradient &gradient);

/// True for floats, and for bf16: a path may lead through it, where the conversion's rule refuses
/// it aloud.
bool carriesGradient(DType dtype);

/// True where no derivative flows from the operand to the result: either is not a float, or the
/// op's derivative is zero by definition. Such a place ends a path.
bool cutsGradient(const Graph &graph, const Op &op, size_t operand);

} // namespace apr
