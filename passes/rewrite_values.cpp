// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/rewrite_values.h"

#include "ir/rewrite.h"

namespace apr {
namespace {

/// The exponent of a power whose exponent is one number for all elements.
std::optional<double> findExponent(const Graph &graph, const Op &op) {
  const Op *exponent = graph.definition(op.operands[1]);
  while (exponent && exponent->kind == OpKind::Broadcast)
    exponent = graph.definition(exponent->operands[0]);
  if (!exponent || exponent->kind != OpKind::Constant)
    return std::nullopt;
  const Literal &literal = exponent->attributes.literal();
  return literal.count() == 1 ? std::optional(literal.asDouble(0)) : std::nullopt;
}

/// x^c for the exponents that people write: pow is the slowest op there is, and each right side has
/// at most one rounding per operation, where pow promises one unit in the last place.
///
///     x^-1  = 1/x        x^2 = x·x          x^0.5  = sqrt(x)
///     x^-2  = 1/(x·x)    x^3 = x·(x·x)      x^-0.5 = rsqrt(x)
///     x^0   = 1          x^4 = (x·x)·(x·x)  x^1    = x
///
/// The roots differ from pow at -0 and -inf, where they are the roots' own values.
std::optional<ValueId> rewritePower(Builder &b, ValueId x, double exponent) {
  auto one = [&] { return b.splat(Type(b.type(x)), 1); };
  auto square = [&](ValueId v) { return b.mul(v, v); };
  if (exponent == 0)
    return one();
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return square(x);
  if (exponent == 3)
    return b.mul(x, square(x));
  if (exponent == 4)
    return square(square(x));
  if (exponent == -1)
    return b.div(one(), x);
  if (exponent == -2)
    return b.div(one(), square(x));
  if (exponent == 0.5)
    return b.unary(OpKind::Sqrt, x);
  if (exponent == -0.5)
    return b.unary(OpKind::Rsqrt, x);
  return std::nullopt;
}

bool rewriteOp(const Op &op, GraphRewriter &rewriter) {
  if (op.kind != OpKind::Pow)
    return false;
  auto exponent = findExponent(rewriter.source(), op);
  if (!exponent)
    return false;
  auto value = rewritePower(rewriter.builder(), rewriter(op.operands[0]), *exponent);
  if (!value)
    return false;
  std::string &name = rewriter.builder().graph().value(*value).name;
  if (name.empty())
    name = rewriter.source().value(op.result()).name;
  rewriter.map(op.result(), *value);
  return true;
}

} // namespace

void rewriteValues(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = rewriteEveryGraph(function.graph, rewriteOp);
}

} // namespace apr
