// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/checkpoint.h"

#include "runtime/train/elements.h"
#include "runtime/train/error.h"
#include "runtime/train/json_text.h"
#include "runtime/train/number.h"
#include "runtime/train/record.h"
#include "runtime/train/record_digest.h"
#include "runtime/train/run_recorder.h"
#include "runtime/train/sha256.h"
#include "runtime/train/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>

namespace apr::train {
namespace {

constexpr const char *schema = "apr-checkpoint-1";
constexpr const char *recordTensor = "@record";
constexpr std::string_view sumPrefix = "@sum.";
constexpr std::string_view weightPrefix = "@weight.";

/// Keys that describe the state and the place; all others belong to the program that trains.
constexpr std::string_view ownKeys[] = {
    "model",       "source_hash",  "compiler",      "semantics_version",
    "schema",      "program_hash", "data_hash",     "seed",
    "step",        "epoch",        "step_in_epoch", "best_metric",
    "best_value",  "best_bits",    "best_epoch",    "best_step",
    "best_waited", "digest"};

/// The digest covers everything but itself, so that no flipped bit goes unseen.
std::string digestOf(const std::string &tensors, std::map<std::string, std::string> metadata) {
  metadata.erase("digest");
  return sha256Of(tensors + jsonDigest(ParsedJson(metadata)));
}

std::map<std::string, std::string> metadataOf(const Model &model, const Checkpoint &checkpoint) {
  const Cursor &cursor = checkpoint.cursor;
  std::map<std::string, std::string> metadata = modelMetadata(model);
  metadata["schema"] = schema;
  metadata["program_hash"] = model.table().source_hash;
  metadata["data_hash"] = checkpoint.dataHash;
  metadata["seed"] = std::to_string(checkpoint.seed);
  metadata["step"] = std::to_string(cursor.steps);
  metadata["epoch"] = std::to_string(cursor.epochs);
  metadata["step_in_epoch"] = std::to_string(cursor.stepInEpoch);
  metadata["best_metric"] = cursor.best.metric;
  metadata["best_value"] = fmt::format("{}", cursor.best.value);
  metadata["best_bits"] = figureBits(cursor.best.value);
  metadata["best_epoch"] = std::to_string(cursor.best.epoch);
  metadata["best_step"] = std::to_string(cursor.best.step);
  metadata["best_waited"] = std::to_string(cursor.best.waited);
  for (const auto &[key, value] : checkpoint.extra)
    metadata.emplace(key, value);
  return metadata;
}

void addFigures(std::vector<TensorSource> &tensors, const std::vector<MetricTotals> &figures) {
  for (const MetricTotals &figure : figures) {
    tensors.push_back({std::string(weightPrefix) + figure.name,
                       APRT_F64,
                       {},
                       reinterpret_cast<const std::byte *>(&figure.weight)});
    tensors.push_back({std::string(sumPrefix) + figure.name, APRT_F64, figure.shape,
                       reinterpret_cast<const std::byte *>(figure.totals.data())});
  }
}

} // namespace

std::string dataHash(const Dataset &data, const Split &split) {
  std::vector<std::pair<std::string, std::string>> inputs;
  for (const InputArray &input : data.inputs)
    inputs.emplace_back(input.name, inputHash(input));
  return dataHash(inputs, splitHash(split));
}

std::string dataHash(const std::vector<std::pair<std::string, std::string>> &inputs,
                     const std::string &splitHash) {
  std::string all;
  for (const auto &[name, hash] : inputs)
    all += name + "\n" + hash + "\n";
  return sha256Of(all + splitHash);
}

void writeCheckpoint(const std::string &path, const Model &model, const std::byte *state,
                     const Checkpoint &checkpoint) {
  std::vector<TensorSource> tensors = stateTensors(model, state);
  addFigures(tensors, checkpoint.cursor.figures);
  if (!checkpoint.record.empty())
    tensors.push_back({recordTensor,
                       APRT_U8,
                       {static_cast<std::int64_t>(checkpoint.record.size())},
                       reinterpret_cast<const std::byte *>(checkpoint.record.data())});
  auto metadata = metadataOf(model, checkpoint);
  metadata["digest"] = digestOf(tensorsHash(tensors), metadata);
  writeSafetensors(path, tensors, metadata);
}

CheckpointFile CheckpointFile::open(const std::string &path) {
  CheckpointFile file(SafetensorsFile::open(path));
  file.readMetadata();
  file.checkDigest();
  file.readFigures();
  file.readRecord();
  return file;
}

void CheckpointFile::fail(const std::string &message) const {
  throw Error(ErrorKind::Data, {file_.path()}, message);
}

const std::string &CheckpointFile::text(const std::string &key) const {
  const auto found = file_.metadata().find(key);
  if (found == file_.metadata().end())
    fail(fmt::format("the metadata lacks {}", key));
  return found->second;
}

std::uint64_t CheckpointFile::count(const std::string &key) const {
  const std::string &word = text(key);
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (fault != std::errc() || end != word.data() + word.size())
    fail(fmt::format("the metadata {} is {}, expected a whole number", key, inQuotes(word)));
  return number;
}

void CheckpointFile::readMetadata() {
  const auto &metadata = file_.metadata();
  if (!metadata.contains("schema"))
    fail("this is not a checkpoint: its metadata has no schema");
  if (text("schema") != schema)
    fail(fmt::format("the checkpoint has the schema {}, this program reads {}",
                     inQuotes(text("schema")), schema));
  programHash_ = text("program_hash");
  semanticsVersion_ = count("semantics_version");
  contents_.dataHash = text("data_hash");
  contents_.seed = count("seed");
  Cursor &cursor = contents_.cursor;
  cursor.steps = count("step");
  cursor.epochs = count("epoch");
  cursor.stepInEpoch = count("step_in_epoch");
  cursor.best.metric = text("best_metric");
  cursor.best.epoch = count("best_epoch");
  cursor.best.step = count("best_step");
  cursor.best.waited = count("best_waited");
  const std::string &bits = text("best_bits");
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(bits.data(), bits.data() + bits.size(), value, 16);
  if (fault != std::errc() || end != bits.data() + bits.size())
    fail("the metadata best_bits is not hexadecimal");
  cursor.best.value = std::bit_cast<double>(value);
  for (const auto &[key, word] : metadata)
    if (std::find(std::begin(ownKeys), std::end(ownKeys), key) == std::end(ownKeys))
      contents_.extra[key] = word;
}

void CheckpointFile::checkDigest() const {
  if (digestOf(fileHash(file_), file_.metadata()) != text("digest"))
    fail("the checkpoint's digest is not that of its content: the file was damaged or altered");
}

void CheckpointFile::readFigures() {
  std::vector<StoredTensor> inOrder = file_.tensors();
  std::sort(inOrder.begin(), inOrder.end(),
            [](const auto &a, const auto &b) { return a.begin < b.begin; });
  for (const StoredTensor &tensor : inOrder) {
    if (!tensor.name.starts_with(sumPrefix))
      continue;
    MetricTotals figure;
    figure.name = tensor.name.substr(sumPrefix.size());
    const StoredTensor *weight = file_.find(std::string(weightPrefix) + figure.name);
    const bool isComplete =
        weight && weight->dtype == "F64" && weight->shape.empty() && tensor.dtype == "F64";
    if (!isComplete)
      fail(fmt::format("tensor {}: expected F64 values and a weight", inQuotes(tensor.name)));
    figure.shape = tensor.shape;
    figure.totals.resize((tensor.end - tensor.begin) / sizeof(double));
    file_.read(tensor, std::as_writable_bytes(std::span(figure.totals)));
    file_.read(*weight, std::as_writable_bytes(std::span(&figure.weight, 1)));
    contents_.cursor.figures.push_back(std::move(figure));
  }
}

void CheckpointFile::readRecord() {
  const StoredTensor *tensor = file_.find(recordTensor);
  if (!tensor)
    return;
  if (tensor->dtype != "U8")
    fail(fmt::format("tensor {} is not of type U8", recordTensor));
  contents_.record.resize(tensor->end - tensor->begin);
  file_.read(*tensor, std::as_writable_bytes(std::span(contents_.record)));
}

std::vector<std::byte> CheckpointFile::state(const Model &model) const {
  if (programHash_ != model.table().source_hash)
    fail(fmt::format("the checkpoint is of another program: its hash is {:.12}…, that of {} is "
                     "{:.12}…",
                     programHash_, model.name(), model.table().source_hash));
  std::vector<std::byte> state(model.table().state_bytes);
  std::size_t known = 0;
  for (const aprt_tensor &tensor : model.tensors()) {
    const StoredTensor *stored = file_.find(tensor.name);
    const std::size_t bytes = elementCount(tensor) * elementBytes(tensor.dtype);
    const auto isSameSize = [&](std::size_t axis) {
      return stored->shape[axis] == tensor.dims[axis].value;
    };
    bool fits = stored && stored->dtype == safetensorsType(tensor.dtype) &&
                stored->shape.size() == tensor.rank && stored->end - stored->begin == bytes;
    for (std::size_t axis = 0; fits && axis < tensor.rank; ++axis)
      fits = isSameSize(axis);
    if (!fits)
      fail(fmt::format("the checkpoint has no tensor {} of the model's type and shape",
                       tensor.name));
    if (bytes > 0)
      file_.read(*stored, std::span(state).subspan(tensor.offset, bytes));
    ++known;
  }
  const auto stored = std::count_if(file_.tensors().begin(), file_.tensors().end(),
                                    [](const auto &t) { return !isCheckpointTensor(t.name); });
  if (static_cast<std::size_t>(stored) != known)
    fail("the checkpoint has tensors that the model lacks");
  return state;
}

void resumeFrom(Trainer &trainer, const CheckpointFile &checkpoint, const CheckpointFile *best) {
  const Model &model = trainer.instance().model();
  const Checkpoint &contents = checkpoint.contents();
  const std::vector<std::byte> state = checkpoint.state(model);
  std::vector<std::byte> bestState;
  if (best)
    bestState = best->state(model);
  else if (contents.cursor.best.epoch > 0 && contents.cursor.best.step == contents.cursor.steps)
    bestState = state;
  trainer.resume(contents.cursor, bestState);
  if (!state.empty())
    std::memcpy(trainer.instance().state(), state.data(), state.size());
}

} // namespace apr::train
