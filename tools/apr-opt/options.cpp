// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-opt/options.h"

#include "passes/pipeline.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace apr::opt {
namespace {

constexpr const char *kFooter = R"(
Examples:
  apr-opt model.apir -p differentiate,cse,dce
  apr-opt model.apir --pipeline=default --print-changed
  aprc model.apr --emit=ir -o - | apr-opt - -p differentiate
Exit codes: 0 ok, 1 diagnostics (or expected ones that did not come), 2 usage, 3 file, 4 a pass
changes bits, 70 internal.)";

/// What the command line says before it is checked.
struct Raw {
  std::string passes;
  std::string pipeline;
  std::vector<std::string> dims;
  std::string checkBits;
  run::BitCheckOptions bitCheck;
  bool printAll = false;
  bool printChanged = false;
  bool noFuse = false;
  bool noVerifyEach = false;
};

void declareFlags(CLI::App &app, Options &options, Raw &raw) {
  app.add_option("input", options.input, "The IR text file; - is standard input")
      ->type_name("FILE");
  app.add_option("-o,--output", options.output, "Where the IR goes; - is standard output")
      ->type_name("FILE");
  auto *passes = app.add_option("-p,--passes", raw.passes,
                                "Passes to run, in this order; bind-dims{B=64} and "
                                "fuse-elementwise{off} have options")
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
  app.add_flag("--no-fuse", raw.noFuse, "Leave every op a kernel of its own");
  app.add_flag("--split-input-file", options.splitInput,
               "Treat the parts between lines '// -----' as files of their own");
  app.add_flag("--verify-diagnostics", options.verifyDiagnostics,
               "Check diagnostics against '// expected-error {{text}}' comments (also "
               "expected-warning, expected-remark; @+N, @-N lines away, @* anywhere)");
  app.add_flag("--verify-each", options.manager.verifyEach,
               "Verify the IR after every pass (the default)");
  app.add_flag("--no-verify-each", raw.noVerifyEach, "Do not");
  app.add_flag("--print-after-all", raw.printAll, "Print the IR after every pass, to stderr");
  app.add_flag("--print-changed", raw.printChanged,
               "Print the IR after every pass that changed it, to stderr");
  app.add_flag("--print-locations", options.printLocations, "Print source locations in the IR");
  app.add_flag("--print-remarks", options.printRemarks, "Print what passes decided, to stderr");
  app.add_option("--dump-dir", options.manager.dumpDirectory,
                 "Write the IR after every pass to numbered files in a folder")
      ->type_name("FOLDER");
  app.add_flag("--time-passes", options.timePasses, "Print the time of every pass, to stderr");
  app.add_flag("--check-bits{preserving}", raw.checkBits,
               "Run all functions in the interpreter before and after every pass that claims to "
               "preserve bits (=all: every pass), and fail at the first bit that differs")
      ->type_name("preserving|all")
      ->check(CLI::IsMember({"preserving", "all"}));
  app.add_option("--seed", raw.bitCheck.seed,
                 "The seed of the inputs of --check-bits, 1 by default");
  app.add_option("--cases", raw.bitCheck.cases,
                 "How many inputs --check-bits draws for a function, 8 by default")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 20));
  app.add_option(
         "--check-work", raw.bitCheck.maximumWork,
         "How many scalar operations a run of --check-bits may take; open dims are drawn to "
         "fit, a function that cannot is refused")
      ->check(CLI::PositiveNumber);
  app.set_version_flag("--version", "apr-opt " APR_VERSION);
  app.footer(kFooter);
}

/// "B=64"
std::optional<Error> parseDim(std::string_view text, DimBindings &dims) {
  size_t equals = text.find('=');
  if (equals != std::string_view::npos && equals != 0) {
    int64_t value = 0;
    const char *end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data() + equals + 1, end, value);
    if (error == std::errc() && stop == end) {
      dims[std::string(text.substr(0, equals))] = value;
      return std::nullopt;
    }
  }
  return Error{fmt::format("'{}' is not of the form NAME=SIZE", text)};
}

/// The option of a pass, such as bind-dims{B=64} or fuse-elementwise{off}.
std::optional<Error> applyPassOption(std::string_view pass, std::string_view option,
                                     PassOptions &options) {
  if (pass == "bind-dims")
    return parseDim(option, options.dims);
  if (pass != "fuse-elementwise" || option != "off")
    return Error{fmt::format("pass '{}' has no option '{}'", pass, option)};
  options.fuse = false;
  return std::nullopt;
}

/// Moves the {…} of a pass list to the options; each stands behind its pass, comma separated.
std::optional<Error> takePassOptions(std::string &passes, PassOptions &options) {
  for (size_t open = passes.find('{'); open != std::string::npos; open = passes.find('{')) {
    size_t close = passes.find('}', open);
    if (close == std::string::npos)
      return Error{"a '{' in the pass list is not closed"};
    size_t start = passes.find_last_of(", ", open);
    start = start == std::string::npos ? 0 : start + 1;
    std::string pass = passes.substr(start, open - start);
    std::string inside = passes.substr(open + 1, close - open - 1);
    passes.erase(open, close - open + 1);
    for (size_t at = 0; at <= inside.size();) {
      size_t comma = std::min(inside.find(',', at), inside.size());
      if (auto problem = applyPassOption(pass, inside.substr(at, comma - at), options))
        return problem;
      at = comma + 1;
    }
  }
  return std::nullopt;
}

std::optional<Error> choosePasses(Raw &raw, Options &options) {
  options.passOptions.fuse = !raw.noFuse;
  for (const std::string &dim : raw.dims)
    if (auto problem = parseDim(dim, options.passOptions.dims))
      return Error{"--dim: " + problem->message};
  if (!raw.pipeline.empty()) {
    auto level = findOptimizationLevel(raw.pipeline);
    if (!level)
      return Error{fmt::format("unknown pipeline '{}', expected 'default' or 'O0'", raw.pipeline)};
    options.passes = makePipeline(*level);
    options.passOptions.fuse = options.passOptions.fuse && makePassOptions(*level).fuse;
    return std::nullopt;
  }
  if (auto problem = takePassOptions(raw.passes, options.passOptions))
    return problem;
  auto passes = parsePassList(raw.passes);
  if (!passes)
    return Error{passes.error()};
  options.passes = std::move(*passes);
  return std::nullopt;
}

} // namespace

std::optional<ExitCode> parseOptions(int argc, char **argv, Options &options) {
  CLI::App app("Reads IR text, verifies it, runs passes and prints the result.", "apr-opt");
  Raw raw;
  declareFlags(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  options.manager.verifyEach = !raw.noVerifyEach; // a tool for testing
  if (raw.printChanged)
    options.manager.print = PrintPolicy::Changed;
  if (raw.printAll)
    options.manager.print = PrintPolicy::All;
  std::optional<Error> problem = choosePasses(raw, options);
  if (!raw.checkBits.empty()) {
    options.bitCheck = raw.bitCheck;
    options.bitCheck->dims = options.passOptions.dims;
    if (raw.checkBits == "all")
      options.bitCheck->passes = run::CheckedPasses::All;
  }
  if (!problem)
    problem = findDisableProblem(options.manager.disabled);
  if (!problem)
    return std::nullopt;
  fmt::print(stderr, "apr-opt: error: {}\n", problem->message);
  return kUsage;
}

} // namespace apr::opt
