// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/op.h"

#include <deque>
#include <stdexcept>

namespace apr {

/// A bug of the compiler, not of its input: caught by the tools, exit code 70.
struct InternalError : std::logic_error {
  using std::logic_error::logic_error;
};

/// Index of a value in its graph, dense from 0.
using ValueId = uint32_t;
inline constexpr ValueId kNoValue = 0xffffffff;

/// Where plan-buffers put a value: a byte offset in one of the blocks of a call.
enum class BufferSpace : uint8_t { Workspace, State, Input, Result, Gradient, Hyper, Constant };
struct BufferSlot {
  BufferSpace space = BufferSpace::Workspace;
  uint32_t index = 0; ///< which input or result; 0 for the other spaces
  Dim offset;         ///< bytes; a multiple of 64 in workspace, state and gradient block
  friend bool operator==(const BufferSlot &, const BufferSlot &) = default;
};

struct Value {
  Type type;
  std::string name; ///< source name; may be empty or shared, the printer makes it unique
  Location location;
  std::optional<BufferSlot> buffer;
};

class Graph;

struct Op {
  OpKind kind;
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  Attributes attributes;
  Location location;
  std::shared_ptr<const Graph> region; ///< Kernel, Scan, WithGradient; shared, never changed

  ValueId result() const { return results.front(); }
};

/// SSA dataflow: ops in an order in which every operand is defined before its use.
///
/// Passes walk a graph and build a new one (ir/rewrite.h) rather than edit in place.
class Graph {
public:
  ValueId addArgument(Type type, std::string name = {}, Location location = {});
  /// Appends an op whose result types are known to be right; returns its index in ops().
  size_t addOp(OpKind kind, std::vector<ValueId> operands, Attributes attributes,
               std::vector<Type> resultTypes, Location location = {},
               std::shared_ptr<const Graph> region = nullptr);

  const std::deque<Value> &values() const { return values_; }
  /// References to values and ops stay valid while others are added.
  const Value &value(ValueId id) const { return values_[id]; }
  Value &value(ValueId id) { return values_[id]; }
  const Type &type(ValueId id) const { return values_[id].type; }
  const std::deque<Op> &ops() const { return ops_; }
  Op &op(size_t index) { return ops_[index]; }
  const std::vector<ValueId> &arguments() const { return arguments_; }
  /// The op that defines a value; null for arguments.
  const Op *definition(ValueId id) const;
  /// Index of that op; empty for arguments.
  std::optional<size_t> definitionIndex(ValueId id) const;

  std::vector<ValueId> results; ///< the values a function returns or a region yields

  /// Number of uses per value: operands and results, regions not looked into.
  std::vector<uint32_t> useCounts() const;

private:
  // Deques, so that what a builder was told of a value or op stays where it is while it adds
  // others.
  std::deque<Value> values_;
  std::vector<uint32_t> definitions_; ///< op index per value; kNoOp for arguments
  std::deque<Op> ops_;
  std::vector<ValueId> arguments_;
};

enum class ArgumentRole : uint8_t {
  Input,    ///< an argument of the entry point
  State,    ///< the old value of a state tensor
  Hyper,    ///< a hyperparameter: f64 or i32 scalar
  Gradient, ///< a tensor of the gradient block (apply)
  Exec,     ///< from the execution context: row_offset, i64 scalar
};

struct Argument {
  ArgumentRole role = ArgumentRole::Input;
  std::string name;              ///< of the input, state tensor, hyperparameter …
  std::optional<Dim> indexLimit; ///< inputs: checked at the entry to lie in [0, limit)
};

enum class ResultRole : uint8_t {
  Result,   ///< handed to the caller
  Gradient, ///< a tensor of the gradient block (grad)
  Update,   ///< the new value of a state tensor
};

/// How a caller aggregates a result over batches.
enum class ResultKind : uint8_t {
  Tensor, ///< not at all
  Scalar, ///< one value: the mean over the rows of all batches
  Rows,   ///< one value per row of the batch: their mean
  Sum,    ///< counts, of any shape: they add up
  Ratio,  ///< a sum and a count, [2]: both add up, and their quotient is the figure
};

struct FunctionResult {
  ResultRole role = ResultRole::Result;
  std::string name;
  ResultKind kind = ResultKind::Tensor;
};

/// A condition on open dims that an entry point checks before anything else.
struct DimCheck {
  enum class Kind : uint8_t { NonNegative, Zero };
  Kind kind = Kind::NonNegative;
  Dim value;
  std::string message; ///< what does not hold, for status texts
  Location location;
};

enum class FunctionKind : uint8_t { Entry, Init, Step, Grad, Apply, Eval };

/// How a batch divides: into `count` equal ranges of the rows that the dim variable `rows` counts.
struct Shards {
  int64_t count = 1;
  std::string rows;
};

/// An entry point: a pure function of inputs, state, hyperparameters; updates are results.
struct Function {
  std::string name; ///< "predict", "step", "step.grad", "init"
  FunctionKind kind = FunctionKind::Entry;
  std::string trainBlock; ///< of Step, Grad, Apply, Eval
  /// Of a Grad that computes one part of a batch: what the parts give adds up to the step's.
  std::optional<Shards> shards;
  std::string doc;
  Location location;
  std::vector<std::string> dims;       ///< open dims in the order of the C arguments
  std::vector<Argument> arguments;     ///< parallel to graph.arguments()
  std::vector<FunctionResult> results; ///< parallel to graph.results
  std::vector<DimCheck> checks;
  Graph graph;
  std::optional<Dim> workspaceBytes; ///< after plan-buffers
};

enum class StateRole : uint8_t { Parameter, Buffer, Optimizer, Counter };

struct StateTensor {
  std::string name; ///< dotted: "fc1.weight"
  Type type;        ///< constant dims
  StateRole role = StateRole::Parameter;
  std::string doc;
  Location location;
};

struct Hyperparameter {
  std::string name;         ///< dotted: "step.lr"
  DType dtype = DType::F64; ///< F64 or I32
  double defaultValue = 0;
  std::string doc;
  Location location;
};

/// A model: entry points over shared named state.
struct Module {
  std::string name;
  std::string doc;
  std::vector<StateTensor> state; ///< in declaration order, which is also the layout order
  std::vector<Hyperparameter> hypers;
  std::vector<std::string> trainBlocks;
  std::vector<Function> functions;

  const Function *findFunction(std::string_view name) const;
  const StateTensor *findState(std::string_view name) const;
  const Hyperparameter *findHyper(std::string_view name) const;
};

} // namespace apr
