// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/graph_generator/graph_grower.h"

namespace apr::fuzz {

/// Makes one function of a module around a random graph: arguments of all roles, as they are
/// needed, losses and gradients, results and updates of state.
class FunctionMaker {
public:
  struct Signature {
    std::string name;
    FunctionKind kind = FunctionKind::Entry;
    std::string trainBlock;
  };
  FunctionMaker(Module &module, Random &random, const Style &style, Signature signature);
  FunctionMaker(const FunctionMaker &) = delete;

  GraphGrower &grower() { return grower_; }

  /// Arguments that gradients are asked by; of a grad they are parameters.
  void addParameters();
  /// A scalar that depends on the given values, where derivatives flow through them, and on others.
  ValueId addLoss(const std::vector<ValueId> &from);
  /// The derivatives of a loss by all parameters that it may depend on.
  std::vector<ValueId> addGradient(ValueId loss);
  /// What a grad hands to its apply.
  void addGradientResults(const std::vector<ValueId> &gradients);
  void addResult(const std::string &name, ValueId value, ResultKind kind);
  /// Most values that nothing reads, and some others.
  void addResults();
  /// New values of some state tensors.
  void addUpdates();
  /// The arguments, ops and updates of an apply for what `grad` hands over.
  void addOptimizer(const Function &grad);
  /// Appends the function to the module.
  void finish();

private:
  ValueId addArgument(const Type &type, ArgumentRole role, const std::string &name, Flow flow);
  std::optional<ValueId> drawArgument(const Type &type);
  ValueId addState(const Type &type, StateRole role, Flow flow);
  ValueId stateArgument(const std::string &name);
  ValueId hyper(const Type &type, double value);
  std::vector<ValueId> randomKey();
  ValueId descend(ValueId parameter, ValueId gradient);
  void sortArguments();

  Module &module_;
  Random &random_;
  const Style &style_;
  Function function_;
  GraphGrower grower_;
  std::vector<ValueId> parameters_;
};

} // namespace apr::fuzz
