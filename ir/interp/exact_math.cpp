// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/exact_math.h"

#include "ir/graph.h"
#include "ir/interp/exact_series.h"

#include <limits>

namespace apr {
namespace {

using namespace exact;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// 2 sqrt(2/pi), and 0.044715 times that.
const Double2 kGeluSlope{0x1.9884533d43651p+0, -0x1.cbc0d30ebfd15p-54};
const Double2 kGeluCubic{0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c70p-61};

float exactExp(float x) {
  if (x > 90)
    return kInfinity;
  return x < -110 ? 0.0f : roundOnce(expOf(x));
}

float exactExpm1(float x) {
  if (x > 90)
    return kInfinity;
  if (x == 0)
    return x;
  return x < -50 ? -1.0f : roundOnce(expm1Of(x));
}

float exactLog(float x) {
  if (x <= 0)
    return x == 0 ? -kInfinity : kNaN;
  return x == kInfinity ? x : roundOnce(logOf(x));
}

float exactLog1p(float x) {
  if (x == 0 || x == kInfinity)
    return x;
  if (x <= -1)
    return x == -1 ? -kInfinity : kNaN;
  return roundOnce(logOf(exactSum(1.0, x)));
}

float exactTanh(float x) {
  if (x == 0)
    return x;
  if (x > 15 || x < -15)
    return x < 0 ? -1.0f : 1.0f;
  Double2 power = expm1Of(2.0 * x);
  return roundOnce(power / (power + Double2(2.0)));
}

float exactSigmoid(float x) {
  if (x > 50 || x < -110)
    return x < 0 ? 0.0f : 1.0f;
  return roundOnce(Double2(1.0) / (Double2(1.0) + expOf(-double(x))));
}

float exactErf(float x) {
  if (x == 0)
    return x;
  if (x > 4.5f || x < -4.5f)
    return x < 0 ? -1.0f : 1.0f;
  return roundOnce(erfOf(x));
}

/// `exact` of a magnitude, made odd.
template <class Exact> float odd(float x, Exact exact) {
  return x < 0 ? -roundOnce(exact(-x)) : roundOnce(exact(x));
}

float exactSin(float x) {
  if (x == 0)
    return x;
  if (x - x != 0)
    return kNaN;
  return odd(x, [](float a) { return sineOf(a, 0); });
}

float exactCos(float x) {
  if (x - x != 0)
    return kNaN;
  return roundOnce(sineOf(x < 0 ? -x : x, 1));
}

float exactSqrt(float x) { return x < 0 ? kNaN : __builtin_sqrtf(x); }

/// One Newton step doubles the 53 bits of the quotient.
float exactRsqrt(float x) {
  if (x == 0)
    return 1.0f / x;
  if (x < 0 || x == kInfinity)
    return x < 0 ? kNaN : 0.0f;
  Double2 y = 1.0 / __builtin_sqrt(double(x));
  return roundOnce(y + y * (Double2(1.0) - Double2(x) * y * y) * Double2(0.5));
}

float exactExp2(float x) {
  if (x >= 128)
    return kInfinity;
  return x < -151 ? 0.0f : roundOnce(exp2Of(x));
}

float exactLog2(float x) {
  if (x <= 0)
    return x == 0 ? -kInfinity : kNaN;
  return x == kInfinity ? x : roundOnce(log2Of(double(x)));
}

float exactTan(float x) {
  if (x == 0)
    return x;
  return x - x != 0 ? kNaN : odd(x, tangentOf);
}

float exactAsin(float x) {
  if (x == 0)
    return x;
  return x < -1 || x > 1 ? kNaN : odd(x, [](float a) { return arcsineOf(a); });
}

float exactAcos(float x) {
  if (x < -1 || x > 1)
    return kNaN;
  return x == 1 ? 0.0f : roundOnce(arccosineOf(x));
}

float exactAtan(float x) {
  if (x == 0)
    return x;
  // From 2^60 on it is the number below pi/2 whatever x, infinity included.
  return odd(x, [](float a) { return arctangentOf(double(a < 0x1p60f ? a : 0x1p60f)); });
}

float exactSinh(float x) {
  if (x == 0)
    return x;
  if (x > 90 || x < -90)
    return x * kInfinity;
  return odd(x, [](float a) {
    Double2 power = expm1Of(double(a));
    return (power + power / (power + Double2(1.0))) * Double2(0.5);
  });
}

float exactCosh(float x) {
  if (x > 90 || x < -90)
    return kInfinity;
  Double2 power = expOf(double(x));
  return roundOnce((power + Double2(1.0) / power) * Double2(0.5));
}

float exactErfInv(float x) {
  if (x == 0)
    return x;
  if (x >= 1 || x <= -1)
    return x == 1 || x == -1 ? x * kInfinity : kNaN;
  return odd(x, [](float a) { return inverseErfOf(a); });
}

float exactSoftplus(float x) {
  if (x > 110)
    return x;
  if (x < -110)
    return 0.0f;
  Double2 low = log1pOf(expOf(-double(x < 0 ? -x : x)));
  return roundOnce(x > 0 ? Double2(x) + low : low);
}

/// x / (1 + e^-exponent), for activations whose exponent grows at least like x.
float sigmoidTimes(float x, Double2 exponent) {
  return roundOnce(Double2(x) / (Double2(1.0) + expOf(-exponent)));
}

float exactSilu(float x) {
  if (x == 0 || x > 110)
    return x;
  return x < -120 ? -0.0f : sigmoidTimes(x, double(x));
}

float exactGelu(float x) {
  if (x == 0 || x > 16)
    return x;
  return x < -16 ? -0.0f : roundOnce(Double2(x) * normalOf(x));
}

/// (1 + tanh u) / 2 = 1 / (1 + e^-2u).
float exactGeluTanh(float x) {
  if (x == 0 || x > 12)
    return x;
  if (x < -12)
    return -0.0f;
  Double2 square = exactProduct(x, x);
  return sigmoidTimes(x, Double2(x) * (kGeluSlope + kGeluCubic * square));
}

using ExactFunction = float (*)(float);

/// Empty for ops that are no elementary function.
ExactFunction findExact(OpKind kind) {
  switch (kind) {
  case OpKind::Sqrt:
    return exactSqrt;
  case OpKind::Rsqrt:
    return exactRsqrt;
  case OpKind::Exp:
    return exactExp;
  case OpKind::Expm1:
    return exactExpm1;
  case OpKind::Log:
    return exactLog;
  case OpKind::Log1p:
    return exactLog1p;
  case OpKind::Sin:
    return exactSin;
  case OpKind::Cos:
    return exactCos;
  case OpKind::Tanh:
    return exactTanh;
  case OpKind::Sigmoid:
    return exactSigmoid;
  case OpKind::Erf:
    return exactErf;
  case OpKind::Exp2:
    return exactExp2;
  case OpKind::Log2:
    return exactLog2;
  case OpKind::Tan:
    return exactTan;
  case OpKind::Asin:
    return exactAsin;
  case OpKind::Acos:
    return exactAcos;
  case OpKind::Atan:
    return exactAtan;
  case OpKind::Sinh:
    return exactSinh;
  case OpKind::Cosh:
    return exactCosh;
  case OpKind::ErfInv:
    return exactErfInv;
  case OpKind::Softplus:
    return exactSoftplus;
  case OpKind::Silu:
    return exactSilu;
  case OpKind::Gelu:
    return exactGelu;
  case OpKind::GeluTanh:
    return exactGeluTanh;
  default:
    return nullptr;
  }
}

} // namespace

bool hasExactElementary(OpKind kind) { return findExact(kind) != nullptr; }

float exactElementary(OpKind kind, float x) {
  ExactFunction function = findExact(kind);
  if (!function)
    throw InternalError("exactElementary: not an f32 elementary function");
  return x != x ? kNaN : function(x);
}

} // namespace apr
