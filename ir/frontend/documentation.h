// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/ast.h"

namespace apr::frontend {

/// The documentation of an entry or train block: its own, then a line "name: …" for each documented
/// input and, in a train block, each documented figure. It reaches header and manifest.
std::string documentationOf(const FunctionDecl &entry);
std::string documentationOf(const TrainMember &train);

} // namespace apr::frontend
