// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/kernel.h"

namespace apr {

/// The kernels of a module so far. Entry points repeat each other (a step is a grad and an apply),
/// so equal kernels get one function.
class KernelCache {
public:
  /// As emitKernel, for the module that all calls name. `symbol` names the kernel if it is new.
  EmittedKernel emit(llvm::Module &module, const Graph &graph, const Op &kernel,
                     const std::vector<std::string> &dimNames, const KernelTarget &target,
                     const std::string &symbol);

private:
  struct Entry {
    std::shared_ptr<const Graph> region;
    std::vector<std::string> dimNames;
    std::vector<bool> isVisible;
    EmittedKernel kernel;
  };
  std::vector<Entry> entries_;
};

} // namespace apr
