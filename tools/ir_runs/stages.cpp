// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ir_runs/stages.h"

#include "passes/pass_manager.h"
#include "passes/pipeline.h"

namespace apr::run {

Result<std::vector<Stage>> makeStages(const Module &module, const SourceManager &sources) {
  std::vector<Stage> stages{{"source", module}};
  for (const std::string &pass : makePipeline(OptimizationLevel::Default)) {
    Module next = stages.back().module;
    Diagnostics diagnostics;
    PassManagerOptions options;
    options.verifyEach = true;
    if (!runPasses(next, std::span(&pass, 1), {}, options, diagnostics)) {
      std::string text = "pass " + pass + ":\n";
      for (const Diagnostic &diagnostic : diagnostics.all())
        text += renderText(diagnostic, sources, ColorMode::Plain) + "\n";
      return Error{text};
    }
    stages.push_back({pass, std::move(next)});
  }
  return stages;
}

} // namespace apr::run
