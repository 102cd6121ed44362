// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads IR text, verifies it, runs passes, prints the result.
#include "tools/apr-opt/expected_diagnostics.h"
#include "tools/apr-opt/options.h"
#include "tools/apr-opt/split_input.h"

#include "ir/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace apr::opt {
namespace {

/// A file that cannot be read or written.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string readInput(const std::string &path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    throw FileError(
        fmt::format("cannot read '{}': {}", path, file ? "it is a folder" : std::strerror(errno)));
  text << file.rdbuf();
  return text.str();
}

/// Writes the whole output, or leaves what was there before.
void writeOutput(const std::string &path, const std::string &text) {
  if (path == "-") {
    std::cout << text << std::flush;
    if (!std::cout)
      throw FileError("cannot write standard output");
    return;
  }
  std::string temporary = path + ".tmp";
  std::ofstream file(temporary, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file)
    std::filesystem::rename(temporary, path, error);
  if (!file || error) {
    std::string reason = error ? error.message() : std::strerror(errno);
    std::filesystem::remove(temporary, error);
    throw FileError(fmt::format("cannot write '{}': {}", path, reason));
  }
}

void printRemarks(const std::vector<std::string> &remarks) {
  for (const std::string &remark : remarks)
    fmt::print(stderr, "remark: {}\n", remark);
}

void printDiagnostics(const Diagnostics &diagnostics, const SourceManager &sources) {
  bool isColored = isatty(STDERR_FILENO) && !std::getenv("NO_COLOR");
  ColorMode mode = isColored ? ColorMode::Colored : ColorMode::Plain;
  for (const Diagnostic &diagnostic : diagnostics.all())
    fmt::print(stderr, "{}", renderText(diagnostic, sources, mode));
}

/// True where every function was checked.
bool reportRefusals(const run::BitChecker &checker) {
  for (const auto &[function, reason] : checker.refusals())
    fmt::print(stderr,
               "apr-opt: error: --check-bits cannot run @{}: {}; --dim gives sizes, --check-work "
               "raises the limit, --seed draws others\n",
               function, reason);
  return checker.refusals().empty();
}

/// Processes one module; appends its text to `output`. False where a message was an error, or where
/// expected ones did not come.
bool processPart(const std::string &text, const Options &options, std::string &output) {
  SourceManager sources;
  FileId file = sources.add(options.input == "-" ? "<stdin>" : options.input, text);
  Diagnostics diagnostics;
  std::vector<std::string> remarks;
  PassOptions passOptions = options.passOptions;
  if (options.printRemarks)
    passOptions.remarks = &remarks;

  std::optional<run::BitChecker> checker;
  PassManagerOptions manager = options.manager;
  if (options.bitCheck)
    manager.observer = &checker.emplace(*options.bitCheck);

  std::optional<Module> module = parseModule(sources, file, diagnostics);
  bool isGood = module && runPasses(*module, options.passes, passOptions, manager, diagnostics);
  printRemarks(remarks);
  if (isGood && checker)
    isGood = reportRefusals(*checker);
  if (isGood)
    output +=
        print(*module, options.printLocations ? PrintLocations::Yes : PrintLocations::No, &sources);
  if (!options.verifyDiagnostics) {
    printDiagnostics(diagnostics, sources);
    return isGood;
  }
  std::vector<std::string> problems = checkExpectedDiagnostics(sources, file, diagnostics);
  for (const std::string &problem : problems)
    fmt::print(stderr, "{}\n", problem);
  return problems.empty();
}

void listPasses() {
  for (const PassInfo &pass : allPasses())
    fmt::print("{:<22} {:<14} {}\n", pass.name, str(pass.passClass), pass.summary);
}

ExitCode run(Options &options) {
  if (options.listPasses) {
    listPasses();
    return kOk;
  }
  std::vector<PassTiming> timings;
  options.manager.log = [](std::string_view text) { fmt::print(stderr, "{}", text); };
  if (options.timePasses)
    options.manager.timings = &timings;

  std::string text = readInput(options.input);
  std::vector<std::string> parts =
      options.splitInput ? splitInput(text) : std::vector<std::string>{text};
  std::string output;
  bool isGood = true;
  for (const std::string &part : parts) {
    if (!output.empty() && !output.ends_with("// -----\n"))
      output += "\n// -----\n";
    isGood = processPart(part, options, output) && isGood;
  }
  if (options.timePasses)
    fmt::print(stderr, "{}", renderTimings(timings));
  if (isGood)
    writeOutput(options.output, output);
  return isGood ? kOk : kDiagnostics;
}

} // namespace
} // namespace apr::opt

int main(int argc, char **argv) {
  using namespace apr;
  opt::Options options;
  if (auto code = opt::parseOptions(argc, argv, options))
    return *code;
  try {
    return opt::run(options);
  } catch (const run::BitDifference &difference) {
    fmt::print(stderr, "apr-opt: error: {}\n", difference.what());
    return opt::kVerdict;
  } catch (const InternalError &error) {
    fmt::print(stderr, "apr-opt: internal error: {}\n", error.what());
    return opt::kInternal;
  } catch (const std::exception &error) {
    fmt::print(stderr, "apr-opt: error: {}\n", error.what());
    return opt::kFile;
  }
}
