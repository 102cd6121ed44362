// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/model_loader.h"

#include "codegen/compile.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"
#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"
#include "runtime/train/sha256.h"
#include "tools/aprc/files.h"
#include "tools/aprc/load_module.h"
#include "tools/aprc/options.h"
#include "tools/aprun/jit.h"
#include "tools/aprun/report.h"

#include <fmt/format.h>

#include <filesystem>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

class Loaded : public LoadedModel {
public:
  Loaded(std::unique_ptr<LinkedObject> object, std::vector<train::RecordedSource> sources)
      : object_(std::move(object)), sources_(std::move(sources)) {}
  const aprt_model &table() const override { return object_->model(); }
  const std::vector<train::RecordedSource> &sources() const override { return sources_; }

private:
  std::unique_ptr<LinkedObject> object_;
  std::vector<train::RecordedSource> sources_;
};

std::string compiledObject(const ModelRequest &request, SourceModel &model) {
  CompileOptions options;
  options.target = targetOptions(request);
  options.sourceHash = aprc::hashSources(model.sources);
  const auto level = passLevel(request);
  Diagnostics diagnostics;
  runPasses(model.module, makePipeline(level), makePassOptions(level), {}, diagnostics);
  reportDiagnostics(diagnostics, model.sources);
  auto compiled = compileModule(model.module, options);
  if (!compiled)
    throw Error(ErrorKind::Diagnostics, {request.path}, compiled.error());
  return std::move(compiled->object);
}

} // namespace

std::vector<train::RecordedSource> describeSources(const SourceManager &sources,
                                                   const std::string &model) {
  const auto folder = std::filesystem::path(model).parent_path();
  std::vector<train::RecordedSource> described;
  for (FileId file = 0; file < sources.fileCount(); ++file) {
    const std::string &name = sources.name(file);
    if (name.starts_with('<')) // the library is part of the compiler
      continue;
    described.push_back({std::filesystem::path(name).lexically_proximate(folder).string(),
                         train::sha256Of(sources.text(file)), sources.text(file).size()});
  }
  return described;
}

void reportDiagnostics(const Diagnostics &diagnostics, const SourceManager &sources) {
  printDiagnostics(diagnostics, sources);
  if (diagnostics.hasErrors())
    throw Error(ErrorKind::Diagnostics,
                fmt::format("the model does not compile: {} error{}", diagnostics.errorCount(),
                            diagnostics.errorCount() == 1 ? "" : "s"));
}

TargetOptions targetOptions(const ModelRequest &request) {
  TargetOptions target;
  target.cpu = request.cpu;
  if (!request.optimize.empty())
    target.level = static_cast<CodegenLevel>(request.optimize[0] - '0');
  if (const auto made = Target::create(target); !made)
    throw Error(ErrorKind::Usage, {"--cpu"}, made.error());
  return target;
}

OptimizationLevel passLevel(const ModelRequest &request) {
  return request.optimize == "0" ? OptimizationLevel::O0 : OptimizationLevel::Default;
}

std::unique_ptr<SourceModel> readModel(const ModelRequest &request) {
  auto model = std::make_unique<SourceModel>();
  Diagnostics diagnostics;
  try {
    auto module = aprc::loadModule({request.path, request.set, ""}, model->sources, diagnostics);
    reportDiagnostics(diagnostics, model->sources);
    if (!module)
      throw Error(ErrorKind::Internal, "the model could not be read, and no reason was given");
    model->module = std::move(*module);
  } catch (const aprc::FileError &error) {
    throw Error(ErrorKind::Data, error.what());
  } catch (const aprc::UsageError &error) {
    throw Error(ErrorKind::Usage, error.what());
  }
  return model;
}

std::string hashOf(const SourceModel &model) { return aprc::hashSources(model.sources); }

std::unique_ptr<LoadedModel> loadModel(const ModelRequest &request) {
  if (request.path.ends_with(".o")) {
    if (!request.set.empty())
      throw Error(ErrorKind::Usage, {request.path},
                  "an object has no compile-time values left to --set; give the model's source");
    return std::make_unique<Loaded>(linkObject(train::readFile(request.path), request.path),
                                    std::vector<train::RecordedSource>{});
  }
  targetOptions(request); // a wrong flag shows before a wrong model
  const auto model = readModel(request);
  auto sources = describeSources(model->sources, request.path);
  return std::make_unique<Loaded>(linkObject(compiledObject(request, *model), request.path),
                                  std::move(sources));
}

} // namespace apr::aprun
