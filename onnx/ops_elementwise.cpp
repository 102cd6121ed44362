// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise ops. ONNX has the usual functions; the others are written as formulas of them,
// chosen to keep their accuracy near zero.
#include "onnx/graph_emitter.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace apr::onnx {
namespace {

/// What a node gives that repeats its operands: stretched where all of them are.
void defineElementwise(GraphEmitter &emitter, const Op &op, std::string name) {
  Ref result{std::move(name), 0, std::vector<bool>(emitter.type(op.result()).rank(), true)};
  for (ValueId operand : op.operands) {
    const Ref &ref = emitter.ref(operand);
    result.rank = std::max(result.rank, ref.rank);
    for (size_t axis = 0; axis < result.stretched.size(); ++axis)
      result.stretched[axis] = result.stretched[axis] && ref.stretched[axis];
  }
  emitter.define(op.result(), std::move(result));
}

/// Formulas over names of tensors of one type.
class Formula {
public:
  Formula(GraphEmitter &emitter, DType dtype) : emitter_(emitter), dtype_(dtype) {}

  using Name = std::string;
  Name number(double value) { return emitter_.scalar(dtype_, value); }
  Name operator()(const char *type, const Name &x) { return emitter_.node(type, {x}); }
  Name operator()(const char *type, const Name &x, const Name &y) {
    return emitter_.node(type, {x, y});
  }
  Name add(const Name &x, const Name &y) { return (*this)("Add", x, y); }
  Name sub(const Name &x, const Name &y) { return (*this)("Sub", x, y); }
  Name mul(const Name &x, const Name &y) { return (*this)("Mul", x, y); }
  Name div(const Name &x, const Name &y) { return (*this)("Div", x, y); }
  Name where(const Name &condition, const Name &x, const Name &y) {
    return emitter_.node("Where", {condition, x, y});
  }
  Name equals(const Name &x, double value) { return (*this)("Equal", x, number(value)); }

  /// tanh(x/2) (exp(x) + 1), whose first factor is accurate near 0.
  Name expm1(const Name &x) {
    const Name half = mul(x, number(0.5));
    return mul((*this)("Tanh", half), add((*this)("Exp", x), number(1)));
  }

  /// log(u) x/(u - 1) with u = 1 + x undoes the rounding of u.
  Name log1p(const Name &x) {
    const Name u = add(x, number(1));
    const Name corrected = div(mul((*this)("Log", u), x), sub(u, number(1)));
    const Name large = where(equals(u, std::numeric_limits<double>::infinity()), u, corrected);
    return where(equals(u, 1), x, large);
  }

  Name gelu(const Name &x) {
    const Name erf = (*this)("Erf", mul(x, number(std::numbers::sqrt2 / 2)));
    return mul(mul(x, number(0.5)), add(erf, number(1)));
  }

  Name geluTanh(const Name &x) {
    const Name cube = mul(mul(x, x), x);
    const Name inner = add(x, mul(cube, number(0.044715)));
    const double scale = std::sqrt(2 * std::numbers::inv_pi);
    const Name tanh = (*this)("Tanh", mul(inner, number(scale)));
    return mul(mul(x, number(0.5)), add(tanh, number(1)));
  }

  Name atan2(const Name &y, const Name &x) {
    const double pi = std::numbers::pi;
    const Name zero = number(0);
    const Name angle = (*this)("Atan", div(y, x));
    const Name isAbove = (*this)("GreaterOrEqual", y, zero);
    const Name left = where(isAbove, add(angle, number(pi)), sub(angle, number(pi)));
    const Name below = where((*this)("Less", y, zero), number(-pi / 2), zero);
    const Name upright = where((*this)("Greater", y, zero), number(pi / 2), below);
    const Name notRight = where((*this)("Less", x, zero), left, upright);
    return where((*this)("Greater", x, zero), angle, notRight);
  }

  /// The floor of x/y of integers, 0 where y is 0; ONNX truncates, and a runtime may trap on 0.
  Name floorDivide(const Name &x, const Name &y) {
    const Name isZero = equals(y, 0);
    if (dtype_ == DType::U8)
      return where(isZero, number(0), div(x, where(isZero, number(1), y)));
    // Dividing by -1 can overflow, which traps too.
    const Name isMinusOne = equals(y, -1);
    const Name safe = where((*this)("Or", isZero, isMinusOne), number(1), y);
    const Name quotient = div(x, safe);
    const Name rest = sub(x, mul(quotient, safe));
    const Name isInexact = (*this)("Not", equals(rest, 0));
    const Name hasOtherSign =
        (*this)("Xor", (*this)("Less", rest, number(0)), (*this)("Less", safe, number(0)));
    const Name correction = emitter_.cast((*this)("And", isInexact, hasOtherSign), dtype_);
    const Name negated = where(isMinusOne, sub(number(0), x), sub(quotient, correction));
    return where(isZero, number(0), negated);
  }

private:
  GraphEmitter &emitter_;
  DType dtype_;
};

/// The node that is the op itself; null where there is none.
const char *unaryNode(OpKind kind) {
  switch (kind) {
  case OpKind::Neg:
    return "Neg";
  case OpKind::Abs:
    return "Abs";
  case OpKind::Sign:
    return "Sign";
  case OpKind::Floor:
    return "Floor";
  case OpKind::Ceil:
    return "Ceil";
  case OpKind::Round:
    return "Round";
  case OpKind::Sqrt:
    return "Sqrt";
  case OpKind::Exp:
    return "Exp";
  case OpKind::Log:
    return "Log";
  case OpKind::Sin:
    return "Sin";
  case OpKind::Cos:
    return "Cos";
  case OpKind::Tan:
    return "Tan";
  case OpKind::Asin:
    return "Asin";
  case OpKind::Acos:
    return "Acos";
  case OpKind::Atan:
    return "Atan";
  case OpKind::Sinh:
    return "Sinh";
  case OpKind::Cosh:
    return "Cosh";
  case OpKind::Tanh:
    return "Tanh";
  case OpKind::Sigmoid:
    return "Sigmoid";
  case OpKind::Erf:
    return "Erf";
  case OpKind::Softplus:
    return "Softplus";
  default:
    return nullptr;
  }
}

/// The formula for an op without a node of its own; empty where there is none.
std::string unaryFormula(GraphEmitter &emitter, const Op &op, const std::string &x) {
  const DType dtype = emitter.type(op.result()).dtype;
  Formula f(emitter, dtype);
  switch (op.kind) {
  case OpKind::Rsqrt:
    return f("Reciprocal", f("Sqrt", x));
  case OpKind::Expm1:
    return f.expm1(x);
  case OpKind::Log1p:
    return f.log1p(x);
  case OpKind::Exp2:
    return f("Pow", f.number(2), x);
  case OpKind::Log2:
    return f.mul(f("Log", x), f.number(std::numbers::log2e));
  case OpKind::Silu:
    return f.mul(x, f("Sigmoid", x));
  case OpKind::Gelu:
    return f.gelu(x);
  case OpKind::GeluTanh:
    return f.geluTanh(x);
  case OpKind::Not:
    if (dtype == DType::Bool)
      return f("Not", x);
    return f.sub(f.number(dtype == DType::U8 ? 255 : -1), x);
  default:
    return {};
  }
}

const char *binaryNode(OpKind kind, DType dtype) {
  switch (kind) {
  case OpKind::Add:
    return "Add";
  case OpKind::Sub:
    return "Sub";
  case OpKind::Mul:
    return "Mul";
  case OpKind::Div:
    return isFloat(dtype) ? "Div" : nullptr;
  case OpKind::Min:
    return "Min";
  case OpKind::Max:
    return "Max";
  case OpKind::Pow:
    return "Pow";
  case OpKind::And:
    return dtype == DType::Bool ? "And" : nullptr;
  case OpKind::Or:
    return dtype == DType::Bool ? "Or" : nullptr;
  case OpKind::Xor:
    return dtype == DType::Bool ? "Xor" : nullptr;
  default:
    return nullptr;
  }
}

std::string binaryFormula(GraphEmitter &emitter, const Op &op, const std::string &x,
                          const std::string &y) {
  const DType dtype = emitter.type(op.result()).dtype;
  Formula f(emitter, dtype);
  if (op.kind == OpKind::Atan2)
    return f.atan2(x, y);
  if (op.kind == OpKind::Div)
    return f.floorDivide(x, y);
  if (op.kind == OpKind::Rem)
    return f.sub(x, f.mul(y, f.floorDivide(x, y)));
  return {};
}

bool isZeroConstant(GraphEmitter &emitter, ValueId value) {
  const Op *definition = emitter.graph.definition(value);
  if (!definition || definition->kind != OpKind::Constant)
    return false;
  const Literal &literal = definition->attributes.literal();
  return literal.count() == 1 && literal.asDouble(0) == 0;
}

/// The type that runtimes compare in: bool and u8 go by way of i32.
std::string comparable(GraphEmitter &emitter, const std::string &name, DType dtype) {
  return dtype == DType::Bool || dtype == DType::U8 ? emitter.cast(name, DType::I32) : name;
}

} // namespace

void emitUnary(GraphEmitter &emitter, const Op &op) {
  const std::string x = emitter.ref(op.operands[0]).name;
  const DType dtype = emitter.type(op.result()).dtype;
  if (dtype == DType::U8 && (op.kind == OpKind::Abs || op.kind == OpKind::Sign))
    return emitter.define(op.result(), op.kind == OpKind::Abs
                                           ? emitter.ref(op.operands[0])
                                           : Ref{emitter.node("Min", {x, emitter.scalar(dtype, 1)}),
                                                 emitter.ref(op.operands[0]).rank,
                                                 emitter.ref(op.operands[0]).stretched});
  if (dtype == DType::U8 && op.kind == OpKind::Neg)
    return defineElementwise(emitter, op, emitter.node("Sub", {emitter.scalar(dtype, 0), x}));
  const char *type = unaryNode(op.kind);
  const std::string name = type ? emitter.node(type, {x}) : unaryFormula(emitter, op, x);
  if (name.empty())
    return emitter.refuse(op, "it has no such function");
  defineElementwise(emitter, op, name);
}

void emitBinary(GraphEmitter &emitter, const Op &op) {
  const std::string x = emitter.ref(op.operands[0]).name;
  const std::string y = emitter.ref(op.operands[1]).name;
  const DType dtype = emitter.type(op.result()).dtype;
  if (op.kind == OpKind::Max && isFloat(dtype) && isZeroConstant(emitter, op.operands[1]) &&
      emitter.ref(op.operands[0]).rank > 0)
    return emitter.define(op.result(),
                          Ref{emitter.node("Relu", {x}), emitter.ref(op.operands[0]).rank,
                              emitter.ref(op.operands[0]).stretched});
  if (op.kind == OpKind::Div && isFloat(dtype) && emitSoftmax(emitter, op))
    return;
  const char *type = binaryNode(op.kind, dtype);
  const std::string name = type ? emitter.node(type, {x, y}) : binaryFormula(emitter, op, x, y);
  if (name.empty())
    return emitter.refuse(op, "it has no operation on the bits of integers");
  defineElementwise(emitter, op, name);
}

void emitCompare(GraphEmitter &emitter, const Op &op) {
  const DType dtype = emitter.type(op.operands[0]).dtype;
  const std::string x = comparable(emitter, emitter.ref(op.operands[0]).name, dtype);
  const std::string y = comparable(emitter, emitter.ref(op.operands[1]).name, dtype);
  const auto compare = [&](const char *type) { return emitter.node(type, {x, y}); };
  std::string name;
  if (op.kind == OpKind::Eq)
    name = compare("Equal");
  else if (op.kind == OpKind::Ne)
    name = emitter.node("Not", {compare("Equal")});
  else if (op.kind == OpKind::Lt)
    name = compare("Less");
  else if (op.kind == OpKind::Le)
    name = compare("LessOrEqual");
  else if (op.kind == OpKind::Gt)
    name = compare("Greater");
  else
    name = compare("GreaterOrEqual");
  defineElementwise(emitter, op, name);
}

void emitFma(GraphEmitter &emitter, const Op &op) {
  const std::string product =
      emitter.node("Mul", {emitter.ref(op.operands[0]).name, emitter.ref(op.operands[1]).name});
  defineElementwise(emitter, op, emitter.node("Add", {product, emitter.ref(op.operands[2]).name}));
}

void emitSelect(GraphEmitter &emitter, const Op &op) {
  const std::string condition = emitter.ref(op.operands[0]).name;
  const std::string x = emitter.ref(op.operands[1]).name;
  const std::string y = emitter.ref(op.operands[2]).name;
  const DType dtype = emitter.type(op.result()).dtype;
  if (dtype != DType::Bool)
    return defineElementwise(emitter, op, emitter.node("Where", {condition, x, y}));
  // Runtimes lack Where for bools.
  const std::string isX = emitter.node("And", {condition, x});
  const std::string isY = emitter.node("And", {emitter.node("Not", {condition}), y});
  defineElementwise(emitter, op, emitter.node("Or", {isX, isY}));
}

void emitConvert(GraphEmitter &emitter, const Op &op) {
  const DType to = emitter.type(op.result()).dtype;
  const Ref &operand = emitter.ref(op.operands[0]);
  if (emitter.type(op.operands[0]).dtype == to)
    return emitter.define(op.result(), operand);
  defineElementwise(emitter, op, emitter.cast(operand.name, to));
}

} // namespace apr::onnx
