// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/pass_manager.h"

#include "ir/float_environment.h"
#include "ir/text.h"
#include "ir/verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace apr {
namespace {

Error unknownPass(std::string_view name) {
  std::vector<std::string> candidates;
  for (const PassInfo &pass : allPasses())
    candidates.emplace_back(pass.name);
  std::string message = fmt::format("unknown pass '{}'", name);
  if (auto close = closestName(name, candidates))
    message += fmt::format("; did you mean '{}'?", *close);
  return {message};
}

void writeFile(const std::filesystem::path &path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file)
    throw std::runtime_error(fmt::format("cannot write '{}'", path.string()));
}

/// One run over a list of passes.
class Run {
public:
  Run(Module &module, const PassOptions &options, const PassManagerOptions &manager,
      Diagnostics &diagnostics)
      : module_(module), options_(options), manager_(manager), diagnostics_(diagnostics) {}

  bool runAll(std::span<const std::string> passes) {
    if (!manager_.dumpDirectory.empty()) {
      std::filesystem::create_directories(manager_.dumpDirectory);
      dump("input");
    }
    for (const std::string &name : passes) {
      const PassInfo *pass = findPass(name);
      if (!pass)
        throw InternalError(unknownPass(name).message);
      if (isSkipped(*pass))
        continue;
      runOne(*pass);
      if (diagnostics_.hasErrors())
        return false;
    }
    return true;
  }

private:
  bool isSkipped(const PassInfo &pass) {
    if (pass.passClass != PassClass::BitPreserving)
      return false;
    if (std::ranges::find(manager_.disabled, pass.name) != manager_.disabled.end())
      return true;
    if (!manager_.bisectLimit)
      return false;
    ++bisectCount_;
    bool runs = bisectCount_ <= *manager_.bisectLimit;
    log(fmt::format("BISECT: {} pass ({}) {}\n", runs ? "running" : "NOT running", bisectCount_,
                    pass.name));
    return !runs;
  }

  bool needsTextBefore() const {
    return manager_.verifyEach || manager_.print == PrintPolicy::Changed;
  }

  void runOne(const PassInfo &pass) {
    // The text before is the reproducer of an internal error, so it exists before anything goes
    // wrong; without verification a copy of the module is cheaper than its text.
    std::string textBefore = needsTextBefore() ? print(module_) : std::string();
    std::optional<Module> copy;
    if (textBefore.empty())
      copy = module_;
    auto before = [&] { return copy ? print(*copy) : textBefore; };

    if (manager_.observer)
      manager_.observer->beforePass(pass, module_);
    auto start = std::chrono::steady_clock::now();
    try {
      pass.run(module_, options_, diagnostics_);
    } catch (const InternalError &error) {
      throw blame(pass, error.what(), before());
    }
    if (manager_.timings)
      manager_.timings->push_back({pass.name, std::chrono::steady_clock::now() - start});

    if (manager_.verifyEach && !diagnostics_.hasErrors())
      verifyAfter(pass, before());
    if (manager_.observer && !diagnostics_.hasErrors())
      manager_.observer->afterPass(pass, module_);
    if (manager_.print == PrintPolicy::All)
      printAfter(pass);
    else if (manager_.print == PrintPolicy::Changed)
      printIfChanged(pass, textBefore);
    if (!manager_.dumpDirectory.empty())
      dump(pass.name);
  }

  void verifyAfter(const PassInfo &pass, const std::string &before) {
    Diagnostics found;
    if (verify(module_, found))
      return;
    std::string message = "the verifier refuses what it made:";
    for (const Diagnostic &diagnostic : found.all())
      message += "\n  " + diagnostic.message;
    throw blame(pass, message, before);
  }

  InternalError blame(const PassInfo &pass, std::string_view what, const std::string &before) {
    namespace fs = std::filesystem;
    fs::path folder = manager_.dumpDirectory.empty() ? fs::temp_directory_path()
                                                     : fs::path(manager_.dumpDirectory);
    fs::path file = folder / fmt::format("before-{}.apir", pass.name);
    std::string place = "the IR before it is in " + file.string();
    try {
      writeFile(file, before);
    } catch (const std::exception &error) {
      place = error.what();
    }
    return InternalError(fmt::format("pass '{}': {}\n{}", pass.name, what, place));
  }

  void printAfter(const PassInfo &pass) {
    log(fmt::format("// ---- after {} ----\n{}", pass.name, print(module_)));
  }

  void printIfChanged(const PassInfo &pass, const std::string &textBefore) {
    if (print(module_) == textBefore)
      log(fmt::format("// ---- {} changed nothing ----\n", pass.name));
    else
      printAfter(pass);
  }

  void dump(std::string_view stage) {
    auto path = std::filesystem::path(manager_.dumpDirectory) /
                fmt::format("{:02}-{}.apir", dumpCount_++, stage);
    writeFile(path, print(module_));
  }

  void log(std::string_view text) {
    if (manager_.log)
      manager_.log(text);
  }

  Module &module_;
  const PassOptions &options_;
  const PassManagerOptions &manager_;
  Diagnostics &diagnostics_;
  int64_t bisectCount_ = 0;
  int dumpCount_ = 0;
};

} // namespace

Result<std::vector<std::string>> parsePassList(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view name = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (name.starts_with(' '))
      name.remove_prefix(1);
    while (name.ends_with(' '))
      name.remove_suffix(1);
    if (!findPass(name))
      return unknownPass(name);
    names.emplace_back(name);
  }
  return names;
}

std::optional<Error> findDisableProblem(std::span<const std::string> disabled) {
  for (const std::string &name : disabled) {
    const PassInfo *pass = findPass(name);
    if (!pass)
      return unknownPass(name);
    if (pass->passClass != PassClass::BitPreserving)
      return Error{
          fmt::format("pass '{}' is required: only bit-preserving passes can be disabled", name)};
  }
  return std::nullopt;
}

bool runPasses(Module &module, std::span<const std::string> passes, const PassOptions &options,
               const PassManagerOptions &managerOptions, Diagnostics &diagnostics) {
  if (auto problem = findDisableProblem(managerOptions.disabled))
    throw InternalError(problem->message);
  FloatEnvironment environment;
  return Run(module, options, managerOptions, diagnostics).runAll(passes);
}

std::string renderTimings(std::span<const PassTiming> timings) {
  std::chrono::nanoseconds total{0};
  for (const PassTiming &timing : timings)
    total += timing.time;
  std::string text = "      ms       %  pass\n";
  auto row = [&](std::chrono::nanoseconds time, std::string_view name) {
    double share = total.count() ? 100.0 * double(time.count()) / double(total.count()) : 0;
    text += fmt::format("{:8.3f}  {:6.1f}  {}\n", double(time.count()) * 1e-6, share, name);
  };
  for (const PassTiming &timing : timings)
    row(timing.time, timing.pass);
  row(total, "total");
  return text;
}

} // namespace apr
