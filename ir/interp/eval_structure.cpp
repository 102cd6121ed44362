// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/eval.h"

namespace apr::interp {

void evalGradient(Evaluation &e) {
  e.reject("cannot be computed: the pass differentiate replaces it");
}

void evalKernel(Evaluation &e) {
  e.require(e.op().region != nullptr, "has no region");
  std::vector<const Tensor *> arguments;
  for (size_t i = 0; i < e.operandCount(); ++i)
    arguments.push_back(&e.operand(i));
  auto results = runGraph(*e.op().region, arguments, e.dims(), e.memory(), e.depth() + 1, {});
  e.require(results.size() == e.op().results.size(),
            "has another number of results than its region");
  for (size_t i = 0; i < results.size(); ++i)
    e.setResult(i, std::move(results[i]));
}

} // namespace apr::interp
