// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"
#include "ir/frontend/value.h"

namespace apr::frontend {

class Region;

/// A state tensor that the elaborator has met.
struct StateEntry {
  StateTensor tensor;
  bool isFrozen = false;
  // How init makes the start value: the expression and the scope that it stands in.
  const Expr *start = nullptr;
  Scope *scope = nullptr;
  DType real = DType::F32;
  Location typeLocation;
};

/// What the elaborator found out about the model as a whole.
struct ModelTables {
  std::vector<StateEntry> states;
  std::vector<Hyperparameter> hypers;

  std::optional<uint32_t> findState(std::string_view name) const;
};

/// One function of the module while its body is elaborated: arguments appear when they are first
/// needed, and `finish` puts them into the order of the signature.
class FunctionContext {
public:
  /// What the function is for; it decides what its body may do.
  enum class Purpose : uint8_t {
    Members, ///< compile-time members of instances: no graph comes of it
    Init,
    Entry,
    Grad,
    Apply,
    Eval,
    Test,
  };

  FunctionContext(Purpose purpose, Function function, const ModelTables &tables);
  FunctionContext(const FunctionContext &) = delete;
  FunctionContext &operator=(const FunctionContext &) = delete;
  virtual ~FunctionContext() = default;

  const Purpose purpose;
  /// Name, dims, checks and documentation; the graph grows by the builder.
  Function function;
  Builder builder;

  bool isTraining() const { return purpose == Purpose::Grad; }
  /// `after` statements run in an apply that may write parameters and buffers.
  bool isAfter = false;
  bool canWrite() const { return purpose == Purpose::Grad || isAfter; }
  /// A size as a number: of the whole batch where the function computes a part of it, whose rows
  /// the dim counts.
  Dim wholeSize(const Dim &dim) const;
  Graph &graph() { return function.graph; }
  const ModelTables &tables() const { return tables_; }
  /// The region of an op, where this is not a whole function (regions.h).
  virtual Region *asRegion() { return nullptr; }
  /// The function whose graph all enclosing regions lie in.
  virtual FunctionContext &root() { return *this; }

  ValueId addInput(std::string name, Type type, Location location);
  ValueId addGradientArgument(std::string name, Type type, Location location);
  void addResult(ValueId value, ResultRole role, std::string name, ResultKind kind);
  virtual void addCheck(DimCheck::Kind kind, Dim value, std::string message, Location location);
  virtual void addDim(std::string_view name);

  /// The value a state tensor has here: what was written last, else its argument.
  virtual ValueId stateValue(uint32_t index);
  /// The state tensor's argument, whatever was written.
  virtual ValueId stateArgument(uint32_t index);
  void writeState(uint32_t index, ValueId value) { stateValues_[index] = value; }
  const std::map<uint32_t, ValueId> &writtenStates() const { return stateValues_; }

  /// A hyperparameter; in init its default, as init takes none.
  virtual ValueId hyper(uint32_t index);
  /// The row offset of the execution context.
  virtual ValueId rowOffset();

  /// `name`, or `name#2`, … where the stream has been drawn from before.
  std::string uniqueStream(const std::string &name);
  /// How often each stream was drawn from; a body that is elaborated on trial puts it back.
  const std::map<std::string, uint32_t> &drawnStreams() const { return streams_; }
  void setDrawnStreams(std::map<std::string, uint32_t> drawn) { streams_ = std::move(drawn); }

  /// The value that stands here for a weak scalar of another function: its ops are copied. Empty
  /// where it depends on anything but hyperparameters, constants and step counters.
  virtual std::optional<ValueId> import(const FunctionContext &from, ValueId value);

  /// Drops what no result needs, orders the arguments and sets the limits of index inputs.
  Function finish();

private:
  const ModelTables &tables_;
  std::map<uint32_t, ValueId> stateArguments_;
  std::map<uint32_t, ValueId> stateValues_;
  std::map<uint32_t, ValueId> hyperArguments_;
  std::optional<ValueId> rowOffset_;
  std::map<std::string, uint32_t> streams_;
  std::map<std::pair<const FunctionContext *, ValueId>, ValueId> imported_;
};

} // namespace apr::frontend
