// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/ast.h"
#include "ir/frontend/rational.h"
#include "ir/graph.h"

#include <map>
#include <memory>
#include <variant>

namespace apr::frontend {

/// What an expression stands for while a model is elaborated. Functions are inlined, so a value is
/// either known to the compiler (numbers, dims, functions, instances, …) or a tensor of the graph
/// that is being built.

struct Builtin;
struct Instance;
struct Scope;
struct TestModel;
struct Value;
class FunctionContext;

/// Something that has been reported already; using it is silent.
struct PoisonValue {};
struct NoneValue {};

/// An exact constant. Infinity is the only number without a rational.
struct NumberValue {
  enum class Kind : uint8_t { Finite, Infinity, NegativeInfinity };
  Rational value;
  Kind kind = Kind::Finite;
};
/// An integer that depends on open dims.
struct DimValue {
  Dim dim;
};
struct BoolValue {
  bool value;
};
struct StringValue {
  std::string text;
};
struct DTypeValue {
  DType dtype;
};
struct OrderValue {
  Order order;
};

/// Where a scalar is the mean of one value per row of the batch: those values, rank 1.
struct RowForm {
  enum class Kind : uint8_t { Sum, Mean };
  Kind kind = Kind::Mean;
  ValueId terms = kNoValue; ///< Sum: the summed tensor; Mean: one value per row
};

/// A value of a graph. A *weak* one is a scalar made of hyperparameters, step counters and
/// constants alone: it is kept in f64 (or as an integer) and converted once, where it meets another
/// tensor.
struct TensorValue {
  ValueId id = kNoValue;
  FunctionContext *owner = nullptr;
  Type type;
  bool isWeak = false;
  std::optional<RowForm> rows;
};

/// A state tensor, read or written by name: an index into the elaborator's list.
struct StateValue {
  uint32_t index;
  bool isWeak = false;
};
struct HyperValue {
  uint32_t index;
};

struct TupleValue {
  std::vector<Value> elements;
  std::vector<std::string> names; ///< empty, or one per element; a name may be empty
};
struct ListValue {
  std::vector<Value> elements;
};

/// A function and the scope it was defined in.
struct FunctionValue {
  const FunctionDecl *declaration = nullptr;
  Scope *scope = nullptr;
  Instance *instance = nullptr; ///< the instance whose member it is, or null
};
/// Functions of one name; one in most cases.
struct FunctionsValue {
  std::string name;
  std::vector<FunctionValue> overloads;
};
struct BuiltinValue {
  const Builtin *builtin;
};
struct LayerValue {
  const Layer *declaration;
  Scope *scope;
};
struct OptimizerValue {
  const Optimizer *declaration;
  Scope *scope;
};
struct InstanceValue {
  Instance *instance;
};
/// Callables applied one after another; parts may have names.
struct ChainValue {
  std::vector<Value> parts;
  std::vector<std::string> names;
};
/// Tensors by parameter: what gradients are, and parameters in arithmetic.
struct BundleValue {
  std::vector<std::pair<uint32_t, Value>> leaves; ///< state index, tensor; ascending
};

/// A model that a test has made, or a member of one: "net.0".
struct TestModelValue {
  TestModel *model;
  std::string path;
};

struct Value {
  std::variant<PoisonValue, NoneValue, NumberValue, DimValue, BoolValue, StringValue, DTypeValue,
               OrderValue, TensorValue, StateValue, HyperValue, TupleValue, ListValue,
               FunctionsValue, BuiltinValue, LayerValue, OptimizerValue, InstanceValue, ChainValue,
               BundleValue, TestModelValue>
      content;

  Value() = default;
  template <typename T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Value>)
  Value(T &&content) : content(std::forward<T>(content)) {}

  template <typename T> const T *as() const { return std::get_if<T>(&content); }
  template <typename T> T *as() { return std::get_if<T>(&content); }
  template <typename T> bool is() const { return std::holds_alternative<T>(content); }
};

/// Names and what they stand for, inside an outer scope.
struct Scope {
  Scope *parent = nullptr;
  std::map<std::string, Value, std::less<>> names;
  FunctionContext *context = nullptr; ///< in whose graph the names' tensors are made

  Value *findHere(std::string_view name);
  /// In this scope or the nearest one around it.
  Value *find(std::string_view name);
  /// The scope that has the name, or null.
  Scope *findHolder(std::string_view name);
};

/// A layer or model that was constructed: its dotted name, its members, its own call.
struct Instance {
  const Layer *declaration = nullptr;
  std::string path; ///< "" for the model
  Location location;
  Scope *scope = nullptr; ///< sees all members
  std::map<std::string, Value, std::less<>> members;
  std::vector<FunctionValue> calls;
  std::vector<Value> given; ///< the arguments of its constructor
};

/// True for what acts as a bundle in arithmetic: bundles, instances and chains of such.
inline bool isBundleLike(const Value &value) {
  return value.is<BundleValue>() || value.is<InstanceValue>() || value.is<ChainValue>();
}

/// "a number", "f32[B,64]", "a function": how messages call a value.
std::string describe(const Value &value);

/// "a.b", or just the one that is not empty.
std::string dotted(std::string_view prefix, std::string_view name);

} // namespace apr::frontend
