// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/expansions/expansions.h"
#include "ir/interp/elementwise.h"
#include "ir/interp/exact_math.h"

namespace apr::interp {

namespace {

/// The op's meaning is a graph of other ops: runs that.
void expanded(Evaluation &e) {
  Graph expansion = expansionOf(e.graph(), e.op());
  std::vector<const Tensor *> arguments;
  for (size_t i = 0; i < e.operandCount(); ++i)
    arguments.push_back(&e.operand(i));
  auto results = runGraph(expansion, arguments, e.dims(), e.memory(), e.depth() + 1, {});
  e.setResult(0, std::move(results.front()));
}

/// f32 functions are primitive and correctly rounded; f64 functions mean their expansion.
void elementary(Evaluation &e) {
  if (e.operand(0).dtype != DType::F32)
    return expanded(e);
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
void evalExp2(Evaluation &e) { elementary(e); }
void evalLog2(Evaluation &e) { elementary(e); }
void evalTan(Evaluation &e) { elementary(e); }
void evalAsin(Evaluation &e) { elementary(e); }
void evalAcos(Evaluation &e) { elementary(e); }
void evalAtan(Evaluation &e) { elementary(e); }
void evalSinh(Evaluation &e) { elementary(e); }
void evalCosh(Evaluation &e) { elementary(e); }
void evalErfInv(Evaluation &e) { elementary(e); }
void evalSoftplus(Evaluation &e) { elementary(e); }
void evalSilu(Evaluation &e) { elementary(e); }
void evalGelu(Evaluation &e) { elementary(e); }
void evalGeluTanh(Evaluation &e) { elementary(e); }
void evalPow(Evaluation &e) { expanded(e); }
void evalAtan2(Evaluation &e) { expanded(e); }
void evalNormal(Evaluation &e) { expanded(e); }

} // namespace apr::interp
