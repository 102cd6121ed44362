// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/model_builder.h"

#include <string>
#include <vector>

namespace builder_programs {

/// A program in the language and in C++.
struct BuilderProgram {
  std::string name;
  std::string source;
  void (*build)(apr::model::Program &program);

  friend std::ostream &operator<<(std::ostream &out, const BuilderProgram &program) {
    return out << program.name;
  }
};

const std::vector<BuilderProgram> &builderPrograms();

/// What "blocks.apr" holds, which one of the programs imports.
extern const char *const kImportedBlocks;

} // namespace builder_programs
