// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/model_description.h"

#include "codegen/c_names.h"
#include "passes/workspace_arena.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr {
namespace {

bool isTrainFunction(FunctionKind kind) {
  return kind != FunctionKind::Entry && kind != FunctionKind::Init;
}

bool readsHypers(const Function &function) {
  return std::ranges::any_of(function.arguments, [](const Argument &argument) {
    return argument.role == ArgumentRole::Hyper;
  });
}

void describeTensors(EntryDescription &entry) {
  const Function &function = *entry.function;
  for (size_t i = 0; i < function.arguments.size(); ++i)
    if (function.arguments[i].role == ArgumentRole::Input)
      entry.inputs.push_back({function.arguments[i].name,
                              function.graph.type(function.graph.arguments()[i]),
                              ResultKind::Tensor, function.arguments[i].indexLimit});
  for (size_t i = 0; i < function.results.size(); ++i) {
    const FunctionResult &result = function.results[i];
    entry.writesState |= result.role == ResultRole::Update;
    if (result.role == ResultRole::Result)
      entry.results.push_back({result.name.empty() ? "result" : result.name,
                               function.graph.type(function.graph.results[i]), result.kind,
                               std::nullopt});
  }
}

/// A training loop rarely wants all that a step reports, and must not have to provide for it.
void describeWorkspace(EntryDescription &entry) {
  entry.workspaceBytes = entry.function->workspaceBytes.value_or(0);
  if (!isTrainFunction(entry.function->kind))
    return;
  for (const TensorDescription &result : entry.results) {
    entry.unwantedOffsets.push_back(entry.workspaceBytes);
    entry.workspaceBytes += roundUpToAlignment(byteCount(result.type));
  }
}

OutStruct layoutOut(const std::vector<TensorDescription> &results) {
  OutStruct out;
  UniqueNames names;
  names.claim("size");
  names.claim("reserved");
  names.claim("reserved0");
  uint32_t end = 2 * sizeof(uint32_t);
  for (uint32_t i = 0; i < results.size(); ++i) {
    const TensorDescription &result = results[i];
    const bool isPointer = result.type.rank() != 0;
    const uint32_t size = isPointer ? 8 : byteSize(result.type.dtype);
    end = (end + size - 1) / size * size;
    out.fields.push_back({names.claim(result.name),
                          std::string(cTypeName(result.type.dtype)) + (isPointer ? " *" : " "), end,
                          i, isPointer});
    end += size;
  }
  out.reservedOffset = (end + 7) / 8 * 8;
  out.bytes = out.reservedOffset + 2 * sizeof(uint64_t);
  return out;
}

/// Builds the parameter list of a typed function, in the order that all of them share.
class ParameterList {
public:
  ParameterList(EntryDescription &entry, const std::string &prefix)
      : entry_(entry), prefix_(prefix) {}

  void build() {
    const FunctionKind kind = entry_.function->kind;
    if (kind == FunctionKind::Init) {
      add(CParameter::Kind::State, "state", "void *");
      if (initTakesWorkspace(*entry_.function))
        add(CParameter::Kind::Workspace, "workspace", "void *");
      addDims();
      addInputs();
      addResults();
      return;
    }
    add(CParameter::Kind::Exec, "exec", "const aprt_exec *");
    add(CParameter::Kind::State, "state", entry_.writesState ? "void *" : "const void *");
    add(CParameter::Kind::Workspace, "workspace", "void *");
    if (kind == FunctionKind::Apply)
      add(CParameter::Kind::Gradients, "gradients", "const void *");
    addDims();
    addInputs();
    if (isTrainFunction(kind) || readsHypers(*entry_.function))
      add(CParameter::Kind::Hyper, "hyper", fmt::format("const {}_hyper *", prefix_));
    if (kind == FunctionKind::Grad)
      add(CParameter::Kind::Gradients, "gradients", "void *");
    addResults();
  }

private:
  void add(CParameter::Kind kind, std::string_view name, std::string type, uint32_t index = 0) {
    entry_.parameters.push_back({kind, names_.claim(name), std::move(type), index});
  }

  void addDims() {
    for (uint32_t i = 0; i < entry_.function->dims.size(); ++i)
      add(CParameter::Kind::Dim, entry_.function->dims[i], "int64_t ", i);
  }

  void addInputs() {
    for (uint32_t i = 0; i < entry_.inputs.size(); ++i) {
      const TensorDescription &input = entry_.inputs[i];
      const std::string_view type = cTypeName(input.type.dtype);
      const bool isSeed = entry_.function->kind == FunctionKind::Init && input.name == "seed";
      if (input.type.rank() == 0)
        add(CParameter::Kind::InputScalar, input.name,
            isSeed && input.type.dtype == DType::I64 ? "uint64_t " : fmt::format("{} ", type), i);
      else
        add(CParameter::Kind::InputTensor, input.name, fmt::format("const {} *", type), i);
    }
  }

  void addResults() {
    if (entry_.results.empty())
      return;
    if (isTrainFunction(entry_.function->kind)) {
      entry_.out = layoutOut(entry_.results);
      add(CParameter::Kind::Out, "out", fmt::format("{}_out *", entry_.symbol));
      return;
    }
    for (uint32_t i = 0; i < entry_.results.size(); ++i)
      add(CParameter::Kind::ResultPointer, entry_.results[i].name,
          fmt::format("{} *", cTypeName(entry_.results[i].type.dtype)), i);
  }

  EntryDescription &entry_;
  const std::string &prefix_;
  UniqueNames names_;
};

void describeStatuses(ModelDescription &model, EntryDescription &entry) {
  entry.firstStatus = kFirstModelStatus + static_cast<int32_t>(model.statuses.size());
  for (const DimCheck &check : entry.function->checks)
    model.statuses.push_back(
        {kFirstModelStatus + static_cast<int32_t>(model.statuses.size()),
         fmt::format("{}_STATUS_{}", macroName(model.prefix), model.statuses.size()),
         fmt::format("{}: {}", entry.function->name, check.message)});
}

EntryDescription describeEntry(ModelDescription &model, const Function &function) {
  EntryDescription entry;
  entry.function = &function;
  entry.symbol = functionSymbol(model.prefix, function);
  entry.usesGradients = function.kind == FunctionKind::Grad || function.kind == FunctionKind::Apply;
  for (uint32_t i = 0; i < model.module->trainBlocks.size(); ++i)
    if (isTrainFunction(function.kind) && model.module->trainBlocks[i] == function.trainBlock)
      entry.trainBlock = i;
  describeTensors(entry);
  describeWorkspace(entry);
  ParameterList(entry, model.prefix).build();
  describeStatuses(model, entry);
  return entry;
}

/// Every identifier at file scope of the generated header but macros.
std::vector<std::string> headerSymbols(const ModelDescription &model) {
  std::vector<std::string> symbols = {"aprt_call",   "aprt_dim",        "aprt_entry",  "aprt_exec",
                                      "aprt_hyper",  "aprt_model",      "aprt_status", "aprt_task",
                                      "aprt_tensor", "aprt_train_block"};
  for (const char *suffix :
       {"_state_bytes", "_workspace_bytes", "_model", "_status_text", "_hyper"})
    symbols.push_back(model.prefix + suffix);
  for (const TrainBlockDescription &block : model.trainBlocks)
    symbols.push_back(block.symbol + "_bytes");
  for (const EntryDescription &entry : model.entries) {
    symbols.push_back(entry.symbol);
    symbols.push_back(entry.symbol + "_workspace_bytes");
    if (entry.out)
      symbols.push_back(entry.symbol + "_out");
  }
  return symbols;
}

std::optional<Error> findCollision(const ModelDescription &model) {
  std::vector<std::string> symbols = headerSymbols(model);
  std::ranges::sort(symbols);
  auto repeated = std::ranges::adjacent_find(symbols);
  if (repeated == symbols.end())
    return std::nullopt;
  return Error{fmt::format("two parts of model '{}' would both be '{}' in C; rename one of the "
                           "entries or train blocks",
                           model.module->name, *repeated)};
}

} // namespace

bool initTakesWorkspace(const Function &init) {
  constexpr int64_t kStackBytes = 64 * 1024;
  const auto bytes = init.workspaceBytes ? init.workspaceBytes->asConstant() : std::nullopt;
  return !bytes || *bytes > kStackBytes;
}

Result<ModelDescription> describeModel(const Module &module) {
  ModelDescription model;
  model.module = &module;
  model.prefix = symbolPrefix(module.name);
  model.state = layoutState(module);
  model.hypers = layoutHypers(module);
  for (const std::string &name : module.trainBlocks) {
    TrainBlockDescription block;
    block.name = name;
    block.symbol = model.prefix + trainBlockInfix(name) + "_gradients";
    block.gradients = gradientTensors(module, name);
    block.layout = layoutGradients(block.gradients);
    model.trainBlocks.push_back(std::move(block));
  }
  for (const Function &function : module.functions) {
    model.entries.push_back(describeEntry(model, function));
    for (const std::string &dim : function.dims)
      if (std::ranges::find(model.dims, dim) == model.dims.end())
        model.dims.push_back(dim);
  }
  if (auto collision = findCollision(model))
    return *collision;
  return model;
}

std::string_view name(FunctionKind kind) {
  switch (kind) {
  case FunctionKind::Entry:
    return "entry";
  case FunctionKind::Init:
    return "init";
  case FunctionKind::Step:
    return "step";
  case FunctionKind::Grad:
    return "grad";
  case FunctionKind::Apply:
    return "apply";
  case FunctionKind::Eval:
    return "eval";
  }
  return "";
}

std::string_view name(ResultKind kind) {
  switch (kind) {
  case ResultKind::Tensor:
    return "tensor";
  case ResultKind::Scalar:
    return "scalar";
  case ResultKind::Rows:
    return "rows";
  case ResultKind::Sum:
    return "sum";
  case ResultKind::Ratio:
    return "ratio";
  }
  return "";
}

std::string_view name(StateRole role) {
  switch (role) {
  case StateRole::Parameter:
    return "parameter";
  case StateRole::Buffer:
    return "buffer";
  case StateRole::Optimizer:
    return "optimizer";
  case StateRole::Counter:
    return "counter";
  }
  return "";
}

} // namespace apr
