// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of primitives, the binding of their arguments, and the element-wise ones.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/word_hints.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace apr::frontend {

const std::vector<Builtin> &Elaborator::builtins() {
  using E = Elaborator;
  constexpr auto kVariadic = Builtin::Arity::Variadic;
  auto unary = [](std::string_view name, OpKind op) {
    return Builtin{name, {"x"}, &E::builtinElementwise, Builtin::Arity::Fixed, op};
  };
  auto bitwise = [](std::string_view name, OpKind op) {
    return Builtin{name, {"x", "y"}, &E::builtinOperands, Builtin::Arity::Fixed, op};
  };
  static const std::vector<Builtin> table{
      // Element by element.
      unary("abs", OpKind::Abs),
      unary("sign", OpKind::Sign),
      unary("floor", OpKind::Floor),
      unary("ceil", OpKind::Ceil),
      unary("round", OpKind::Round),
      unary("sqrt", OpKind::Sqrt),
      unary("rsqrt", OpKind::Rsqrt),
      unary("exp", OpKind::Exp),
      unary("expm1", OpKind::Expm1),
      unary("log", OpKind::Log),
      unary("log1p", OpKind::Log1p),
      unary("sin", OpKind::Sin),
      unary("cos", OpKind::Cos),
      unary("tanh", OpKind::Tanh),
      unary("sigmoid", OpKind::Sigmoid),
      unary("erf", OpKind::Erf),
      unary("exp2", OpKind::Exp2),
      unary("log2", OpKind::Log2),
      unary("tan", OpKind::Tan),
      unary("asin", OpKind::Asin),
      unary("acos", OpKind::Acos),
      unary("atan", OpKind::Atan),
      unary("sinh", OpKind::Sinh),
      unary("cosh", OpKind::Cosh),
      unary("erfinv", OpKind::ErfInv),
      unary("softplus", OpKind::Softplus),
      unary("silu", OpKind::Silu),
      unary("gelu", OpKind::Gelu),
      unary("gelu_tanh", OpKind::GeluTanh),
      {"atan2", {"y", "x"}, &E::builtinOperands, {}, OpKind::Atan2},
      {"max", {"x", "y?", "axis?", "keep?"}, &E::builtinMaxMin, {}, OpKind::Max},
      {"min", {"x", "y?", "axis?", "keep?"}, &E::builtinMaxMin, {}, OpKind::Min},
      {"where", {"condition", "x", "y"}, &E::builtinWhere},
      {"fma", {"x", "y", "z"}, &E::builtinOperands, {}, OpKind::Fma},
      bitwise("bit_and", OpKind::And),
      bitwise("bit_or", OpKind::Or),
      bitwise("bit_xor", OpKind::Xor),
      bitwise("shift_left", OpKind::Shl),
      bitwise("shift_right", OpKind::ShrArith),
      bitwise("shift_right_logical", OpKind::ShrLogical),
      {"bit_not", {"x"}, &E::builtinOperands, {}, OpKind::Not},
      {"bitcast", {"x", "to"}, &E::builtinBitcast},
      {"stop_gradient", {"x"}, &E::builtinStopGradient},
      // Reductions and products.
      {"sum", {"x", "axis?", "keep?", "order?"}, &E::builtinSum, {}, OpKind::Sum},
      {"product", {"x", "axis?", "keep?", "order?"}, &E::builtinSum, {}, OpKind::Product},
      {"any", {"x", "axis?", "keep?"}, &E::builtinAnyAll, {}, OpKind::ReduceMax},
      {"all", {"x", "axis?", "keep?"}, &E::builtinAnyAll, {}, OpKind::ReduceMin},
      {"argmax", {"x", "axis?", "keep?"}, &E::builtinArgmax, {}, OpKind::ArgMax},
      {"argmin", {"x", "axis?", "keep?"}, &E::builtinArgmax, {}, OpKind::ArgMin},
      {"matmul", {"a", "b"}, &E::builtinMatmul},
      // Shapes.
      {"reshape", {"x", "shape"}, &E::builtinReshape},
      {"transpose", {"x", "axes?"}, &E::builtinTranspose},
      {"broadcast", {"x", "shape"}, &E::builtinBroadcast},
      {"concat", {"parts", "axis?"}, &E::builtinConcat},
      {"stack", {"parts", "axis?"}, &E::builtinConcat},
      {"rearrange", {"operand", "pattern"}, &E::builtinRearrange, kVariadic},
      {"reduce", {"operand", "pattern", "function"}, &E::builtinReduce, kVariadic},
      {"einsum", {"pattern"}, &E::builtinEinsum, kVariadic},
      {"split", {"x", "parts", "axis?"}, &E::builtinSplit},
      {"unstack", {"x", "axis?"}, &E::builtinUnstack},
      {"flip", {"x", "axis?"}, &E::builtinArrange},
      {"roll", {"x", "shift", "axis?"}, &E::builtinArrange},
      {"tile", {"x", "repeats"}, &E::builtinArrange},
      {"pad", {"x", "widths", "mode?", "value?"}, &E::builtinArrange},
      {"tril", {"x", "diagonal?"}, &E::builtinArrange},
      {"triu", {"x", "diagonal?"}, &E::builtinArrange},
      {"expand", {"x", "axis"}, &E::builtinArrange},
      {"squeeze", {"x", "axis?"}, &E::builtinArrange},
      // Windows and convolutions.
      {"conv", {"x", "w", "stride?", "padding?", "dilation?", "groups?"}, &E::builtinConv},
      {"conv_transpose",
       {"x", "w", "stride?", "padding?", "dilation?", "groups?", "output_padding?"},
       &E::builtinConv},
      {"windows", {"x", "size", "stride?", "padding?", "dilation?", "fill?"}, &E::builtinWindow},
      {"window_max", {"x", "size", "stride?", "padding?", "dilation?"}, &E::builtinWindow},
      {"window_mean",
       {"x", "size", "stride?", "padding?", "dilation?", "count_padding?"},
       &E::builtinWindow},
      {"adaptive_max", {"x", "size"}, &E::builtinWindow, {}, OpKind::ReduceMax},
      {"adaptive_mean", {"x", "size"}, &E::builtinWindow, {}, OpKind::Sum},
      {"per_axis", {"value", "axes"}, &E::builtinWindow},
      // Indexing.
      {"take", {"x", "indices", "axis?"}, &E::builtinTake},
      {"take_along", {"x", "indices", "axis?"}, &E::builtinIndexed},
      {"scatter_add", {"x", "indices", "updates", "axis?"}, &E::builtinIndexed},
      {"scatter_set", {"x", "indices", "updates", "axis?"}, &E::builtinIndexed},
      {"dynamic_slice", {"x", "start", "size", "axis?"}, &E::builtinIndexed},
      {"dynamic_update", {"x", "start", "updates", "axis?"}, &E::builtinIndexed},
      {"cumsum", {"x", "axis?"}, &E::builtinIndexed},
      {"argsort", {"x", "axis?", "descending?"}, &E::builtinIndexed},
      {"sort", {"x", "axis?", "descending?"}, &E::builtinIndexed},
      {"top_k", {"x", "k", "axis?"}, &E::builtinIndexed},
      {"pick", {"x", "indices"}, &E::builtinPick},
      {"one_hot", {"indices", "count", "dtype?"}, &E::builtinOneHot},
      // Sources.
      {"iota", {"count", "dtype?"}, &E::builtinIota},
      {"constant", {"value"}, &E::builtinConstant},
      {"zeros", {}, &E::builtinZeros},
      {"ones", {}, &E::builtinZeros},
      {"uniform", {"low?", "high?"}, &E::builtinUniform},
      {"normal", {"mean?", "deviation?"}, &E::builtinNormal},
      {"bernoulli", {"p"}, &E::builtinBernoulli},
      {"random_bits", {}, &E::builtinRandomBits},
      // Loops and gradients.
      {"scan", {"init", "xs", "body", "axis?", "reverse?"}, &E::builtinScan},
      {"grad", {"e", "x?"}, &E::builtinGrad},
      // Sizes and orders, at compile time.
      {"size", {"shape", "axis?"}, &E::builtinSize},
      {"rank", {"shape"}, &E::builtinSize},
      {"axes", {"shape"}, &E::builtinSize},
      {"shape", {"x"}, &E::builtinShape},
      {"seq", {"length?"}, &E::builtinOrder},
      {"lanes", {"width", "length"}, &E::builtinOrder},
      {"tree", {"first", "second?"}, &E::builtinOrder},
      // Functions of functions.
      {"chain", {}, &E::builtinChain, kVariadic},
      {"repeat", {"count", "make"}, &E::builtinRepeat},
      // Known names whose turn comes later.
  };
  return table;
}

const Builtin *Elaborator::findBuiltin(std::string_view name) {
  for (const Builtin &builtin : builtins())
    if (builtin.name == name)
      return &builtin;
  return nullptr;
}

/// True where an argument has the shape that the place of the call expects of the result.
static bool hasShapeOfResult(const Builtin &builtin, size_t place) {
  if (builtin.name == "where")
    return place != 0;
  return builtin.evaluate == &Elaborator::builtinElementwise || builtin.name == "fma";
}

/// Without the marks of optional ones.
static std::vector<std::string> parameterNames(const Builtin &builtin) {
  std::vector<std::string> names;
  for (std::string_view parameter : builtin.parameters)
    names.emplace_back(parameter.substr(0, parameter.find('?')));
  return names;
}

Value Elaborator::callBuiltin(const Builtin &builtin, std::vector<CallArgument> arguments,
                              Location location, const Expected *expected) {
  BuiltinCall call{builtin, location, {}, {}, {}, expected};
  size_t count = builtin.parameters.size();
  call.values.resize(count);
  call.locations.resize(count, location);
  auto isNamed = [&](size_t i, std::string_view name) {
    std::string_view parameter = builtin.parameters[i];
    return parameter == name ||
           (parameter.ends_with('?') && parameter.substr(0, parameter.size() - 1) == name);
  };
  size_t position = 0;
  for (CallArgument &argument : arguments) {
    size_t place = position;
    if (argument.name.empty()) {
      ++position;
    } else {
      place = 0;
      while (place < count && !isNamed(place, argument.name))
        ++place;
      if (place == count && builtin.arity == Builtin::Arity::Fixed)
        fail(DiagnosticKind::WrongArguments, argument.location,
             fmt::format("'{}' has no parameter '{}'", builtin.name, argument.name),
             hintForParameter(argument.name, parameterNames(builtin)));
    }
    if (place >= count && builtin.arity == Builtin::Arity::Variadic) {
      call.rest.push_back(argument);
      continue;
    }
    if (place >= count)
      fail(DiagnosticKind::WrongArguments, argument.location,
           fmt::format("'{}' takes {} arguments, found {}", builtin.name, count, arguments.size()));
    if (call.values[place])
      fail(DiagnosticKind::WrongArguments, argument.location,
           fmt::format("an argument of '{}' is given twice", builtin.name));
    call.values[place] =
        evaluateArgument(argument, hasShapeOfResult(builtin, place) ? expected : nullptr);
    call.locations[place] = argument.location;
  }
  for (size_t i = 0; i < count; ++i) {
    bool isOptional = builtin.parameters[i].ends_with('?');
    if (call.values[i] && call.values[i]->is<NoneValue>() && isOptional)
      call.values[i].reset();
    if (!call.values[i] && !isOptional)
      fail(DiagnosticKind::WrongArguments, location,
           fmt::format("argument '{}' of '{}' is missing", builtin.parameters[i], builtin.name));
  }
  context_->builder.at(location);
  return (this->*builtin.evaluate)(call);
}

Value Elaborator::builtinNotAvailable(BuiltinCall &call) {
  fail(DiagnosticKind::NotAvailable, call.location,
       fmt::format("'{}' is not available yet in this version", call.builtin.name));
}

Value Elaborator::builtinElementwise(BuiltinCall &call) {
  const Value &x = *call.values[0];
  if (isBundleLike(x)) {
    BundleValue bundle = bundleOf(x, call.location);
    for (auto &[state, leaf] : bundle.leaves)
      leaf = elementwise(call.builtin.op, {leaf}, call.location,
                         fmt::format("'{}'", call.builtin.name), {call.locations[0]});
    return bundle;
  }
  auto *number = x.as<NumberValue>();
  if (number && call.builtin.op == OpKind::Abs && number->kind == NumberValue::Kind::Finite)
    return NumberValue{number->value.isNegative() ? number->value.negated() : number->value};
  if (number && call.builtin.op == OpKind::Floor && number->kind == NumberValue::Kind::Finite)
    return NumberValue{*Rational::floorDivide(number->value, 1)};
  return elementwise(call.builtin.op, {x}, call.location, fmt::format("'{}'", call.builtin.name),
                     {call.locations[0]});
}

Value Elaborator::builtinWhere(BuiltinCall &call) {
  if (auto *known = call.values[0]->as<BoolValue>())
    return known->value ? *call.values[1] : *call.values[2];
  return elementwise(OpKind::Select, {*call.values[0], *call.values[1], *call.values[2]},
                     call.location, "'where'", call.locations);
}

Value Elaborator::builtinOperands(BuiltinCall &call) {
  std::vector<Value> operands;
  for (auto &value : call.values)
    operands.push_back(*value);
  return elementwise(call.builtin.op, std::move(operands), call.location,
                     fmt::format("'{}'", call.builtin.name), call.locations);
}

Value Elaborator::builtinBitcast(BuiltinCall &call) {
  TensorValue x = anyTensor(*call.values[0], call.locations[0], "the operand of 'bitcast'");
  auto *to = call.values[1]->as<DTypeValue>();
  if (!to)
    fail(DiagnosticKind::KindMismatch, call.locations[1],
         fmt::format("'bitcast' needs a dtype, found {}", describe(*call.values[1])));
  if (byteSize(to->dtype) != byteSize(x.type.dtype) || to->dtype == DType::Bool ||
      x.type.dtype == DType::Bool)
    fail(DiagnosticKind::DTypeMismatch, call.location,
         fmt::format("'bitcast' of {} to {}: the sizes differ", str(x.type), name(to->dtype)));
  return make(context_->builder.bitcast(x.id, to->dtype));
}

Value Elaborator::builtinStopGradient(BuiltinCall &call) {
  const Value &x = *call.values[0];
  auto stop = [&](const Value &value) -> Value {
    Value known = read(value, call.location);
    auto *tensor = known.as<TensorValue>();
    if (!tensor)
      return known;
    return make(context_->builder.create(OpKind::StopGradient, {tensor->id}), tensor->isWeak);
  };
  if (isBundleLike(x))
    return mapBundle(bundleOf(x, call.location), stop);
  return stop(x);
}

Value Elaborator::builtinMatmul(BuiltinCall &call) {
  return matrixMultiply(*call.values[0], *call.values[1], call.location);
}

Value Elaborator::convertCall(DType dtype, std::vector<CallArgument> arguments, Location location) {
  if (arguments.size() != 1 || !arguments[0].name.empty())
    fail(DiagnosticKind::WrongArguments, location,
         fmt::format("'{}(x)' takes one argument, found {}", name(dtype), arguments.size()));
  Value value = read(evaluateArgument(arguments[0], nullptr), location);
  if (value.is<BundleValue>())
    return mapBundle(*value.as<BundleValue>(), [&](const Value &leaf) -> Value {
      return convertTo(anyTensor(leaf, location, "a leaf"), dtype);
    });
  // Constants and hyperparameter arithmetic stay exact until they meet a tensor.
  if (value.is<NumberValue>() || value.is<DimValue>()) {
    if (dtype != DType::Bool && (isFloat(dtype) || asDim(value)))
      return value;
    return make(context_->builder.convert(anyTensor(value, location, "the operand").id, dtype));
  }
  if (auto *boolean = value.as<BoolValue>())
    return dtype == DType::Bool ? value : NumberValue{Rational(boolean->value ? 1 : 0)};
  if (auto *list = value.as<ListValue>())
    return tensorOfList(*list, dtype, location);
  auto *tensor = value.as<TensorValue>();
  if (!tensor)
    fail(DiagnosticKind::KindMismatch, location,
         fmt::format("'{}(x)' converts tensors, found {}", name(dtype), describe(value)));
  if (tensor->isWeak && isFloat(dtype))
    return convertTo(*tensor, DType::F64);
  return convertTo(*tensor, dtype);
}

} // namespace apr::frontend
