// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-opt/options.h"

#include "passes/pipeline.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>

namespace apr::opt {
namespace {

constexpr const char *kFooter = R"(
Examples:
  apr-opt model.apir -p differentiate,cse,dce
  apr-opt model.apir --pipeline=default --print-changed
  aprc model.apr --emit=ir -o - | apr-opt - -p differentiate
Exit codes: 0 ok, 1 diagnostics (or expected ones that did not come), 2 usage, 3 file, 70 internal.)";

/// What the command line says before it is checked.
struct Raw {
  std::string passes;
  std::string pipeline;
  std::vector<std::string> dims;
  bool printAll = false;
  bool printChanged = false;
};

void declareFlags(CLI::App &app, Options &options, Raw &raw) {
  app.add_option("input", options.input, "The IR text file; - is standard input")
      ->type_name("FILE");
  app.add_option("-o,--output", options.output, "Where the IR goes; - is standard output")
      ->type_name("FILE");
  auto *passes = app.add_option("-p,--passes", raw.passes, "Passes to run, in this order")
                     ->type_name("PASS,PASS,...");
  app.add_option("--pipeline", raw.pipeline, "Run the passes of the compiler")
      ->type_name("default|O0")
      ->excludes(passes);
  app.add_flag("--list-passes", options.listPasses, "List the passes and what they do");
  app.add_option("--disable-pass", options.manager.disabled,
                 "Leave out a bit-preserving pass (repeatable)")
      ->type_name("PASS,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--opt-bisect-limit", options.manager.bisectLimit,
                 "Run only the first N bit-preserving passes, and log them")
      ->type_name("N");
  app.add_option("--dim", raw.dims, "Size of a dim variable, for bind-dims (repeatable)")
      ->type_name("NAME=SIZE")
      ->allow_extra_args(false);
  app.add_flag("!--no-fuse", options.passOptions.fuse, "Leave every op a kernel of its own");
  app.add_flag("--split-input-file", options.splitInput,
               "Treat the parts between lines '// -----' as files of their own");
  app.add_flag("--verify-diagnostics", options.verifyDiagnostics,
               "Check diagnostics against '// expected-error {{text}}' comments (also "
               "expected-warning, expected-remark; @+N, @-N lines away, @* anywhere)");
  app.add_flag("--verify-each,!--no-verify-each", options.manager.verifyEach,
               "Verify the IR after every pass (the default)");
  app.add_flag("--print-after-all", raw.printAll, "Print the IR after every pass, to stderr");
  app.add_flag("--print-changed", raw.printChanged,
               "Print the IR after every pass that changed it, to stderr");
  app.add_flag("--print-locations", options.printLocations, "Print source locations in the IR");
  app.add_flag("--print-remarks", options.printRemarks, "Print what passes decided, to stderr");
  app.add_option("--dump-dir", options.manager.dumpDirectory,
                 "Write the IR after every pass to numbered files in a folder")
      ->type_name("FOLDER");
  app.add_flag("--time-passes", options.timePasses, "Print the time of every pass, to stderr");
  app.set_version_flag("--version", "apr-opt " APR_VERSION);
  app.footer(kFooter);
}

std::optional<Error> choosePasses(const Raw &raw, Options &options) {
  if (!raw.pipeline.empty()) {
    auto level = findOptimizationLevel(raw.pipeline);
    if (!level)
      return Error{fmt::format("unknown pipeline '{}', expected 'default' or 'O0'", raw.pipeline)};
    options.passes = makePipeline(*level);
    options.passOptions.fuse = options.passOptions.fuse && makePassOptions(*level).fuse;
    return std::nullopt;
  }
  auto passes = parsePassList(raw.passes);
  if (!passes)
    return Error{passes.error()};
  options.passes = std::move(*passes);
  return std::nullopt;
}

std::optional<Error> parseDims(const Raw &raw, DimBindings &dims) {
  for (const std::string &text : raw.dims) {
    size_t equals = text.find('=');
    int64_t value = 0;
    const char *end = text.data() + text.size();
    bool isGood = equals != std::string::npos && equals != 0;
    if (isGood) {
      auto [stop, error] = std::from_chars(text.data() + equals + 1, end, value);
      isGood = error == std::errc() && stop == end;
    }
    if (!isGood)
      return Error{fmt::format("--dim '{}' is not of the form NAME=SIZE", text)};
    dims[text.substr(0, equals)] = value;
  }
  return std::nullopt;
}

} // namespace

std::optional<ExitCode> parseOptions(int argc, char **argv, Options &options) {
  CLI::App app("Reads IR text, verifies it, runs passes and prints the result.", "apr-opt");
  Raw raw;
  options.manager.verifyEach = true; // a tool for testing
  declareFlags(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  if (raw.printChanged)
    options.manager.print = PrintPolicy::Changed;
  if (raw.printAll)
    options.manager.print = PrintPolicy::All;
  std::optional<Error> problem = choosePasses(raw, options);
  if (!problem)
    problem = findDisableProblem(options.manager.disabled);
  if (!problem)
    problem = parseDims(raw, options.passOptions.dims);
  if (!problem)
    return std::nullopt;
  fmt::print(stderr, "apr-opt: error: {}\n", problem->message);
  return kUsage;
}

} // namespace apr::opt
