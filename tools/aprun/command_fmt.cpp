// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/format.h"
#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/line_diff.h"
#include "tools/aprun/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace apr::aprun {
namespace {

namespace fs = std::filesystem;
using train::Error;
using train::ErrorKind;

enum class Output { Replace, Check, Diff };

/// The files named, and those ending in .apr inside the folders named, in the order of their paths.
std::vector<std::string> filesOf(const std::vector<std::string> &arguments) {
  std::vector<std::string> files;
  for (const std::string &argument : arguments) {
    std::error_code error;
    if (argument == "-" || !fs::is_directory(argument, error)) {
      files.push_back(argument);
      continue;
    }
    const std::size_t first = files.size();
    for (fs::recursive_directory_iterator i(argument, error), end; !error && i != end;
         i.increment(error))
      if (i->path().extension() == ".apr" && i->is_regular_file(error))
        files.push_back(i->path().string());
    if (error)
      throw Error(ErrorKind::Data, {argument}, error.message());
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
  }
  return files;
}

/// Replaces what a path names, through links, keeping its permissions.
void replaceFile(const std::string &path, const std::string &text) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  const fs::perms permissions = fs::status(target, error).permissions();
  train::writeFile(error ? path : target.string(), text);
  if (!error)
    fs::permissions(target, permissions, error);
}

/// False where the file has errors, or where it is to be checked and is not formatted.
bool formatFile(const std::string &path, Output output) {
  SourceManager sources;
  Diagnostics diagnostics;
  const std::string text = train::readFile(path);
  const FileId file = sources.add(path == "-" ? "<stdin>" : path, text);
  const auto formatted = formatSource(sources, file, diagnostics);
  printDiagnostics(diagnostics, sources);
  if (!formatted)
    return false;
  const bool isSame = *formatted == text;
  if (output == Output::Diff)
    fmt::print("{}", unifiedDiff(sources.name(file), text, *formatted));
  else if (output == Output::Check && !isSame)
    fmt::print(stderr, "{} is not formatted\n", sources.name(file));
  else if (output == Output::Replace && path == "-")
    fmt::print("{}", *formatted);
  else if (output == Output::Replace && !isSame)
    replaceFile(path, *formatted);
  return output == Output::Replace || isSame;
}

} // namespace

int fmtCommand(const CommandLine &line) {
  if (line.arguments.empty())
    throw Error(ErrorKind::Usage, "aprun fmt takes files or folders, or - for standard input");
  const Output output = line.option("diff")    ? Output::Diff
                        : line.option("check") ? Output::Check
                                               : Output::Replace;
  bool isGood = true;
  for (const std::string &path : filesOf(line.arguments))
    isGood = formatFile(path, output) && isGood;
  return isGood ? Success : DiagnosticsFound;
}

} // namespace apr::aprun
