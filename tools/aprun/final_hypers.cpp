// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/final_hypers.h"

namespace apr::aprun {

void setFinalHypers(const Session &session, const CommandLine &line, train::Instance &instance) {
  for (const auto &[name, value] : session.settings.trainer.hyper)
    instance.setHyper(name, value);
  for (const train::HyperChange &change : session.settings.trainer.changes)
    for (const auto &[name, value] : change.values)
      instance.setHyper(name, value);
  train::RunSettings given;
  for (const auto &[info, text] : line.settings)
    if (std::string_view(info->flag) == "hyper")
      train::applyFlag(given, *info, text);
  for (const auto &[name, value] : given.trainer.hyper)
    instance.setHyper(name, value);
}

} // namespace apr::aprun
