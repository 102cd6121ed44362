// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/elementwise.h"
#include "ir/interp/exact_math.h"

namespace apr::interp {

namespace {

/// f32 functions are primitive and correctly rounded.
void elementary(Evaluation &e) {
  if (e.operand(0).dtype != DType::F32)
    e.reject("cannot be computed in f64 yet");
  mapUnary<float, float>(e, [kind = e.op().kind](float x) { return exactElementary(kind, x); });
}

} // namespace

void evalRsqrt(Evaluation &e) { elementary(e); }
void evalExp(Evaluation &e) { elementary(e); }
void evalExpm1(Evaluation &e) { elementary(e); }
void evalLog(Evaluation &e) { elementary(e); }
void evalLog1p(Evaluation &e) { elementary(e); }
void evalSin(Evaluation &e) { elementary(e); }
void evalCos(Evaluation &e) { elementary(e); }
void evalTanh(Evaluation &e) { elementary(e); }
void evalSigmoid(Evaluation &e) { elementary(e); }
void evalErf(Evaluation &e) { elementary(e); }
void evalPow(Evaluation &e) { e.reject("cannot be computed yet"); }
void evalNormal(Evaluation &e) { e.reject("cannot be computed yet"); }

} // namespace apr::interp
