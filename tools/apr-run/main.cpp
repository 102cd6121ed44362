// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/text.h"
#include "tools/apr-run/closeness.h"
#include "tools/apr-run/run_directive.h"
#include "tools/ir_runs/random_arguments.h"
#include "tools/ir_runs/stages.h"
#include "tools/ir_runs/tensor_text.h"
#include "tools/native_runs/native.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <sstream>

namespace apr::run {
namespace {

enum ExitCode : int {
  kOk = 0,
  kDiagnostics = 1,
  kUsage = 2,
  kInputFile = 3,
  kVerdict = 4,
  kInternal = 70
};

struct Options {
  std::string file;
  std::string backend = "both";
  std::string cpu = "native";
  std::optional<uint64_t> randomSeed;
  int64_t cases = 20;
  bool print = false;
};

std::string printed(const RunDirective &run, const Outcome &outcome) {
  if (!outcome)
    return "error \"" + outcome.error() + "\"";
  std::string text;
  for (size_t i = 0; i < outcome->size(); ++i)
    text +=
        fmt::format("{}{} = {}", i ? ", " : "", run.function->results[i].name, str((*outcome)[i]));
  return text;
}

/// How an outcome differs from what the directive says; empty where it does not.
std::string problemOf(const RunDirective &run, const Outcome &outcome) {
  if (run.expectedError) {
    if (outcome)
      return fmt::format("gives {}, expected an error", printed(run, outcome));
    return outcome.error().find(*run.expectedError) == std::string::npos
               ? fmt::format("the error is '{}', expected one with '{}'", outcome.error(),
                             *run.expectedError)
               : "";
  }
  if (!outcome)
    return outcome.error();
  for (size_t i = 0; i < outcome->size(); ++i)
    if (run.expected[i])
      if (auto where = run.mayRound[i] ? firstDistance((*outcome)[i], *run.expected[i])
                                       : firstDifference((*outcome)[i], *run.expected[i]))
        return fmt::format("{}: {}", run.function->results[i].name, *where);
  return "";
}

/// Runs every directive; returns how many fail.
size_t runDirectives(const Options &options, const std::vector<RunDirective> &runs,
                     const std::vector<Variant> &variants) {
  size_t failures = 0;
  for (const RunDirective &run : runs) {
    auto comparison =
        compareVariants(variants, *run.function, run.arguments, run.dims,
                        [&](const Outcome &outcome) { return problemOf(run, outcome); });
    if (options.print && comparison.meaning)
      fmt::print("line {}: {}\n", run.line, printed(run, *comparison.meaning));
    if (comparison.problem.empty() && comparison.variantsRun > 0)
      continue;
    ++failures;
    fmt::print(stderr, "{}:{}: @{}: {}\n", options.file, run.line, run.function->name,
               comparison.problem.empty() ? "nothing could run it" : comparison.problem);
  }
  return failures;
}

size_t runRandomCases(const Options &options, const Module &module,
                      const std::vector<Variant> &variants) {
  size_t failures = 0;
  for (const Function &function : module.functions) {
    RandomInputs random(*options.randomSeed);
    bool anyResult = false;
    for (int64_t i = 0; i < options.cases; ++i) {
      DimBindings dims = drawDims(function, random);
      auto arguments = drawArguments(module, function, dims, random);
      if (!arguments)
        continue;
      auto comparison = compareVariants(variants, function, *arguments, dims,
                                        [](const Outcome &) { return std::string(); });
      anyResult = anyResult || (comparison.meaning && *comparison.meaning);
      if (comparison.problem.empty())
        continue;
      ++failures;
      std::string bound;
      for (const auto &[name, value] : dims)
        bound += fmt::format(" {}={}", name, value);
      fmt::print(stderr, "{}: @{}, seed {}, case {}{}: {}\n", options.file, function.name,
                 *options.randomSeed, i, bound, comparison.problem);
    }
    if (!anyResult && options.cases > 0) {
      ++failures;
      fmt::print(stderr, "{}: @{}, seed {}: every case is refused, so nothing is compared\n",
                 options.file, function.name, *options.randomSeed);
    }
  }
  return failures;
}

/// The stage whose text does not read back as the same module, and why; empty where all do.
std::string problemOfTexts(const std::vector<Stage> &stages) {
  for (const Stage &stage : stages) {
    std::string text = print(stage.module);
    SourceManager sources;
    Diagnostics diagnostics;
    auto again = parseModule(sources, sources.add(stage.name, text), diagnostics);
    if (!again)
      return "the text after " + stage.name +
             " is refused: " + renderText(diagnostics.all().front(), sources, ColorMode::Plain);
    if (print(*again) != text)
      return "the text after " + stage.name + " reads back as another module";
  }
  return {};
}

int run(const Options &options) {
  std::ifstream stream(options.file, std::ios::binary);
  std::stringstream content;
  content << stream.rdbuf();
  if (!stream) {
    fmt::print(stderr, "{}: cannot be read\n", options.file);
    return kInputFile;
  }
  SourceManager sources;
  Diagnostics diagnostics;
  FileId file = sources.add(options.file, content.str());
  auto module = parseModule(sources, file, diagnostics);
  for (const Diagnostic &diagnostic : diagnostics.all())
    std::cerr << renderText(diagnostic, sources, ColorMode::Plain) << "\n";
  if (!module)
    return kDiagnostics;

  auto stages = makeStages(*module, sources);
  if (!stages) {
    fmt::print(stderr, "{}: {}\n", options.file, stages.error());
    return kDiagnostics;
  }
  if (std::string problem = problemOfTexts(*stages); !problem.empty()) {
    fmt::print(stderr, "{}: {}\n", options.file, problem);
    return kVerdict;
  }
  std::vector<Variant> variants = interpreterVariants(*stages);
  if (options.backend != "interpreter") {
    auto native = nativeVariants(stages->front().module, sources,
                                 options.cpu == "default" ? "" : options.cpu);
    if (!native) {
      fmt::print(stderr, "{}: {}\n", options.file, native.error());
      return kDiagnostics;
    }
    variants.insert(variants.end(), native->begin(), native->end());
  }

  size_t failures = 0;
  if (options.randomSeed) {
    // Only after derive-index-limits is it known which inputs are indices.
    failures = runRandomCases(options, stages->back().module, variants);
  } else {
    auto runs = parseRunDirectives(stages->back().module, content.str());
    if (!runs || runs->empty()) {
      fmt::print(stderr, "{}: {}\n", options.file,
                 runs ? "there is no '// run:' comment" : runs.error());
      return kInputFile;
    }
    failures = runDirectives(options, *runs, variants);
  }
  return failures == 0 ? kOk : kVerdict;
}

} // namespace
} // namespace apr::run

int main(int argc, char **argv) {
  using namespace apr::run;
  Options options;
  CLI::App app("Runs the functions of an IR file and compares interpreter and native code.");
  app.option_defaults()->always_capture_default();
  app.footer(
      "exit codes: 0 all agree; 1 the file has errors; 2 a wrong flag; 3 a file that cannot be "
      "read or runs nothing; 4 a difference; 70 an internal error");
  app.add_option("file", options.file, "IR text with '// run:' comments")->required();
  app.add_option("--backend", options.backend, "which implementations take part")
      ->check(CLI::IsMember({"interpreter", "both"}));
  app.add_option("--cpu", options.cpu,
                 "CPU level of the native code: a name, native, or default for that of the target");
  app.add_option("--random", options.randomSeed, "make up inputs from this seed");
  app.add_option("--cases", options.cases, "how many random cases per function");
  app.add_flag("--print", options.print, "write the results of every run");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  try {
    return apr::run::run(options);
  } catch (const std::exception &error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
    return kInternal;
  }
}
