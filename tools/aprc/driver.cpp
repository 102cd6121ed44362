// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprc/driver.h"

#include "codegen/compile.h"
#include "ir/text.h"
#include "passes/pipeline.h"
#include "tools/aprc/dot.h"
#include "tools/aprc/files.h"
#include "tools/aprc/forms.h"
#include "tools/aprc/load_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace apr::aprc {
namespace {

bool wantsColor(ColorChoice choice) {
  if (choice != ColorChoice::Auto)
    return choice == ColorChoice::Always;
  const char *disabled = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) && !(disabled && *disabled);
}

/// "train.o" -> "train"; only a last extension behind a name goes.
std::string stem(const std::string &path) {
  const size_t slash = path.rfind('/');
  const size_t dot = path.rfind('.');
  const size_t first = slash == std::string::npos ? 0 : slash + 1;
  return dot == std::string::npos || dot <= first ? path : path.substr(0, dot);
}

class Driver {
public:
  explicit Driver(Options &options) : options_(options) {
    if (options_.forms.empty())
      options_.forms = {"obj", "header", "manifest"};
  }

  ExitCode run() {
    const ExitCode code = compileAll();
    printMessages();
    if (code != kOk)
      return code;
    writeOutputs();
    if (options_.timesPasses)
      fmt::print(stderr, "{}", renderTimings(timings_));
    return kOk;
  }

private:
  bool wants(std::string_view form) const {
    return std::ranges::find(options_.forms, form) != options_.forms.end();
  }
  bool wantsCode() const { return std::ranges::any_of(options_.forms, isCompiledForm); }

  ExitCode compileAll() {
    checkTarget();
    applyWarningOptions();
    if (wants("ast"))
      texts_["ast"] = printSyntaxTree(options_.input, sources_, diagnostics_);
    if (std::ranges::all_of(options_.forms, [](const auto &form) { return form == "ast"; }))
      return diagnostics_.hasErrors() ? kDiagnostics : kOk;
    std::optional<Module> module =
        loadModule({options_.input, options_.set, options_.model}, sources_, diagnostics_);
    if (!module || diagnostics_.hasErrors())
      return kDiagnostics;
    texts_["ir"] = wants("ir") ? print(*module) : "";
    if (!runPipeline(*module))
      return kDiagnostics;
    if (wants("dot"))
      texts_["dot"] = renderDot(*module);
    return wantsCode() ? generateCode(*module) : kOk;
  }

  /// An unknown target is an error of the command line, whatever the model says.
  void checkTarget() const {
    auto target = Target::create(options_.target);
    if (!target)
      throw UsageError(target.error());
  }

  void applyWarningOptions() {
    for (const WarningChange &change : options_.warnings)
      for (size_t i = 0; i < diagnosticKindCount(); ++i) {
        const auto kind = static_cast<DiagnosticKind>(i);
        if (change.which ? *change.which != kind
                         : diagnosticInfo(kind).severity != Severity::Warning)
          continue;
        change.kind == WarningChange::Kind::Promote ? diagnostics_.promote(kind)
                                                    : diagnostics_.suppress(kind);
      }
  }

  OptimizationLevel pipelineLevel() const {
    return options_.target.level == CodegenLevel::O0 ? OptimizationLevel::O0
                                                     : OptimizationLevel::Default;
  }

  /// Forms between the frontend and codegen ask for stages; without them all passes run at once.
  bool runPipeline(Module &module) {
    const std::vector<std::string> passes = makePipeline(pipelineLevel());
    const bool wantsStages = std::ranges::any_of(
        options_.forms, [](const auto &form) { return form == "stages" || passOfForm(form); });
    if (!wantsStages && !wantsCode() && !wants("dot"))
      return true;
    options_.manager.log = [](std::string_view text) { fmt::print(stderr, "{}", text); };
    if (options_.timesPasses)
      options_.manager.timings = &timings_;
    PassOptions passOptions;
    passOptions.dims = options_.dims;
    passOptions.fuse = options_.fuses && options_.target.level != CodegenLevel::O0;
    if (options_.printsRemarks)
      passOptions.remarks = &remarks_;
    if (!wantsStages)
      return runPasses(module, passes, passOptions, options_.manager, diagnostics_);
    texts_["stages"] = fmt::format("// ---- source ----\n{}", print(module));
    for (const std::string &pass : passes) {
      if (!runPasses(module, std::span(&pass, 1), passOptions, options_.manager, diagnostics_))
        return false;
      const std::string text = print(module);
      texts_["ir-after-" + pass] = text;
      texts_["stages"] += fmt::format("// ---- after {} ----\n{}", pass, text);
    }
    return true;
  }

  ExitCode generateCode(const Module &module) {
    CompileOptions compileOptions;
    compileOptions.target = options_.target;
    compileOptions.sourceHash = hashSources(sources_);
    compileOptions.llvmText = wants("llvm");
    compileOptions.optimizedLlvmText = wants("llvm-opt");
    compileOptions.assemblyText = wants("asm");
    const auto start = std::chrono::steady_clock::now();
    Result<CompiledModel> compiled = compileModule(module, compileOptions);
    if (!compiled) {
      diagnostics_.report(DiagnosticKind::SymbolCollision, {}, compiled.error());
      return kDiagnostics;
    }
    timings_.push_back({"codegen", std::chrono::steady_clock::now() - start});
    texts_["llvm"] = std::move(compiled->llvm);
    texts_["llvm-opt"] = std::move(compiled->optimizedLlvm);
    texts_["asm"] = std::move(compiled->assembly);
    texts_["obj"] = std::move(compiled->object);
    texts_["header"] = std::move(compiled->header);
    texts_["manifest"] = std::move(compiled->manifest);
    return kOk;
  }

  void printMessages() const {
    const ColorMode mode = wantsColor(options_.color) ? ColorMode::Colored : ColorMode::Plain;
    for (const Diagnostic &diagnostic : diagnostics_.all())
      if (options_.format == DiagnosticFormat::Json)
        fmt::print(stderr, "{}\n", renderJson(diagnostic, sources_));
      else
        fmt::print(stderr, "{}", renderText(diagnostic, sources_, mode));
    for (const std::string &remark : remarks_)
      fmt::print(stderr, "remark: {}\n", remark);
    if (diagnostics_.errorCount() > Diagnostics::kMaximumErrors)
      fmt::print(stderr, "{} errors; the first {} are shown\n", diagnostics_.errorCount(),
                 Diagnostics::kMaximumErrors);
  }

  /// A text form alone goes to standard output; everything else to files that share a stem.
  std::string pathOf(const std::string &form) const {
    const bool isOnly = options_.forms.size() == 1;
    if (options_.output && (isOnly || *options_.output == "-"))
      return *options_.output;
    const std::string base = options_.output.value_or(options_.input == "-" ? "model" : fileName());
    if (form == "obj" && options_.output)
      return base;
    const bool isText = form != "obj";
    if (!options_.output && isOnly && isText)
      return "-";
    std::string extension(findForm(form)->extension);
    if (auto pass = passOfForm(form))
      extension = fmt::format(".{}{}", *pass, extension);
    return stem(base) + extension;
  }

  std::string fileName() const { return options_.input.substr(options_.input.rfind('/') + 1); }

  void writeOutputs() {
    // The object alone on standard output can be piped on; with header and manifest it could not.
    if (options_.output == "-" && wants("obj") && options_.forms.size() > 1)
      options_.forms = {"obj"};
    OutputFiles files;
    std::string first;
    for (const std::string &form : options_.forms) {
      const std::string path = pathOf(form);
      if (first.empty())
        first = path;
      files.add(path, texts_[form]);
    }
    if (options_.writesDependencies)
      files.add(options_.dependencyPath.empty() ? stem(first) + ".d" : options_.dependencyPath,
                dependencyRule(first, sources_));
    files.commit();
  }

  Options &options_;
  SourceManager sources_;
  Diagnostics diagnostics_;
  std::vector<std::string> remarks_;
  std::vector<PassTiming> timings_;
  std::map<std::string, std::string> texts_; ///< by form
};

} // namespace

ExitCode compile(Options options) { return Driver(options).run(); }

} // namespace apr::aprc
