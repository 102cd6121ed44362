// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/elementary/activations.h"
#include "codegen/elementary/formulas.h"
#include "ir/op.h"

namespace apr::elementary {

/// A function before its last rounding, over values of type F.
template <class F> using Formula = F (*)(F);

/// Null where the op has none: sqrt is an instruction, all others are no elementary functions.
template <class F> Formula<F> findFormula(OpKind kind) {
  switch (kind) {
  case OpKind::Rsqrt:
    return rsqrt;
  case OpKind::Exp:
    return exp;
  case OpKind::Expm1:
    return expm1;
  case OpKind::Log:
    return log;
  case OpKind::Log1p:
    return log1p;
  case OpKind::Sin:
    return sin;
  case OpKind::Cos:
    return cos;
  case OpKind::Tanh:
    return tanh;
  case OpKind::Sigmoid:
    return sigmoid;
  case OpKind::Erf:
    return erf;
  case OpKind::Exp2:
    return exp2;
  case OpKind::Log2:
    return log2;
  case OpKind::Tan:
    return tan;
  case OpKind::Asin:
    return asin;
  case OpKind::Acos:
    return acos;
  case OpKind::Atan:
    return atan;
  case OpKind::Sinh:
    return sinh;
  case OpKind::Cosh:
    return cosh;
  case OpKind::ErfInv:
    return erfinv;
  case OpKind::Softplus:
    return softplus;
  case OpKind::Silu:
    return silu;
  case OpKind::Gelu:
    return gelu;
  case OpKind::GeluTanh:
    return geluTanh;
  default:
    return nullptr;
  }
}

} // namespace apr::elementary
