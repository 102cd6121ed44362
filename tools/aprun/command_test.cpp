// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/compose_steps.h"
#include "runtime/train/error.h"
#include "runtime/train/json_text.h"
#include "runtime/train/run_settings.h"
#include "tools/aprc/files.h"
#include "tools/aprc/load_module.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/report.h"
#include "tools/aprun/test_runner.h"

#include <fmt/format.h>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using Status = TestOutcome::Status;

struct Counts {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t broken = 0;
  bool hasErrors = false; ///< of a file as a whole

  std::size_t total() const { return passed + failed + broken; }
};

enum class Form { Text, Json };

const char *statusName(Status status) {
  return status == Status::Passed ? "passed" : status == Status::Failed ? "failed" : "error";
}

void printText(const TestOutcome &outcome, const SourceManager &sources) {
  fmt::print("{:<6} {}\n", statusName(outcome.status), outcome.title);
  for (const TestFailure &failure : outcome.failures) {
    Diagnostic diagnostic{
        DiagnosticKind::ExpectFailed, Severity::Error, failure.location, failure.message, {}, {}};
    // Values that take lines of their own stand below the line of the source.
    const std::size_t end = failure.message.find('\n');
    diagnostic.message = "expectation failed: " + failure.message.substr(0, end);
    fmt::print("{}", renderText(diagnostic, sources, ColorMode::Plain));
    if (end != std::string::npos)
      fmt::print("{}\n", failure.message.substr(end + 1));
  }
}

void printJson(const TestOutcome &outcome, const SourceManager &sources) {
  train::Json json;
  json["file"] = sources.name(outcome.location.file);
  json["line"] = outcome.location.line;
  json["test"] = outcome.title;
  json["status"] = statusName(outcome.status);
  json["failures"] = train::Json::array();
  for (const TestFailure &failure : outcome.failures)
    json["failures"].push_back({{"line", failure.location.line},
                                {"column", failure.location.column},
                                {"message", failure.message}});
  fmt::print("{}\n", json.dump(-1, ' ', false, train::Json::error_handler_t::replace));
}

void testFile(const std::string &path, const CommandLine &line, const TestRunOptions &options,
              Counts &counts) {
  SourceManager sources;
  Diagnostics diagnostics;
  const FileId file = sources.add(path == "-" ? "<stdin>" : path, aprc::readFile(path));
  TestOptions lowering;
  lowering.frontend.resolveImport = aprc::importResolver(sources);
  const std::string filter = line.option("filter").value_or("");
  lowering.selects = [&](const std::string &title) {
    return title.find(filter) != std::string::npos;
  };
  lowering.complete = [](Module &module, Diagnostics &found) { composeSteps(module, {}, found); };
  const auto tests = lowerTests(sources, file, diagnostics, lowering);
  printDiagnostics(diagnostics, sources);
  // Of their own: tests that have errors do not stop the others.
  Diagnostics running;
  std::vector<TestOutcome> outcomes;
  if (tests)
    outcomes = runTests(*tests, options, running);
  printDiagnostics(running, sources);
  counts.hasErrors = counts.hasErrors || diagnostics.hasErrors() || running.hasErrors();
  for (const TestOutcome &outcome : outcomes) {
    if (line.option("json"))
      printJson(outcome, sources);
    else
      printText(outcome, sources);
    ++(outcome.status == Status::Passed   ? counts.passed
       : outcome.status == Status::Failed ? counts.failed
                                          : counts.broken);
  }
}

void printSummary(const Counts &counts, Form form) {
  if (form == Form::Json) {
    const train::Json json = {{"tests", counts.total()},
                              {"passed", counts.passed},
                              {"failed", counts.failed},
                              {"errors", counts.broken}};
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print("{} test{}: {} passed, {} failed", counts.total(), counts.total() == 1 ? "" : "s",
             counts.passed, counts.failed);
  fmt::print("{}\n", counts.broken == 0 ? "" : fmt::format(", {} with errors", counts.broken));
}

TestRunOptions runOptions(const CommandLine &line) {
  TestRunOptions options;
  if (line.option("interp") && !line.option("native"))
    options.compiles = false;
  if (line.option("native") && !line.option("interp"))
    options.interprets = false;
  options.cpu = line.option("cpu").value_or("native");
  options.optimize = line.option("optimize").value_or("");
  if (!options.optimize.empty() &&
      (options.optimize.size() != 1 || options.optimize[0] < '0' || options.optimize[0] > '3'))
    throw Error(
        ErrorKind::Usage, {"--optimize"},
        fmt::format("expected a level from 0 to 3, found {}", train::inQuotes(options.optimize)));
  train::RunSettings settings;
  for (const auto &[info, text] : line.settings)
    train::applyFlag(settings, *info, text);
  options.seed = settings.trainer.seed;
  return options;
}

} // namespace

int testCommand(const CommandLine &line) {
  if (line.arguments.empty())
    throw Error(ErrorKind::Usage, "aprun test takes source files, or - for standard input");
  const TestRunOptions options = runOptions(line);
  Counts counts;
  try {
    for (const std::string &path : line.arguments)
      testFile(path, line, options, counts);
  } catch (const aprc::FileError &error) {
    throw Error(ErrorKind::Data, error.what());
  }
  if (counts.total() == 0 && !counts.hasErrors && line.option("filter"))
    throw Error(
        ErrorKind::Usage, {"--filter"},
        fmt::format("no test's title contains {}", train::inQuotes(*line.option("filter"))));
  printSummary(counts, line.option("json") ? Form::Json : Form::Text);
  if (counts.hasErrors || counts.broken != 0)
    return DiagnosticsFound;
  return counts.failed == 0 ? Success : VerdictFailed;
}

} // namespace apr::aprun
