// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/frontend/function_context.h"

#include <deque>
#include <functional>
#include <set>

namespace apr::frontend {

/// Thrown after an error was reported; caught where the next statement can still be checked.
struct Failed {};

/// What the place of an expression asks of its value, as far as it is known: it gives `zeros()` its
/// shape and a list its dtype.
struct Expected {
  std::optional<Type> type;
  std::optional<DType> dtype;
  std::vector<Expected> elements; ///< of a tuple
};

/// An argument of a call: not evaluated yet, or (`value`) already known.
struct CallArgument {
  std::string name;
  Location location;
  const Expr *expr = nullptr;
  Scope *scope = nullptr;
  std::optional<Value> value;
};

/// The arguments of a builtin, by its parameters.
struct BuiltinCall {
  const Builtin &builtin;
  Location location;
  std::vector<std::optional<Value>> values; ///< one per parameter
  std::vector<Location> locations;
  std::vector<CallArgument> rest; ///< further positional and named ones of a variadic builtin
  const Expected *expected = nullptr;

  bool has(size_t index) const { return values[index].has_value(); }
};

class Elaborator;
struct AxisGroup;
class TestHost;

/// A primitive of the language; builtins.cpp has the table.
struct Builtin {
  enum class Arity : uint8_t { Fixed, Variadic };
  std::string_view name;
  std::vector<std::string_view> parameters; ///< a '?' ends the name of an optional one
  Value (Elaborator::*evaluate)(BuiltinCall &);
  Arity arity = Arity::Fixed;
  OpKind op = OpKind::Neg; ///< of element-wise builtins
};

/// Where the variables of one signature get their meaning.
struct Signature {
  std::string name;  ///< of the function, for messages
  Scope *scope;      ///< parameters and variables
  Scope *definition; ///< names that are there are no variables
  Location call;
  /// Entries: a free variable is a new open dim.
  enum class Free : uint8_t { Infer, OpenDims } free = Free::Infer;
  struct Deferred {
    const DimExpr *expr;
    Dim actual;
    Location location;
    std::string what;
  };
  std::vector<Deferred> deferred; ///< dims to compare when all variables are bound
  /// Where the variables got their values, for messages.
  std::map<std::string, Location, std::less<>> boundAt;
  const Instance *instance = nullptr; ///< whose call it is, for messages
};

/// Evaluates a program: compile-time values by value, tensors by building the graph of the current
/// function. The model's walk (model_elaborator.h) drives it.
class Elaborator {
public:
  Elaborator(const SourceManager &sources, Diagnostics &diagnostics, ModelTables &tables);

  // ---- the current function and the dynamic part of the environment ----
  FunctionContext &context() { return *context_; }
  void setContext(FunctionContext *context) { context_ = context; }
  ModelTables &tables() { return tables_; }
  Scope *newScope(Scope *parent);
  DType real() const { return real_; }

  /// Builds in the graph of another context, a region say, as long as it lives.
  class ContextSwitch;

  /// Restores what a call changes.
  struct Dynamic {
    bool training = false;
    DType real = DType::F32;
    Instance *instance = nullptr;
    std::vector<std::string> bindings; ///< names being bound inside the instance
  };
  Dynamic dynamic() const { return {training_, real_, instance_, bindings_}; }
  void setDynamic(Dynamic dynamic);

  // ---- errors ----
  [[noreturn]] void fail(DiagnosticKind kind, Location location, std::string message,
                         std::string hint = {}, std::vector<DiagnosticNote> notes = {});
  void report(DiagnosticKind kind, Location location, std::string message, std::string hint = {},
              std::vector<DiagnosticNote> notes = {});
  /// Counts a step of work and a level of nesting; fails past the bounds.
  class Guard;

  // ---- expressions (evaluate.cpp) ----
  Value evaluate(const Expr &expr, Scope &scope, const Expected *expected = nullptr);
  Value evaluateBody(const Body &body, Scope &scope, const Expected *expected);
  /// Runs the statements in a new scope; the value is that of a last expression.
  Value evaluateBlock(const Block &block, Scope &scope, const Expected *expected);
  /// The same in this very scope.
  Value evaluateStatements(const Block &block, Scope &scope, const Expected *expected);
  void bindPattern(const Pattern &pattern, const Value &value, Scope &scope, Location location);
  Value lookUp(const std::string &name, Scope &scope, Location location);
  void assign(const Expr &target, const Value &value, Scope &scope);
  /// Runs one statement that has no meaning outside functions; the hook takes train statements.
  void execute(const Stmt &stmt, Scope &scope);
  using StatementHook = std::function<bool(const Stmt &, Scope &)>;
  void setStatementHook(StatementHook hook) { hook_ = std::move(hook); }
  /// In tests: who makes layers and models and calls the latter.
  void setTestHost(TestHost *host) { testHost_ = host; }

  // ---- compile-time values ----
  bool requireBool(const Value &value, Location location, std::string_view what);
  int64_t requireInt(const Value &value, Location location, std::string_view what);
  Dim requireDim(const Value &value, Location location, std::string_view what);
  std::vector<int64_t> requireAxes(const Value &value, size_t rank, Location location);
  /// One axis, counted from the end where it is negative.
  size_t requireAxis(const Value &value, size_t rank, Location location);
  Shape requireShape(const Value &value, Location location);
  /// Refuses what is below 0 in a call on `x`; what may be is checked at the entry point.
  void requireNonNegative(const Dim &value, const BuiltinCall &call, const TensorValue &x,
                          const std::string &message, Location location);
  static std::optional<int64_t> asInt(const Value &value);
  static std::optional<Dim> asDim(const Value &value);

  // ---- tensors (operators.cpp) ----
  /// State and hyperparameters as values of the current graph; other values as they are.
  Value read(const Value &value, Location location);
  Value snapshot(const Value &value, Location location);
  /// A tensor of the current graph; numbers and weak scalars take the dtype. Fails for the rest.
  TensorValue requireTensor(const Value &value, DType dtype, Location location,
                            std::string_view what);
  /// A tensor of the current graph as it is; numbers become weak f64 scalars.
  TensorValue anyTensor(const Value &value, Location location, std::string_view what);
  /// Value of exactly this type, or an error that shows both.
  ValueId requireType(const Value &value, const Type &type, Location location,
                      std::string_view what);
  TensorValue make(ValueId id, bool isWeak = false);
  TensorValue convertTo(const TensorValue &tensor, DType dtype);
  TensorValue constantOf(const NumberValue &number, DType dtype, Location location);
  TensorValue dimTensor(const Dim &dim, DType dtype);
  TensorValue tensorOfList(const ListValue &list, DType dtype, Location location);
  Value binary(BinaryOp op, const Value &left, const Value &right, Location location,
               Location leftLocation, Location rightLocation);
  Value negate(const Value &value, Location location);
  Value logicalNot(const Value &value, Location location);
  Value matrixMultiply(const Value &left, const Value &right, Location location);
  /// Brings operands of element-wise ops to one dtype and shape.
  void unifyOperands(std::vector<TensorValue> &operands, Location location, std::string_view what);
  Value elementwise(OpKind op, std::vector<Value> operands, Location location,
                    std::string_view what, const std::vector<Location> &locations);
  std::string whereFrom(const TensorValue &tensor);
  void addOrigin(std::vector<DiagnosticNote> &notes, const TensorValue &tensor,
                 std::string_view role);

  // ---- calls (calls.cpp) ----
  Value call(const Value &callee, std::vector<CallArgument> arguments, Location location,
             const Expected *expected);
  Value callFunction(const FunctionValue &function, std::vector<CallArgument> arguments,
                     Location location, const Expected *expected);
  bool hasCalled(const FunctionDecl &function) const { return called_.contains(&function); }
  /// Pairs arguments with parameters, checks and binds them in the signature's scope.
  void bindArguments(const std::vector<Parameter> &parameters, std::vector<CallArgument> arguments,
                     Signature &signature);
  Value evaluateArgument(CallArgument &argument, const Expected *expected);

  /// A call's result with the derivative that the function declares (custom_gradient.cpp); `body`
  /// has the names that the function's body binds.
  Value withGradient(const FunctionDecl &declaration, const std::string &name, Scope &parameters,
                     Scope &body, const Value &result, Location location);

  // ---- types (types.cpp) ----
  /// Checks a value against a type, binding its variables; returns it converted where it must be.
  Value matchValue(const TypeExpr &type, const Value &value, Signature &signature,
                   Location location, const std::string &what);
  void matchTensor(const TypeExpr &type, const Type &actual, Signature &signature,
                   Location location, const std::string &what, const TensorValue *tensor = nullptr);
  /// Compares the dims that had to wait for variables.
  void checkDeferred(Signature &signature);
  /// What is known of the type now.
  Expected expectedOf(const TypeExpr &type, Signature &signature);
  /// Binds what only the result names.
  void matchExpected(const TypeExpr &type, const Expected &expected, Signature &signature);
  /// The type, all of whose dims must be known, or new open dims in an entry.
  Type resolveType(const TypeExpr &type, Signature &signature);
  std::string describeType(const TypeExpr &type, Signature &signature);
  static bool isKind(const TypeExpr &type);
  static bool isVariableName(std::string_view name);

  // ---- instances (instances.cpp) ----
  Instance *construct(const LayerValue &layer, std::vector<CallArgument> arguments,
                      Location location);
  [[noreturn]] void failUnknownArgument(const Layer &layer, const CallArgument &argument);
  Value member(const Value &object, const Name &name, Location location);
  /// The parameters and buffers of a value that names instances or parameters.
  std::vector<uint32_t> statesOf(const Value &value, Location location);
  BundleValue bundleOf(const Value &value, Location location);
  std::vector<std::string> &path() { return path_; }
  std::string currentPath() const;
  Instance *makeInstance(const Layer &layer, Scope *fileScope, std::string path, Location location);
  void declareModelState(Instance &instance, const StateMember &member);
  void elaborateMembers(Instance &instance, const std::function<bool(const Member &)> &visit);

  // ---- builtins (builtins_*.cpp) ----
  static const std::vector<Builtin> &builtins();
  static const Builtin *findBuiltin(std::string_view name);
  Value callBuiltin(const Builtin &builtin, std::vector<CallArgument> arguments, Location location,
                    const Expected *expected);
  Value builtinElementwise(BuiltinCall &call);
  Value builtinMaxMin(BuiltinCall &call);
  Value builtinWhere(BuiltinCall &call);
  Value builtinSum(BuiltinCall &call);
  Value builtinAnyAll(BuiltinCall &call);
  Value builtinArgmax(BuiltinCall &call);
  Value builtinOperands(BuiltinCall &call);
  Value builtinBitcast(BuiltinCall &call);
  Value builtinStopGradient(BuiltinCall &call);
  Value builtinReshape(BuiltinCall &call);
  Value builtinTranspose(BuiltinCall &call);
  Value builtinBroadcast(BuiltinCall &call);
  Value builtinConcat(BuiltinCall &call);
  Value builtinSplit(BuiltinCall &call);
  Value builtinUnstack(BuiltinCall &call);
  Shape reshapedShape(const Value &given, const TensorValue &x, Location location);
  Value splitBySizes(BuiltinCall &call, const TensorValue &x);
  Value builtinArrange(BuiltinCall &call);
  Value builtinIndexed(BuiltinCall &call);
  Value builtinTake(BuiltinCall &call);
  Value builtinPick(BuiltinCall &call);
  Value builtinOneHot(BuiltinCall &call);
  Value builtinIota(BuiltinCall &call);
  Value builtinConstant(BuiltinCall &call);
  Value builtinZeros(BuiltinCall &call);
  Value builtinUniform(BuiltinCall &call);
  Value builtinNormal(BuiltinCall &call);
  Value builtinBernoulli(BuiltinCall &call);
  Value builtinRandomBits(BuiltinCall &call);
  Value builtinScan(BuiltinCall &call);
  Value builtinGrad(BuiltinCall &call);
  Value builtinSize(BuiltinCall &call);
  Value builtinShape(BuiltinCall &call);
  Value builtinOrder(BuiltinCall &call);
  Value builtinChain(BuiltinCall &call);
  Value builtinRepeat(BuiltinCall &call);
  Value builtinMatmul(BuiltinCall &call);
  Value builtinRearrange(BuiltinCall &call);
  Value builtinReduce(BuiltinCall &call);
  Value builtinEinsum(BuiltinCall &call);
  Value builtinConv(BuiltinCall &call);
  Value builtinWindow(BuiltinCall &call);
  Value builtinNotAvailable(BuiltinCall &call);
  Value convertCall(DType dtype, std::vector<CallArgument> arguments, Location location);
  Value index(const IndexExpr &expr, Scope &scope, Location location);
  ValueId gradientsOf(ValueId scalar, const std::vector<ValueId> &by,
                      std::vector<ValueId> &gradients, Location location);
  /// For each value, whether a derivative of `root` by it can be other than zero.
  std::vector<bool> dependsOn(ValueId root);

private:
  friend class Guard;
  Value evaluateNode(const Expr &expr, Scope &scope, const Expected *expected);
  Value evaluateIf(const IfExpr &branch, Scope &scope, const Expected *expected);
  Value evaluateLogic(const BinaryExpr &expr, Scope &scope);
  Value evaluateCall(const CallExpr &expr, Scope &scope, Location location,
                     const Expected *expected, std::optional<CallArgument> piped);
  Value evaluateRepeat(const RepeatExpr &repeat, Scope &scope, Location location);
  Value assignedNumber(const Value &value, Location location, const std::string &name);
  void nameValues(const Pattern &pattern, const Value &value);
  void executeLet(const LetStmt &let, Scope &scope, Location location);
  [[noreturn]] void failUnknownName(const std::string &name, Scope &scope, Location location);
  Value compareConstants(BinaryOp op, const Value &left, const Value &right, Location location);
  std::optional<Value> constantArithmetic(BinaryOp op, const Value &left, const Value &right,
                                          Location location);
  Value tensorArithmetic(BinaryOp op, TensorValue left, TensorValue right, Location location,
                         const std::vector<Location> &locations);
  Value bundleArithmetic(BinaryOp op, const Value &left, const Value &right, Location location);
  Value mapBundle(const BundleValue &bundle, const std::function<Value(const Value &)> &function);
  Value power(const TensorValue &base, const Value &exponent, Location location);
  Value floatRemainder(const Value &left, const Value &right, Location location,
                       Location leftLocation, Location rightLocation);
  std::optional<RowForm> combineRows(BinaryOp op, const TensorValue &left, const TensorValue &right,
                                     const TensorValue &result);
  Value callChain(const ChainValue &chain, std::vector<CallArgument> arguments, Location location,
                  const Expected *expected);
  const FunctionValue &chooseOverload(const FunctionsValue &functions,
                                      std::vector<CallArgument> &arguments, Location location);
  bool accepts(const FunctionValue &function, const std::vector<CallArgument> &arguments);
  std::string describeSignature(const FunctionValue &function);
  void matchDims(const TypeExpr &type, const Shape &actual, Signature &signature, Location location,
                 const std::string &what, const TensorValue *tensor);
  void matchDim(const DimExpr &dim, const Dim &actual, Signature &signature, Location location,
                const std::string &what, bool mayDefer);
  bool solveDim(const Expr &expr, const Dim &actual, Signature &signature, Location location);
  std::optional<Dim> tryDim(const Expr &expr, Signature &signature);
  std::optional<DType> tryDType(const TypeExpr &type, Signature &signature);
  void openVariables(const Expr &expr, Signature &signature);
  void bindDType(const TypeExpr &type, DType actual, Signature &signature, Location location,
                 const std::string &what, bool isWeak);
  [[noreturn]] void failMismatch(const TypeExpr &type, const std::string &found,
                                 Signature &signature, Location location, const std::string &what,
                                 const TensorValue *tensor);
  void declareState(Instance &instance, const StateMember &member, Scope *scope,
                    std::map<std::string, CallArgument> &initializers);
  struct AxisPlan;
  AxisPlan planAxes(BuiltinCall &call, const Type &type);
  void splitAxis(AxisPlan &plan, const AxisGroup &group, size_t axis, const Type &type,
                 Location location);
  TensorValue joinAxes(const AxisPlan &plan, ValueId value, const std::vector<std::string> &names);
  ValueId randomOp(OpKind op, const Type &type, Location location);
  Type expectedType(BuiltinCall &call, std::string_view what);
  TensorValue flattenForMatmul(TensorValue tensor);

  const SourceManager &sources_;
  Diagnostics &diagnostics_;
  ModelTables &tables_;
  FunctionContext *context_ = nullptr;
  std::deque<Scope> scopes_;
  std::deque<Instance> instances_;
  std::deque<Signature> signatures_;
  StatementHook hook_;
  TestHost *testHost_ = nullptr;
  std::vector<std::string> path_;     ///< where an instance would be made, as dotted parts
  std::vector<DiagnosticNote> calls_; ///< the calls that are being inlined
  std::vector<const void *> active_;  ///< functions being inlined, to find recursion
  std::set<const FunctionDecl *> called_;
  bool training_ = false;
  DType real_ = DType::F32;
  Instance *instance_ = nullptr;
  std::vector<std::string> bindings_;
  uint32_t depth_ = 0;
  uint64_t work_ = 0;
};

class Elaborator::ContextSwitch {
public:
  ContextSwitch(Elaborator &elaborator, FunctionContext &context)
      : elaborator_(elaborator), outer_(elaborator.context_) {
    elaborator.context_ = &context;
  }
  ~ContextSwitch() { elaborator_.context_ = outer_; }
  ContextSwitch(const ContextSwitch &) = delete;
  ContextSwitch &operator=(const ContextSwitch &) = delete;

private:
  Elaborator &elaborator_;
  FunctionContext *outer_;
};

/// One level of evaluation.
class Elaborator::Guard {
public:
  Guard(Elaborator &elaborator, Location location);
  ~Guard() { --elaborator_.depth_; }
  Guard(const Guard &) = delete;
  Guard &operator=(const Guard &) = delete;

private:
  Elaborator &elaborator_;
};

} // namespace apr::frontend
