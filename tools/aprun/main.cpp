// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/float_environment.h"
#include "runtime/train/error.h"
#include "tools/aprun/command_line.h"
#include "tools/aprun/commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

namespace apr::aprun {

int exitCode(train::ErrorKind kind) {
  switch (kind) {
  case train::ErrorKind::Diagnostics:
    return DiagnosticsFound;
  case train::ErrorKind::Usage:
    return BadUsage;
  case train::ErrorKind::Data:
    return BadData;
  case train::ErrorKind::Verdict:
    return VerdictFailed;
  case train::ErrorKind::Interrupted:
    return Interrupted;
  case train::ErrorKind::Internal:
    return InternalError;
  }
  return InternalError;
}

namespace {

int run(const CommandLine &line) {
  if (line.command == "help" || line.option("help")) {
    const std::string topic = line.command != "help"   ? line.command
                              : line.arguments.empty() ? std::string()
                                                       : line.arguments.front();
    fmt::print("{}", helpText(topic));
    return Success;
  }
  if (line.command == "train")
    return trainCommand(line);
  if (line.command == "sweep")
    return sweepCommand(line);
  if (line.command == "eval")
    return evalCommand(line);
  if (line.command == "predict")
    return predictCommand(line);
  if (line.command == "grad-check")
    return gradCheckCommand(line);
  if (line.command == "test")
    return testCommand(line);
  if (line.command == "fmt")
    return fmtCommand(line);
  if (line.command == "verify")
    return verifyCommand(line);
  if (line.command == "export")
    return exportCommand(line);
  if (line.command == "import")
    return importCommand(line);
  if (line.command == "report")
    return reportCommand(line);
  if (line.command == "compare")
    return compareCommand(line);
  if (line.command == "hash")
    return hashCommand(line);
  return inspectCommand(line);
}

int guardedMain(std::vector<std::string> arguments) {
  if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h"))
    arguments = {"help"};
  if (arguments.size() == 1 && arguments[0] == "--version") {
    fmt::print("{}", versionText());
    return Success;
  }
  try {
    const int code = run(parseCommandLine(arguments));
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      throw train::Error(train::ErrorKind::Data, {"<stdout>"}, "cannot write the output");
    return code;
  } catch (const train::Error &error) {
    std::fflush(stdout);
    fmt::print(stderr, "{}\n", error.what());
    return exitCode(error.kind());
  } catch (const std::bad_alloc &) {
    fmt::print(stderr, "error: out of memory\n");
    return BadData;
  } catch (const std::exception &error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
    return InternalError;
  }
}

} // namespace
} // namespace apr::aprun

int main(int argc, char **argv) {
  // What prepares data and averages reports must not depend on a library that was loaded before.
  apr::FloatEnvironment environment;
  return apr::aprun::guardedMain(std::vector<std::string>(argv + 1, argv + argc));
}
