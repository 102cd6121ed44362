// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/graph.h"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace apr {

struct FrontendOptions {
  /// Values for the model's header, as written: `--set hidden=128`, `--set real=f64`.
  std::map<std::string, std::string> settings;
  /// Which model of the file; empty where it has one.
  std::string model;
  /// Finds the file that `from "path" import …` of the file `importer` names; adds it to the source
  /// manager, or returns nothing. Without a resolver, imports are errors.
  std::function<std::optional<FileId>(const std::string &importer, const std::string &path)>
      resolveImport;
};

/// Compiles a model file to IR: an `init` function, `step.grad`, `step.apply` and `step.eval` of
/// every train block, and the entries. Nothing where an error was reported.
std::optional<Module> compileModel(SourceManager &sources, FileId file, Diagnostics &diagnostics,
                                   const FrontendOptions &options = {});

/// The syntax tree of a file as an indented outline; errors are reported.
std::string dumpSyntaxTree(const SourceManager &sources, FileId file, Diagnostics &diagnostics);

} // namespace apr
