// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/export_entry.h"
#include "passes/pass_manager.h"
#include "runtime/train/atomic_file.h"
#include "runtime/train/npz_writer.h"
#include "runtime/train/statistics.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/weights.h"
#include "tools/aprun/altered_record.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/final_hypers.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using train::inQuotes;

/// A fitted pipeline in words: "standardise(3.5, 1.2) | clip(-3, 3)".
std::string fittedText(const train::Pipeline &pipeline) {
  std::vector<std::string> steps;
  for (const train::Transform &step : pipeline) {
    std::vector<std::string> arguments = step.labels;
    for (double constant : step.constants)
      arguments.push_back(fmt::format("{}", constant));
    steps.push_back(arguments.empty() ? train::name(step.kind)
                                      : fmt::format("{}({})", train::name(step.kind),
                                                    fmt::join(arguments, ", ")));
  }
  return fmt::format("{}", fmt::join(steps, " | "));
}

/// How the values of an input come from the columns of the run's table.
std::string preparation(const train::InputColumns &columns) {
  std::vector<std::string> texts;
  for (const train::ColumnUse &use : columns.columns)
    texts.push_back(fittedText(use.pipeline));
  const bool areEqual =
      std::all_of(texts.begin(), texts.end(), [&](const auto &text) { return text == texts[0]; });
  if (!texts.empty() && areEqual)
    return texts[0];
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (!texts[i].empty())
      parts.push_back(fmt::format("{}: {}", columns.columns[i].label, texts[i]));
  return fmt::format("{}", fmt::join(parts, "; "));
}

/// "model.apr:7": without folders, so that the same model gives the same file everywhere.
std::string describePlace(const SourceManager &sources, Location location) {
  if (!location.isKnown())
    return {};
  const auto file = std::filesystem::path(sources.name(location.file)).filename().string();
  return fmt::format("{}:{}", file, location.line);
}

const Function &chosenEntry(const Module &module, const std::string &wanted) {
  std::vector<std::string> names;
  const Function *chosen = nullptr;
  for (const Function &function : module.functions) {
    if (function.kind != FunctionKind::Entry)
      continue;
    names.push_back(function.name);
    if (wanted.empty() || function.name == wanted)
      chosen = &function;
  }
  if (names.empty())
    throw Error(ErrorKind::Usage, fmt::format("the model {} has no entry to export", module.name));
  if (!chosen)
    throw Error(ErrorKind::Usage, {"--entry"},
                fmt::format("the model {} has no entry {}{}; there are {}", module.name,
                            inQuotes(wanted), train::suggestion(wanted, names),
                            train::listed(names)));
  if (wanted.empty() && names.size() > 1)
    throw Error(ErrorKind::Usage,
                fmt::format("the model {} has several entries: say with --entry which of {}",
                            module.name, train::listed(names)));
  return *chosen;
}

onnx::ExportInputs exportInputs(const Session &session, const train::Instance &instance,
                                const SourceModel &model) {
  onnx::ExportInputs inputs;
  const aprt_model &table = instance.model().table();
  inputs.stateValue = [&](const StateTensor &state) {
    const aprt_tensor &tensor = *instance.model().tensor(state.name);
    return std::string(reinterpret_cast<const char *>(instance.values(tensor)),
                       train::elementCount(tensor) * byteSize(state.type.dtype));
  };
  for (std::uint32_t i = 0; i < table.hyper_count; ++i)
    inputs.hyper[table.hypers[i].name] = instance.hyper(table.hypers[i]);
  inputs.metadata = {{"model", table.name},
                     {"source_hash", table.source_hash},
                     {"semantics_version", std::to_string(table.semantics_version)},
                     {"weights_hash", train::weightHash(instance)}};
  if (session.record) {
    inputs.metadata["training_digest"] = session.record->trainingDigest;
    for (const train::RecordedInput &input : session.record->inputs)
      if (const std::string text = preparation(input.columns); !text.empty()) {
        inputs.inputNotes[input.need.name] = text;
        inputs.metadata["input." + input.need.name] = text;
      }
  }
  inputs.describe = [&](Location location) { return describePlace(model.sources, location); };
  return inputs;
}

[[noreturn]] void failWith(const std::vector<onnx::Problem> &problems, const SourceModel &model) {
  for (const onnx::Problem &problem : problems) {
    const std::string place =
        problem.location.isKnown() ? model.sources.describe(problem.location) + ": " : "";
    fmt::print(stderr, "{}error: {}\n", place, problem.message);
  }
  throw Error(ErrorKind::Diagnostics,
              fmt::format("the entry cannot be written as ONNX: {} error{}", problems.size(),
                          problems.size() == 1 ? "" : "s"));
}

void exportOnnx(const Session &session, const CommandLine &line, const train::Instance &instance,
                const std::string &path) {
  if (session.settings.model.ends_with(".o"))
    throw Error(ErrorKind::Usage, {session.settings.model},
                "an object holds machine code, which cannot become ONNX; give the model's source");
  const auto model = readModel({session.settings.model, session.settings.set, "native", ""});
  const std::string entry = chosenEntry(model->module, line.option("entry").value_or("")).name;
  std::erase_if(model->module.functions,
                [&](const Function &function) { return function.name != entry; });
  PassOptions options;
  for (const auto &[name, size] : session.settings.trainer.fixed.dims)
    options.dims[name] = size;
  Diagnostics diagnostics;
  runPasses(model->module, onnx::exportPasses(), options, {}, diagnostics);
  reportDiagnostics(diagnostics, model->sources);
  const onnx::ExportInputs inputs = exportInputs(session, instance, *model);
  const onnx::ExportedModel exported =
      onnx::exportEntry(model->module, *model->module.findFunction(entry), inputs);
  if (!exported.problems.empty())
    failWith(exported.problems, *model);
  train::writeFile(path, exported.bytes);
  fmt::print("{}: {} as ONNX (operator set {}), {} bytes\n", path, entry, onnx::kOperatorSet,
             exported.bytes.size());
  for (const auto &[name, note] : inputs.inputNotes)
    fmt::print("  the input {} takes prepared values: {}\n", name, note);
}

void exportNpz(const train::Instance &instance, const std::string &path) {
  std::vector<train::TensorSource> tensors;
  bool isWidened = false;
  for (const aprt_tensor &tensor : instance.model().tensors()) {
    if (tensor.role != APRT_PARAMETER && tensor.role != APRT_BUFFER)
      continue;
    isWidened = isWidened || !train::npyTypeOf(tensor.dtype);
    tensors.push_back({tensor.name, tensor.dtype, {}, instance.values(tensor)});
    for (std::uint32_t i = 0; i < tensor.rank; ++i)
      tensors.back().shape.push_back(tensor.dims[i].value);
  }
  train::writeNpz(path, tensors);
  fmt::print("{}: {} arrays{}\n", path, tensors.size(),
             isWidened ? "; NumPy has no bf16, these are float32" : "");
}

void exportJson(const train::Instance &instance, const std::string &path) {
  const std::size_t elements = train::weightElements(instance);
  if (elements > train::largestJsonElements)
    throw Error(ErrorKind::Usage, {"--json"},
                fmt::format("the model has {} weights, and JSON is for at most {}; use "
                            "--safetensors or --npz",
                            elements, train::largestJsonElements));
  train::writeFile(path, train::weightsJson(instance));
  fmt::print("{}: {} numbers\n", path, elements);
}

void exportSafetensors(const train::Instance &instance, const std::string &path) {
  train::saveWeights(instance, path, {});
  fmt::print("{}: {} numbers\n", path, train::weightElements(instance));
}

} // namespace

int exportCommand(const CommandLine &line) {
  const bool writes = line.option("onnx") || line.option("safetensors") || line.option("npz") ||
                      line.option("json");
  if (line.arguments.size() != 1 || !writes)
    throw Error(ErrorKind::Usage,
                "aprun export takes a run (or a model) and what to write: --onnx, "
                "--safetensors, --npz or --json FILE");
  Session session = readSession(line);
  if (session.record)
    warnOfAlterations(session.folder);
  openModel(session, line);
  train::Instance instance(session.model->table(), 1);
  loadTensors(session, line, instance, RunFile::Weights);
  setFinalHypers(session, line, instance);
  if (const auto path = line.option("onnx"))
    exportOnnx(session, line, instance, *path);
  if (const auto path = line.option("safetensors"))
    exportSafetensors(instance, *path);
  if (const auto path = line.option("npz"))
    exportNpz(instance, *path);
  if (const auto path = line.option("json"))
    exportJson(instance, *path);
  return Success;
}

} // namespace apr::aprun
