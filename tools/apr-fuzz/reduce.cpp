// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Delta debugging over the graph: every step offers simpler trials, and the first that still fails
// takes the place of the one at hand, until no step offers any.
#include "tools/apr-fuzz/reduce.h"

#include "ir/substitute_dims.h"
#include "ir/text.h"
#include "ir/verifier.h"
#include "passes/dead_code.h"
#include "tools/apr-fuzz/isolation.h"
#include "tools/apr-fuzz/simplify_trial.h"
#include "tools/ir_runs/tensor_text.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace apr::fuzz {

namespace {

constexpr double kSecondsPerTrial = 8;
constexpr double kSecondsPerReduction = 120;

std::string encode(const std::optional<Finding> &finding) {
  if (!finding)
    return "none";
  return fmt::format("{} {} {}\n{}\n{}", static_cast<int>(finding->kind), finding->result,
                     finding->repeat, finding->function, finding->text);
}

std::optional<Finding> decode(const std::string &text) {
  if (text == "none")
    return std::nullopt;
  Finding finding;
  int kind = 0;
  std::istringstream lines(text);
  lines >> kind >> finding.result >> finding.repeat;
  lines.ignore();
  std::getline(lines, finding.function);
  std::getline(lines, finding.text, '\0');
  finding.kind = static_cast<Finding::Kind>(kind);
  return finding;
}

} // namespace

std::optional<Finding> tryIsolated(const Trial &trial) {
  const Ending ending =
      runIsolated(kSecondsPerTrial, [&] { return encode(runTrial(trial).finding); });
  switch (ending.kind) {
  case Ending::Kind::TimedOut:
    return Finding{Finding::Kind::Failure, "", 0, 0, "hang: no end in sight"};
  case Ending::Kind::Crashed:
    return Finding{Finding::Kind::Failure, "", 0, 0,
                   fmt::format("crash: signal {}", ending.signal)};
  case Ending::Kind::Done:
    break;
  }
  if (ending.output.empty())
    return Finding{Finding::Kind::Failure, "", 0, 0, "the trial ended without a word"};
  return decode(ending.output);
}

namespace {

class Reducer {
public:
  Reducer(Trial trial, Finding finding)
      : best_{std::move(trial), std::move(finding)}, first_(best_.finding),
        start_(std::chrono::steady_clock::now()) {}

  Reduced run() {
    bool hasChanged = true;
    while (hasChanged && hasTime()) {
      hasChanged = false;
      for (Step step : kSteps)
        while (hasTime() && takeFirst(step(best_.trial, best_.finding)))
          hasChanged = true;
    }
    return std::move(best_);
  }

private:
  using Step = std::vector<Trial> (*)(const Trial &, const Finding &);
  static constexpr Step kSteps[] = {
      fewerRepeats,     simplerConfigurations, fewerFunctions, fewerResults, valuesAsInputs,
      valuesAsOperands, withoutDeadCode,       plainerRoles,   smallerSizes, simplerArguments};

  bool hasTime() const {
    return std::chrono::steady_clock::now() - start_ <
           std::chrono::duration<double>(kSecondsPerReduction);
  }

  /// The same bug, as far as its message tells; numbers and names may be others.
  bool isSame(const Finding &other) const {
    if (other.kind != first_.kind)
      return false;
    return other.kind != Finding::Kind::Failure ||
           other.text.substr(0, 24) == first_.text.substr(0, 24);
  }

  bool takeFirst(const std::vector<Trial> &offers) {
    for (const Trial &offer : offers) {
      if (!hasTime())
        return false;
      Diagnostics diagnostics;
      if (!verify(offer.module, diagnostics))
        continue;
      auto finding = tryIsolated(offer);
      if (!finding || !isSame(*finding))
        continue;
      best_ = {offer, *finding};
      return true;
    }
    return false;
  }

  Reduced best_;
  Finding first_;
  std::chrono::steady_clock::time_point start_;
};

std::string argumentText(const Argument &argument, const Tensor &tensor) {
  return fmt::format("{} = {}", argument.name, run::str(tensor));
}

std::string directive(const Trial &trial, const Module &meaning, const Function &function) {
  const auto arguments = argumentsOf(trial, meaning, function);
  std::string dims, given, results;
  for (const std::string &dim : function.dims)
    dims += fmt::format("{}{}={}", dims.empty() ? "" : ", ", dim, trial.dims.at(dim));
  for (size_t i = 0; i < arguments.size(); ++i)
    given += (i ? ", " : "") + argumentText(function.arguments[i], arguments[i]);
  for (const FunctionResult &result : function.results)
    results += fmt::format("{}{} = any", results.empty() ? "" : ", ", result.name);
  return fmt::format("// run: @{}{} ({}) -> {}\n", function.name,
                     dims.empty() ? "" : " dims(" + dims + ")", given, results);
}

std::string commented(const std::string &text) {
  std::string lines = "// ";
  for (char c : text)
    lines += c == '\n' ? std::string("\n// ") : std::string(1, c);
  return lines + "\n";
}

} // namespace

Reduced reduce(Trial trial, Finding finding) {
  return Reducer(std::move(trial), std::move(finding)).run();
}

std::string testText(const Reduced &reduced, const std::string &origin) {
  const Trial &trial = reduced.trial;
  std::string text =
      commented(fmt::format("Found by apr-fuzz, {}: {}", origin, reduced.finding.text));
  text += commented(str(trial.configuration));
  text += "// RUN: %apr-run %s\n";
  const auto meaning = lowerToMeaning(trial.module);
  for (const Function &function : trial.module.functions)
    if (const Function *lowered = meaning ? meaning->findFunction(function.name) : nullptr)
      text += directive(trial, *meaning, *lowered);
  return text + print(trial.module);
}

void reduceFinding(uint64_t seed, uint64_t index, const std::string &folder) {
  const Trial trial = makeTrial(seed, index);
  const std::string origin = fmt::format("seed {}, graph {}", seed, index);
  auto finding = tryIsolated(trial);
  if (!finding || finding->kind == Finding::Kind::Refused) {
    fmt::print(stderr, "{}: does not fail again\n", origin);
    return;
  }
  const std::string text = testText(reduce(trial, *finding), origin);
  if (folder.empty()) {
    fmt::print("{}", text);
    return;
  }
  const std::string path = fmt::format("{}/{}-{}.apir", folder, seed, index);
  std::ofstream(path, std::ios::binary) << text;
  fmt::print(stderr, "{}: reduced to {}\n", origin, path);
}

} // namespace apr::fuzz
