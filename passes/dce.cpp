// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/dce.h"

#include "passes/dead_code.h"

namespace apr {

void dce(Module &module, const PassOptions &, Diagnostics &) {
  for (Function &function : module.functions)
    function.graph = dropDeadCode(function.graph, DeadOps::Drop);
}

} // namespace apr
