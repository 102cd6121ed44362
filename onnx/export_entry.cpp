// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/export_entry.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::onnx {
namespace {

/// A file of Protocol Buffers holds less than 2 GiB; some room is left for the graph.
constexpr size_t kLargestFile = (size_t{1} << 31) - (size_t{1} << 24);

class EntryExport {
public:
  EntryExport(const Module &module, const Function &entry, const ExportInputs &inputs)
      : module_(module), entry_(entry), inputs_(inputs), file_(inputs.describe),
        emitter_(file_, entry.graph) {}

  ExportedModel run() {
    // Inputs and results first: their names stay what they are.
    for (size_t i = 0; i < entry_.arguments.size(); ++i)
      if (entry_.arguments[i].role == ArgumentRole::Input)
        addInput(i);
    nameResults();
    for (size_t i = 0; i < entry_.arguments.size(); ++i)
      if (entry_.arguments[i].role != ArgumentRole::Input)
        addConstantArgument(i);
    emitter_.emit();
    for (size_t i = 0; i < entry_.results.size(); ++i)
      addResult(i);
    const Model model = finish();
    if (!file_.problems.empty())
      return {{}, std::move(file_.problems)};
    return {serialize(model), {}};
  }

private:
  void addInput(size_t index) {
    const Argument &argument = entry_.arguments[index];
    const ValueId value = entry_.graph.arguments()[index];
    const Type &type = entry_.graph.type(value);
    const std::string name = file_.uniqueName(argument.name);
    const auto note = inputs_.inputNotes.find(argument.name);
    graph_.inputs.push_back({name, type.dtype, dimTexts(type.shape),
                             note == inputs_.inputNotes.end() ? "" : note->second});
    emitter_.define(value, name);
    for (size_t axis = 0; axis < type.rank(); ++axis)
      if (const auto variable = type.shape[axis].asVariable())
        file_.dimSources.try_emplace(*variable, name, axis);
  }

  void nameResults() {
    for (const FunctionResult &result : entry_.results) {
      // The name of a lone result that the source does not name says less than the entry's.
      const bool isUnnamed =
          result.name.empty() || (result.name == "result" && entry_.results.size() == 1);
      outputNames_.push_back(file_.uniqueName(isUnnamed ? entry_.name : result.name));
    }
  }

  void addConstantArgument(size_t index) {
    const Argument &argument = entry_.arguments[index];
    const ValueId value = entry_.graph.arguments()[index];
    const Type &type = entry_.graph.type(value);
    Tensor tensor{file_.uniqueName(argument.name), type.dtype, {}, {}};
    if (argument.role == ArgumentRole::State) {
      for (const Dim &dim : type.shape)
        tensor.shape.push_back(dim.asConstant().value_or(0));
      if (isUsed(value))
        tensor.bytes = inputs_.stateValue(*module_.findState(argument.name));
    } else {
      // The row offset of a whole batch is 0.
      const auto given = inputs_.hyper.find(argument.name);
      const Literal literal =
          Literal::splat(type.dtype, given == inputs_.hyper.end() ? 0.0 : given->second);
      tensor.bytes.assign(reinterpret_cast<const char *>(literal.bytes.data()),
                          literal.bytes.size());
    }
    emitter_.define(value, tensor.name);
    file_.initializers.push_back(std::move(tensor));
  }

  bool isUsed(ValueId value) {
    if (uses_.empty())
      uses_ = entry_.graph.useCounts();
    return uses_[value] != 0;
  }

  void addResult(size_t index) {
    const ValueId value = entry_.graph.results[index];
    const Type &type = entry_.graph.type(value);
    if (entry_.results[index].role != ResultRole::Result)
      return file_.refuse(entry_.location,
                          fmt::format("{} changes {}, and an ONNX graph has no state", entry_.name,
                                      entry_.results[index].name));
    const std::string &output = outputNames_[index];
    const std::string name = renamed(emitter_.full(value));
    // What is an input, a weight or another result has a name already.
    const bool isTaken =
        std::find(outputNames_.begin(), outputNames_.end(), name) != outputNames_.end();
    if (isTaken || !renameResult(emitter_.nodes, name, output))
      emitter_.nodes.push_back({"Identity", {name}, {output}, {}, {}});
    else
      renames_[name] = output;
    graph_.outputs.push_back({outputNames_[index], type.dtype, dimTexts(type.shape), {}});
  }

  std::string renamed(const std::string &name) const {
    const auto found = renames_.find(name);
    return found == renames_.end() ? name : found->second;
  }

  Model finish() {
    graph_.name = fmt::format("{}.{}", module_.name, entry_.name);
    graph_.doc = entry_.doc;
    graph_.nodes = std::move(file_.prologue);
    std::move(emitter_.nodes.begin(), emitter_.nodes.end(), std::back_inserter(graph_.nodes));
    graph_.initializers = std::move(file_.initializers);
    removeUnused(graph_);
    size_t size = 0;
    for (const Tensor &tensor : graph_.initializers)
      size += tensor.bytes.size();
    if (size > kLargestFile)
      file_.refuse(
          entry_.location,
          fmt::format("the weights have {} bytes; an ONNX file holds at most 2 GiB", size));
    return {APR_VERSION, module_.doc, inputs_.metadata, std::move(graph_)};
  }

  const Module &module_;
  const Function &entry_;
  const ExportInputs &inputs_;
  FileContext file_;
  GraphEmitter emitter_;
  onnx::Graph graph_;
  std::vector<std::string> outputNames_;
  std::map<std::string, std::string> renames_; ///< of results, by the name that their nodes had
  std::vector<uint32_t> uses_;
};

} // namespace

std::vector<std::string> exportPasses() {
  return {"compose-steps",  "derive-index-limits", "differentiate", "bind-dims", "simplify-exact",
          "fold-constants", "simplify-exact",      "cse",           "dce"};
}

ExportedModel exportEntry(const Module &module, const Function &entry, const ExportInputs &inputs) {
  return EntryExport(module, entry, inputs).run();
}

} // namespace apr::onnx
