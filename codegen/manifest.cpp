// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/manifest.h"

#include "runtime/core/include/aprt.h"

#include <nlohmann/json.hpp>

namespace apr {
namespace {

using Json = nlohmann::ordered_json;

/// A dim as JSON: a number, or its text.
Json toJson(const Dim &dim) {
  if (auto constant = dim.asConstant())
    return *constant;
  return dim.str();
}

Json shapeJson(const Shape &shape) {
  Json json = Json::array();
  for (const Dim &dim : shape)
    json.push_back(toJson(dim));
  return json;
}

Json tensorJson(const std::string &tensorName, const Type &type) {
  return {{"name", tensorName}, {"dtype", name(type.dtype)}, {"shape", shapeJson(type.shape)}};
}

Json stateJson(const ModelDescription &model) {
  Json json = Json::array();
  for (size_t i = 0; i < model.module->state.size(); ++i) {
    const StateTensor &tensor = model.module->state[i];
    Json row = tensorJson(tensor.name, tensor.type);
    row["role"] = name(tensor.role);
    row["offset"] = model.state.offsets[i];
    row["bytes"] = toJson(byteCount(tensor.type));
    row["doc"] = tensor.doc;
    json.push_back(std::move(row));
  }
  return json;
}

Json hypersJson(const ModelDescription &model) {
  Json json = Json::array();
  for (size_t i = 0; i < model.module->hypers.size(); ++i) {
    const Hyperparameter &hyper = model.module->hypers[i];
    json.push_back({{"name", hyper.name},
                    {"dtype", name(hyper.dtype)},
                    {"offset", model.hypers.offsets[i]},
                    {"default", hyper.defaultValue},
                    {"doc", hyper.doc}});
  }
  return json;
}

Json checksJson(const EntryDescription &entry) {
  Json json = Json::array();
  for (size_t i = 0; i < entry.function->checks.size(); ++i) {
    const DimCheck &check = entry.function->checks[i];
    json.push_back({{"status", entry.firstStatus + static_cast<int32_t>(i)},
                    {"requires", check.kind == DimCheck::Kind::Zero ? "zero" : "non-negative"},
                    {"value", check.value.str()},
                    {"message", check.message}});
  }
  return json;
}

Json entryJson(const EntryDescription &entry, uint64_t scratchBytes) {
  Json inputs = Json::array(), results = Json::array();
  for (const TensorDescription &input : entry.inputs) {
    Json row = tensorJson(input.name, input.type);
    if (input.indexLimit)
      row["index_limit"] = toJson(*input.indexLimit);
    inputs.push_back(std::move(row));
  }
  for (const TensorDescription &result : entry.results) {
    Json row = tensorJson(result.name, result.type);
    row["kind"] = name(result.kind);
    results.push_back(std::move(row));
  }
  return {{"name", entry.function->name},
          {"kind", name(entry.function->kind)},
          {"symbol", entry.symbol},
          {"train_block", entry.trainBlock ? Json(entry.function->trainBlock) : Json()},
          {"dims", entry.function->dims},
          {"inputs", std::move(inputs)},
          {"results", std::move(results)},
          {"checks", checksJson(entry)},
          {"workspace_bytes", toJson(entry.workspaceBytes)},
          {"scratch_bytes_per_worker", scratchBytes},
          {"doc", entry.function->doc}};
}

int64_t shardCount(const Module &module, const std::string &block) {
  for (const Function &function : module.functions)
    if (function.trainBlock == block && function.shards)
      return function.shards->count;
  return 1;
}

Json trainBlocksJson(const ModelDescription &model) {
  Json json = Json::array();
  for (const TrainBlockDescription &block : model.trainBlocks) {
    Json gradients = Json::array();
    for (size_t i = 0; i < block.gradients.size(); ++i) {
      Json row = tensorJson(block.gradients[i].name, block.gradients[i].type);
      row["offset"] = block.layout.offsets[i];
      gradients.push_back(std::move(row));
    }
    json.push_back({{"name", block.name},
                    {"shards", shardCount(*model.module, block.name)},
                    {"gradient_bytes", block.layout.bytes},
                    {"gradients", std::move(gradients)}});
  }
  return json;
}

} // namespace

std::string generateManifest(const ModelDescription &model, const ManifestFacts &facts) {
  Json entries = Json::array();
  for (size_t i = 0; i < model.entries.size(); ++i)
    entries.push_back(entryJson(model.entries[i], facts.scratchBytes[i]));
  const Json json{{"schema", "aprc-manifest-1"},
                  {"model", model.module->name},
                  {"doc", model.module->doc},
                  {"prefix", model.prefix},
                  {"compiler", facts.compiler},
                  {"abi_version", APRT_ABI_VERSION},
                  {"semantics_version", kSemanticsVersion},
                  {"target", {{"triple", facts.triple}, {"cpu", facts.cpu}}},
                  {"source_hash", facts.sourceHash},
                  {"alignment", kBlockAlignment},
                  {"state_bytes", model.state.bytes},
                  {"state", stateJson(model)},
                  {"hyper_bytes", model.hypers.bytes},
                  {"hypers", hypersJson(model)},
                  {"entries", std::move(entries)},
                  {"train_blocks", trainBlocksJson(model)}};
  // Text that is not UTF-8 can only come from a doc comment; it must not stop the compiler.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace apr
