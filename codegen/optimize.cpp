// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/optimize.h"

#include <llvm/Passes/PassBuilder.h>
#include <llvm/Target/TargetMachine.h>

namespace apr {
namespace {

llvm::OptimizationLevel pipelineLevel(CodegenLevel level) {
  switch (level) {
  case CodegenLevel::O0:
    return llvm::OptimizationLevel::O0;
  case CodegenLevel::O1:
    return llvm::OptimizationLevel::O1;
  case CodegenLevel::O2:
    return llvm::OptimizationLevel::O2;
  case CodegenLevel::O3:
    return llvm::OptimizationLevel::O3;
  }
  return llvm::OptimizationLevel::O2;
}

} // namespace

void optimizeModule(llvm::Module &module, const Target &target) {
  if (target.level() == CodegenLevel::O0)
    return;
  // Kernels are vector code already; what LLVM would still find is not worth its time.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&target.machine(), tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(pipelineLevel(target.level())).run(module, modules);
}

} // namespace apr
