// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/elementary/formulas.h"
#include "ir/expansions/activations.h"

// The f32 activations, like the functions of formulas.h.
namespace apr::elementary {

/// max(x, 0) + log(1 + e^-|x|).
template <class F> F softplus(F x) {
  F magnitude = clamp(absolute(x), 0.0, 104.0);
  auto [scale, power] = expPair(F(-magnitude), splat(x, 0.0));
  Pair<F> logarithm = expansions::log1pOfPair(Pair<F>{scale * power.high, scale * power.low});
  Pair<F> sum = twoSum(clamp(x, 0.0, 104.0), logarithm.high);
  F value = roundSumToOdd(Pair<F>{sum.high, sum.low + logarithm.low});
  return select(x > 104.0, x, value);
}

/// x / (1 + e^-u) for u of the sign of x, |u| <= 150 a pair: for negative x e^-|u| / (1 + e^-|u|)
/// times x, whose 24 bits make the product with the head of the quotient exact.
template <class F> F sigmoidProduct(F x, Pair<F> magnitude) {
  auto [scale, power] = expPair(F(-magnitude.high), F(-magnitude.low));
  auto isNegative = x < 0.0;
  F one = splat(x, 1.0);
  Pair<F> numerator = expansions::selectPair(isNegative, power, Pair<F>{one, splat(x, 0.0)});
  Pair<F> share = dividedByOnePlus(numerator, Pair<F>{scale * power.high, scale * power.low});
  F factor = x * select(isNegative, scale, one);
  return roundSumToOdd(Pair<F>{factor * share.high, factor * share.low});
}

/// What zeros, and numbers of which only the last place or nothing is missing, give.
template <class F> F selectActivationEnds(F x, double end, F value) {
  value = select(x == 0.0, x, value);
  return select(x > end, x, value);
}

template <class F> F silu(F x) {
  F inner = clamp(x, -120.0, 60.0);
  F value = sigmoidProduct(inner, Pair<F>{absolute(inner), splat(x, 0.0)});
  return selectActivationEnds(x, 60.0, value);
}

template <class F> F geluTanh(F x) {
  F inner = clamp(x, -12.0, 12.0);
  F value = sigmoidProduct(inner, expansions::geluExponent(absolute(inner)));
  return selectActivationEnds(x, 12.0, value);
}

/// e^(-a^2/2) / Phi(-a) = 2 + a (sqrt(2 pi) + W(a)) for a >= 0: Mills' ratio, turned over.
template <class F, size_t N> Pair<F> millsDivisor(F a, const double (&coefficients)[N]) {
  F w = horner(F((a - 4.0) / (a + 4.0)), coefficients);
  Pair<F> linear = expansions::twoProduct(a, splat(a, expansions::kSqrtTwoPi));
  Pair<F> sum = twoSum(splat(a, 2.0), linear.high);
  return fastTwoSum(sum.high, sum.low + (linear.low + a * (w + expansions::kSqrtTwoPiRest)));
}

/// x Phi(x), Phi(-a) = e^(-a^2/2) / millsDivisor(a): for positive x taken from x.
template <class F> F gelu(F x) {
  F a = clamp(absolute(x), 0.0, 16.0);
  auto [scale, power] = expPair(F(a * a * -0.5), splat(x, 0.0));
  Pair<F> share = divided(power, millsDivisor(a, kGeluTail));
  F factor = a * scale;
  F base = select(x > 0.0, a, splat(x, 0.0));
  Pair<F> sum = fastTwoSum(base, F(-(factor * share.high)));
  F value = roundSumToOdd(Pair<F>{sum.high, sum.low - factor * share.low});
  return selectActivationEnds(x, 16.0, value);
}

} // namespace apr::elementary
