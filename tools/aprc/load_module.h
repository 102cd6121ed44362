// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/graph.h"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace apr::aprc {

struct ModuleRequest {
  std::string path; ///< .apr, .apir, or "-" for either
  std::map<std::string, std::string> set;
  std::string model; ///< which one of the file; empty where it has one
};

/// Reads a model or IR text and verifies the IR. Nothing where there are errors. Throws FileError
/// where the file itself cannot be read, UsageError for --set with IR text.
std::optional<Module> loadModule(const ModuleRequest &request, SourceManager &sources,
                                 Diagnostics &diagnostics);

/// Finds imported files next to the file that imports them; each is read once.
std::function<std::optional<FileId>(const std::string &importer, const std::string &path)>
importResolver(SourceManager &sources);

/// The syntax tree of a model as text; empty where it has errors.
std::string printSyntaxTree(const std::string &path, SourceManager &sources,
                            Diagnostics &diagnostics);

/// SHA-256 of all files of the user's that were read, in hexadecimal. The standard library is part
/// of the compiler.
std::string hashSources(const SourceManager &sources);

/// "train.o: model.apr blocks.apr" for make.
std::string dependencyRule(const std::string &target, const SourceManager &sources);

} // namespace apr::aprc
