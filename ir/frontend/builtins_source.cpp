// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants, random draws, and functions of functions.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/regions.h"
#include "ir/frontend/value_size.h"

#include <fmt/format.h>
#include <numeric>

namespace apr::frontend {

Type Elaborator::expectedType(BuiltinCall &call, std::string_view what) {
  if (call.expected && call.expected->type)
    return *call.expected->type;
  fail(DiagnosticKind::UnknownShape, call.location,
       fmt::format("the shape of {} is not known here", what),
       "say it where the value is bound: 'let z: real[B, 10] = …'");
}

Value Elaborator::builtinIota(BuiltinCall &call) {
  Dim count = requireDim(*call.values[0], call.locations[0], "the length");
  DType dtype = DType::I32;
  if (call.has(1)) {
    auto *given = call.values[1]->as<DTypeValue>();
    if (!given)
      fail(DiagnosticKind::KindMismatch, call.locations[1],
           fmt::format("a dtype is needed, found {}", describe(*call.values[1])));
    dtype = given->dtype;
    if (!isFloat(dtype) && !isInteger(dtype))
      fail(DiagnosticKind::DTypeMismatch, call.locations[1],
           fmt::format("'iota' counts in floats or integers, not in {}", name(dtype)));
  }
  if (auto known = count.asConstant(); known && *known < 0)
    fail(DiagnosticKind::BadConstant, call.locations[0], fmt::format("a dim of {}", *known));
  return make(context_->builder.iota({dtype, {count}}, 0));
}

/// One value in every element of the expected shape.
Value Elaborator::builtinConstant(BuiltinCall &call) {
  Type type = expectedType(call, "'constant(…)'");
  TensorValue value = requireTensor(*call.values[0], type.dtype, call.locations[0], "the value");
  if (!value.type.shape.empty())
    fail(DiagnosticKind::ShapeMismatch, call.locations[0],
         fmt::format("'constant' takes a scalar, found {}", str(value.type)));
  if (type.shape.empty())
    return value;
  const Op *definition = context_->graph().definition(value.id);
  if (definition && definition->kind == OpKind::Constant)
    return make(context_->builder.constant(type, definition->attributes.literal()));
  return make(context_->builder.broadcastTail(value.id, type.shape));
}

Value Elaborator::builtinZeros(BuiltinCall &call) {
  Type type = expectedType(call, fmt::format("'{}()'", call.builtin.name));
  double value = call.builtin.name == "ones" ? 1 : 0;
  return make(isFloat(type.dtype)
                  ? context_->builder.splat(type, value)
                  : context_->builder.splatInteger(type, static_cast<int64_t>(value)));
}

// ---- random draws ----

namespace {

/// The value of an enclosing function inside its innermost region: each scan between takes its
/// slice of the axis `axis`, which is where the steps of the outermost one are.
ValueId handIn(FunctionContext &context, ValueId value, size_t axis) {
  Region *region = context.asRegion();
  if (!region)
    return value;
  FunctionContext &outer = region->outer();
  value = handIn(outer, value, axis);
  if (!region->length())
    return region->capture(value);
  if (axis == 1) {
    std::vector<int64_t> perm(outer.graph().type(value).rank());
    std::iota(perm.begin(), perm.end(), 0);
    std::swap(perm[0], perm[1]);
    value = outer.builder.transpose(value, perm);
  }
  return region->addInput(value);
}

/// The numbers of steps of the scans around, from the outermost.
Shape scanLengths(FunctionContext &context) {
  Region *region = context.asRegion();
  if (!region)
    return {};
  Shape lengths = scanLengths(region->outer());
  if (region->length())
    lengths.push_back(*region->length());
  return lengths;
}

} // namespace

/// A draw of the stream that is named by function, instance and the names being bound. Inside a
/// scan all steps draw at once, outside: the steps are an axis after the batch's, so that a row has
/// its numbers wherever in a batch it stands.
ValueId Elaborator::randomOp(OpKind op, const Type &type, Location location) {
  using Purpose = FunctionContext::Purpose;
  FunctionContext &context = context_->root();
  Builder &builder = context.builder;
  if (context.purpose == Purpose::Members)
    fail(DiagnosticKind::KindMismatch, location, "members are made without random numbers",
         "draw in a parameter's start value, an entry or a train block");
  if (op != OpKind::RandomBits && !isFloat(type.dtype))
    fail(DiagnosticKind::DTypeMismatch, location,
         fmt::format("random numbers are f32 or f64, found {}", str(type)));
  std::string name =
      context.function.trainBlock.empty() ? context.function.name : context.function.trainBlock;
  if (instance_)
    name = dotted(name, instance_->path);
  for (const std::string &binding : bindings_)
    name = dotted(name, binding);

  bool isTraining = context.purpose == Purpose::Grad || context.purpose == Purpose::Apply ||
                    context.purpose == Purpose::Eval;
  ValueId seed = kNoValue;
  ValueId step = kNoValue;
  Type scalar{DType::I64, {}};
  if (isTraining) {
    seed = context.stateArgument(*tables_.findState("seed"));
    step = context.stateArgument(*tables_.findState(context.function.trainBlock + ".steps"));
  } else {
    for (size_t i = 0; i < context.function.arguments.size(); ++i)
      if (context.function.arguments[i].role == ArgumentRole::Input &&
          context.function.arguments[i].name == "seed")
        seed = context.graph().arguments()[i];
    if (seed == kNoValue)
      seed = context.addInput("seed", scalar, location);
    if (builder.type(seed) != scalar)
      fail(DiagnosticKind::DTypeMismatch, location,
           fmt::format("an entry that draws takes an i64 named 'seed', found {}",
                       str(builder.type(seed))));
    step = builder.splatInteger(scalar, 0);
  }
  // Rows of a part of the batch draw the numbers of the whole batch.
  bool isPerRow = false;
  if (!type.shape.empty() && !type.shape[0].isConstant() && context.purpose != Purpose::Init) {
    isPerRow = !isTraining;
    for (size_t i = 0; i < context.function.arguments.size(); ++i) {
      const Shape &shape = builder.type(context.graph().arguments()[i]).shape;
      isPerRow = isPerRow || (context.function.arguments[i].role == ArgumentRole::Input &&
                              !shape.empty() && shape[0] == type.shape[0]);
    }
  }
  ValueId offset = isPerRow ? context.rowOffset() : builder.splatInteger(scalar, 0);
  Attributes attributes;
  attributes.set(AttrKey::Stream, context.uniqueStream(name));
  Shape lengths = scanLengths(*context_);
  size_t axis = isPerRow ? 1 : 0;
  Type whole = type;
  whole.shape.insert(whole.shape.begin() + static_cast<std::ptrdiff_t>(axis), lengths.begin(),
                     lengths.end());
  ValueId draw = builder.at(location).create(op, {seed, step, offset}, attributes, whole);
  return handIn(*context_, draw, axis);
}

/// low + (high - low) * u; rounding must not reach `high`.
Value Elaborator::builtinUniform(BuiltinCall &call) {
  Type type = expectedType(call, "'uniform(…)'");
  Builder &builder = context_->builder;
  TensorValue u = make(randomOp(OpKind::Uniform, type, call.location));
  if (!call.has(0) && !call.has(1))
    return u;
  Value low = call.has(0) ? *call.values[0] : Value(NumberValue{0});
  Value high = call.has(1) ? *call.values[1] : Value(NumberValue{1});
  Value range = binary(BinaryOp::Subtract, high, low, call.location, call.location, call.location);
  auto scalar = [&](const Value &value) {
    return builder.broadcastTail(
        requireType(value, {type.dtype, {}}, call.location, "a bound of 'uniform'"), type.shape);
  };
  ValueId from = scalar(low);
  ValueId scaled = builder.add(from, builder.mul(scalar(range), u.id));
  ValueId isBelow = builder.create(OpKind::Lt, {scaled, scalar(high)});
  return make(builder.select(isBelow, scaled, from));
}

Value Elaborator::builtinNormal(BuiltinCall &call) {
  Type type = expectedType(call, "'normal(…)'");
  Builder &builder = context_->builder;
  ValueId draw = randomOp(OpKind::Normal, type, call.location);
  auto scalar = [&](size_t i) {
    return builder.broadcastTail(requireType(*call.values[i], {type.dtype, {}}, call.locations[i],
                                             "an argument of 'normal'"),
                                 type.shape);
  };
  if (call.has(1))
    draw = builder.mul(scalar(1), draw);
  bool isCentered = !call.has(0) || (call.values[0]->is<NumberValue>() &&
                                     call.values[0]->as<NumberValue>()->value.isZero());
  if (!isCentered)
    draw = builder.add(scalar(0), draw);
  return make(draw);
}

/// True with probability p, a scalar or a tensor of one for each element.
Value Elaborator::builtinBernoulli(BuiltinCall &call) {
  Value given = read(*call.values[0], call.locations[0]);
  auto *tensor = given.as<TensorValue>();
  bool isEach = given.is<ListValue>() || (tensor && !tensor->type.shape.empty());
  DType dtype = tensor && !tensor->isWeak ? tensor->type.dtype : DType::F32;
  if (!isFloat(dtype))
    fail(DiagnosticKind::DTypeMismatch, call.locations[0],
         fmt::format("a probability is a float, found {}", str(tensor->type)));
  TensorValue p = requireTensor(given, dtype, call.locations[0], "the probability");
  Type type = isEach && !(call.expected && call.expected->type)
                  ? Type{DType::Bool, p.type.shape}
                  : expectedType(call, "'bernoulli(…)'");
  if (type.dtype != DType::Bool)
    fail(DiagnosticKind::DTypeMismatch, call.location,
         fmt::format("'bernoulli' makes bools, but {} is expected", str(type)));
  if (isEach && p.type.shape != type.shape)
    fail(DiagnosticKind::ShapeMismatch, call.locations[0],
         fmt::format("the probabilities are {}, but {} is expected", str(p.type), str(type)));
  Builder &builder = context_->builder;
  ValueId u = randomOp(OpKind::Uniform, {dtype, type.shape}, call.location);
  return make(builder.create(OpKind::Lt, {u, builder.broadcastTail(p.id, type.shape)}));
}

/// Words of 32 random bits.
Value Elaborator::builtinRandomBits(BuiltinCall &call) {
  Type type = expectedType(call, "'random_bits()'");
  if (type.dtype != DType::I32)
    fail(DiagnosticKind::DTypeMismatch, call.location,
         fmt::format("'random_bits' makes i32 words, but {} is expected", str(type)));
  return make(randomOp(OpKind::RandomBits, type, call.location));
}

// ---- functions of functions ----

Value Elaborator::builtinChain(BuiltinCall &call) {
  ChainValue chain;
  size_t size = 0;
  auto path = path_;
  for (size_t i = 0; i < call.rest.size(); ++i) {
    CallArgument &argument = call.rest[i];
    path_.push_back(argument.name.empty() ? std::to_string(i) : argument.name);
    chain.parts.push_back(evaluateArgument(argument, nullptr));
    size += valueSize(chain.parts.back());
    if (size > kMaximumValueSize)
      fail(DiagnosticKind::TooLarge, argument.location,
           fmt::format("more than {} values in one", kMaximumValueSize));
    chain.names.push_back(argument.name);
    path_ = path;
    const Value &part = chain.parts.back();
    bool isCallable = part.is<FunctionsValue>() || part.is<BuiltinValue>() ||
                      part.is<InstanceValue>() || part.is<ChainValue>() || part.is<DTypeValue>();
    if (!isCallable)
      fail(DiagnosticKind::NotCallable, argument.location,
           fmt::format("a part of a chain must be a function or an instance, found {}",
                       describe(part)),
           part.is<LayerValue>() ? "construct it: 'Layer(…)'" : "");
  }
  return chain;
}

Value Elaborator::builtinRepeat(BuiltinCall &call) {
  int64_t count = requireInt(*call.values[0], call.locations[0], "the count of 'repeat'");
  if (count < 0 || count > 10'000)
    fail(DiagnosticKind::TooLarge, call.locations[0],
         fmt::format("a repetition count lies between 0 and 10000, found {}", count));
  ChainValue chain;
  size_t size = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<CallArgument> arguments;
    arguments.push_back({{}, call.location, nullptr, nullptr, NumberValue{Rational(i)}});
    path_.push_back(std::to_string(i));
    chain.parts.push_back(
        this->call(*call.values[1], std::move(arguments), call.location, nullptr));
    path_.pop_back();
    size += valueSize(chain.parts.back());
    if (size > kMaximumValueSize)
      fail(DiagnosticKind::TooLarge, call.location,
           fmt::format("more than {} values in one", kMaximumValueSize));
  }
  chain.names.resize(chain.parts.size());
  return chain;
}

} // namespace apr::frontend
