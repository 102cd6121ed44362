// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/graph.h"

namespace apr {

enum class PrintLocations : uint8_t { No, Yes };

/// The text form of docs/ir.md. parseModule of it gives an equal module, and printing that gives
/// the same text; locations survive with PrintLocations::Yes.
std::string print(const Module &module, PrintLocations locations = PrintLocations::No,
                  const SourceManager *sources = nullptr);
std::string print(const Function &function);
/// One op as it stands in the text, for messages.
std::string printOp(const Graph &graph, const Op &op);

/// Parses IR text and verifies it. Values without location marks get the place of their line.
std::optional<Module> parseModule(SourceManager &sources, FileId file, Diagnostics &diagnostics);

} // namespace apr
