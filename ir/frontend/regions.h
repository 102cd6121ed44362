// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/function_context.h"

namespace apr::frontend {

/// The region of an op while its body is elaborated: a graph of its own inside that of `outer`,
/// which may be a region too.
///
/// The body sees everything around it. A value of an enclosing graph becomes an argument of the
/// region when it is first used, and so do state, hyperparameters and the row offset; checks of
/// dims and names of random streams are those of the whole function.
class Region final : public FunctionContext {
public:
  /// `length`: where the region is run once for each step of a scan, the number of steps.
  Region(FunctionContext &outer, std::optional<Dim> length);

  /// How deep regions may nest: less than IR text allows, as kernels are regions, too.
  static constexpr size_t kMaximumDepth = 12;
  /// The regions around the ops of a context, its own included.
  static size_t depthOf(FunctionContext &context);

  Region *asRegion() override { return this; }
  FunctionContext &outer() { return outer_; }
  FunctionContext &root() override { return outer_.root(); }
  const std::optional<Dim> &length() const { return length_; }

  /// An argument that the op itself defines; these come first, in the order of the calls.
  ValueId addArgument(const Type &type, std::string name, Location location);
  /// The slice at the current step of `stack`, a value of `outer` that the scan reads like its own
  /// inputs.
  ValueId addInput(ValueId stack);
  /// The value that stands in the region for one of `outer`.
  ValueId capture(ValueId value);

  /// The region as the op takes it: arguments are the op's own, then inputs, then captured ones.
  /// What no result needs is left out.
  struct Finished {
    std::shared_ptr<const Graph> graph;
    std::vector<ValueId> inputs;   ///< values of `outer`
    std::vector<ValueId> captured; ///< values of `outer`
  };
  Finished complete(const std::vector<ValueId> &results);

  void addCheck(DimCheck::Kind kind, Dim value, std::string message, Location location) override;
  void addDim(std::string_view name) override;
  ValueId stateValue(uint32_t index) override { return capture(outer_.stateValue(index)); }
  ValueId stateArgument(uint32_t index) override { return capture(outer_.stateArgument(index)); }
  ValueId hyper(uint32_t index) override { return capture(outer_.hyper(index)); }
  ValueId rowOffset() override { return capture(outer_.rowOffset()); }
  std::optional<ValueId> import(const FunctionContext &from, ValueId value) override;

private:
  /// An argument that stands for a value of `outer`.
  struct Binding {
    ValueId outer;
    ValueId argument;
  };
  ValueId addBinding(ValueId value, Type type, std::vector<Binding> &bindings);

  FunctionContext &outer_;
  const std::optional<Dim> length_;
  std::vector<ValueId> own_;
  std::vector<Binding> inputs_;
  std::vector<Binding> captured_;
  std::map<ValueId, ValueId> known_; ///< what stands here for a value of `outer`
};

} // namespace apr::frontend
