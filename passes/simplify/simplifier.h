// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"

namespace apr {

/// An op that is about to be built.
struct Candidate {
  OpKind kind;
  std::vector<ValueId> operands;
  Attributes attributes;
  Type type; ///< of its result

  ValueId x() const { return operands[0]; }
  ValueId y() const { return operands[1]; }
  ValueId z() const { return operands[2]; }
};

/// How many rules may follow from one another, so that no input makes the walk deep or slow.
inline constexpr int kMaximumSimplifications = 32;

/// Builds ops, simplified: the rules see the graph built so far.
class Simplifier {
public:
  explicit Simplifier(Builder &builder) : b_(builder) {}

  /// A value equal to the candidate's result: an existing one, or that of simpler ops; empty where
  /// no rule applies.
  std::optional<ValueId> simplify(const Candidate &candidate);
  /// The same, building the candidate where no rule applies.
  ValueId make(Candidate candidate);
  ValueId make(OpKind kind, std::vector<ValueId> operands, const Type &type) {
    return make({kind, std::move(operands), {}, type});
  }

  // Predicates and accessors over the graph built so far, for rules.
  const Type &type(ValueId v) const { return b_.type(v); }
  /// The op that defines the value, where it is of this kind. Valid until the next op is built.
  const Op *definedBy(ValueId v, OpKind kind) const;
  /// The one element of a constant that is the same everywhere.
  const Literal *splatOf(ValueId v) const;
  /// True for a constant that is this number everywhere; tells -0.0 from 0.0.
  bool isNumber(ValueId v, double value) const;
  ValueId splat(const Type &type, double value) { return b_.splat(type, value); }
  ValueId constant(const Type &type, Literal element) {
    return b_.constant(type, std::move(element));
  }

private:
  Builder &b_;
  int depth_ = 0; ///< calls of make() that are under way
};

// The rules, by what they look at. Each returns a value equal to the candidate's, or nothing.
std::optional<ValueId> simplifyArithmetic(Simplifier &s, const Candidate &c);
std::optional<ValueId> simplifyLogic(Simplifier &s, const Candidate &c);
std::optional<ValueId> simplifyConversion(Simplifier &s, const Candidate &c);
std::optional<ValueId> simplifyMovement(Simplifier &s, const Candidate &c);
std::optional<ValueId> simplifyReduction(Simplifier &s, const Candidate &c);
std::optional<ValueId> hoistOverMovement(Simplifier &s, const Candidate &c);

} // namespace apr
