// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/command_line.h"
#include "tools/aprun/model_loader.h"

#include <memory>

namespace apr::aprun {

/// What `aprun train` does, with a model that was loaded before; null loads it.
int trainWith(const CommandLine &line, std::unique_ptr<LoadedModel> model);

} // namespace apr::aprun
