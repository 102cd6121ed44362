// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/weights.h"

#include "runtime/train/canonical.h"
#include "runtime/train/error.h"
#include "runtime/train/json_text.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/sha256.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/table_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

namespace apr::train {
namespace {

bool isWeight(const aprt_tensor &tensor) {
  return tensor.role == APRT_PARAMETER || tensor.role == APRT_BUFFER;
}

std::vector<std::int64_t> shapeOf(const aprt_tensor &tensor) {
  std::vector<std::int64_t> shape;
  for (std::uint32_t i = 0; i < tensor.rank; ++i)
    shape.push_back(tensor.dims[i].value);
  return shape;
}

void hashValues(Sha256 &hash, const char *name, std::int32_t dtype,
                std::span<const std::int64_t> shape, const std::byte *values,
                std::size_t elements) {
  hash.update(name, std::strlen(name) + 1);
  const char *type = dtypeName(dtype);
  hash.update(type, std::strlen(type) + 1);
  hash.updateNumber(shape.size());
  for (std::int64_t size : shape)
    hash.updateNumber(static_cast<std::uint64_t>(size));
  forCanonicalBytes(values, dtype, elements,
                    [&](const std::byte *bytes, std::size_t size) { hash.update(bytes, size); });
}

void hashTensor(Sha256 &hash, const Instance &instance, const aprt_tensor &tensor) {
  hashValues(hash, tensor.name, tensor.dtype, shapeOf(tensor), instance.values(tensor),
             elementCount(tensor));
}

/// The reflection table's type that a file calls by this name; -1 for a type that models lack.
std::int32_t dtypeOf(const StoredTensor &tensor) {
  for (std::int32_t dtype = APRT_F32; dtype <= APRT_BF16; ++dtype)
    if (tensor.dtype == safetensorsType(dtype))
      return dtype;
  return -1;
}

void hashStored(Sha256 &hash, const SafetensorsFile &file, const StoredTensor &tensor) {
  std::vector<std::byte> bytes(tensor.end - tensor.begin);
  file.read(tensor, bytes);
  const std::int32_t dtype = dtypeOf(tensor);
  if (dtype < 0)
    hash.update(bytes);
  else
    hashValues(hash, tensor.name.c_str(), dtype, tensor.shape, bytes.data(),
               bytes.size() / elementBytes(dtype));
}

std::string shapeText(const std::string &type, const std::vector<std::int64_t> &shape) {
  return fmt::format("{}[{}]", type, fmt::join(shape, ", "));
}

template <class Predicate>
void save(const Instance &instance, const std::string &path,
          const std::map<std::string, std::string> &metadata, Predicate isSaved) {
  std::map<std::string, std::string> all = metadata;
  all.merge(modelMetadata(instance.model()));
  std::vector<TensorSource> tensors;
  for (const aprt_tensor &tensor : instance.model().tensors())
    if (isSaved(tensor))
      tensors.push_back({tensor.name, tensor.dtype, shapeOf(tensor), instance.values(tensor)});
  writeSafetensors(path, tensors, all);
}

/// Stored values are of the tensor's type, or f32 where it is f64: widening is exact.
bool isWidened(const StoredTensor &stored, const aprt_tensor &tensor) {
  return stored.dtype == "F32" && tensor.dtype == APRT_F64;
}
bool isReadable(const StoredTensor &stored, const aprt_tensor &tensor) {
  return stored.dtype == safetensorsType(tensor.dtype) || isWidened(stored, tensor);
}

std::vector<std::byte> readTensor(const SafetensorsFile &file, const StoredTensor &stored,
                                  const aprt_tensor &tensor) {
  const std::size_t elements = elementCount(tensor);
  std::vector<std::byte> bytes(elements * elementBytes(tensor.dtype));
  if (!isWidened(stored, tensor)) {
    file.read(stored, bytes);
    return bytes;
  }
  std::vector<std::byte> narrow(elements * elementBytes(APRT_F32));
  file.read(stored, narrow);
  for (std::size_t i = 0; i < elements; ++i)
    setElement(bytes.data(), APRT_F64, i, elementAt(narrow.data(), APRT_F32, i));
  return bytes;
}

/// Everything that keeps the file's tensors from being the model's, one line each.
std::vector<std::string> differences(const Instance &instance, const SafetensorsFile &file) {
  std::vector<std::string> found;
  std::vector<std::string> stored;
  for (const StoredTensor &tensor : file.tensors())
    stored.push_back(tensor.name);
  for (const aprt_tensor &tensor : instance.model().tensors()) {
    const StoredTensor *match = file.find(tensor.name);
    if (!isWeight(tensor) && !match)
      continue;
    const std::string wanted = shapeText(safetensorsType(tensor.dtype), shapeOf(tensor));
    if (!match)
      found.push_back(
          fmt::format("missing: {} {}{}", tensor.name, wanted, suggestion(tensor.name, stored)));
    else if (!isReadable(*match, tensor) || match->shape != shapeOf(tensor))
      found.push_back(fmt::format("mismatch: {} is {} in the file, {} in the model", tensor.name,
                                  shapeText(match->dtype, match->shape), wanted));
  }
  for (const std::string &name : stored) {
    if (!instance.model().tensor(name) && !isCheckpointTensor(name))
      found.push_back(fmt::format("not in the model: {}", inQuotes(name)));
  }
  return found;
}

Json number(const std::byte *values, std::int32_t dtype, std::size_t index) {
  if (dtype == APRT_BOOL)
    return elementAt(values, dtype, index) != 0;
  if (dtype != APRT_F32 && dtype != APRT_F64 && dtype != APRT_BF16)
    return static_cast<std::int64_t>(elementAt(values, dtype, index));
  const double value = elementAt(values, dtype, index);
  // A float's own shortest digits: widened to double it would print more than it holds.
  if (dtype != APRT_F64 && std::isfinite(value))
    return Json::parse(fmt::format("{}", static_cast<float>(value)));
  return jsonNumber(value);
}

Json nested(const std::byte *values, std::int32_t dtype, std::span<const std::int64_t> shape,
            std::size_t &next) {
  if (shape.empty())
    return number(values, dtype, next++);
  Json list = Json::array();
  for (std::int64_t i = 0; i < shape.front(); ++i)
    list.push_back(nested(values, dtype, shape.subspan(1), next));
  return list;
}

} // namespace

std::string stateHash(const Instance &instance) {
  Sha256 hash;
  for (const aprt_tensor &tensor : instance.model().tensors())
    hashTensor(hash, instance, tensor);
  return hash.finish();
}

std::string weightHash(const Instance &instance) {
  Sha256 hash;
  for (const aprt_tensor &tensor : instance.model().tensors())
    if (isWeight(tensor))
      hashTensor(hash, instance, tensor);
  return hash.finish();
}

std::string tensorHash(const Instance &instance, const aprt_tensor &tensor) {
  Sha256 hash;
  hashTensor(hash, instance, tensor);
  return hash.finish();
}

std::string resultHash(const EntryCall &call) {
  Sha256 hash;
  for (std::size_t i = 0; i < call.resultCount(); ++i) {
    const ResultView result = call.result(i);
    hashValues(hash, result.tensor->name, result.tensor->dtype, result.shape, result.values,
               result.elements);
  }
  return hash.finish();
}

std::string tensorHash(const SafetensorsFile &file, const StoredTensor &tensor) {
  Sha256 hash;
  hashStored(hash, file, tensor);
  return hash.finish();
}

std::string fileHash(const SafetensorsFile &file) {
  std::vector<StoredTensor> inOrder = file.tensors();
  std::stable_sort(inOrder.begin(), inOrder.end(), [](const auto &a, const auto &b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  Sha256 hash;
  for (const StoredTensor &tensor : inOrder)
    hashStored(hash, file, tensor);
  return hash.finish();
}

std::string tensorsHash(const std::vector<TensorSource> &tensors) {
  Sha256 hash;
  for (const TensorSource &tensor : tensors) {
    std::size_t elements = 1;
    for (const std::int64_t size : tensor.shape)
      elements *= static_cast<std::size_t>(size);
    hashValues(hash, tensor.name.c_str(), tensor.dtype, tensor.shape, tensor.values, elements);
  }
  return hash.finish();
}

std::vector<TensorSource> stateTensors(const Model &model, const std::byte *state) {
  std::vector<TensorSource> tensors;
  for (const aprt_tensor &tensor : model.tensors())
    tensors.push_back({tensor.name, tensor.dtype, shapeOf(tensor), state + tensor.offset});
  return tensors;
}

std::map<std::string, std::string> modelMetadata(const Model &model) {
  const aprt_model &table = model.table();
  return {{"model", table.name},
          {"source_hash", table.source_hash},
          {"compiler", table.compiler},
          {"semantics_version", std::to_string(table.semantics_version)}};
}

bool isCheckpointTensor(const std::string &name) { return name.starts_with('@'); }

void saveWeights(const Instance &instance, const std::string &path,
                 const std::map<std::string, std::string> &metadata) {
  save(instance, path, metadata, isWeight);
}

void saveState(const Instance &instance, const std::string &path,
               const std::map<std::string, std::string> &metadata) {
  save(instance, path, metadata, [](const aprt_tensor &) { return true; });
}

void loadWeights(Instance &instance, const std::string &path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto found = differences(instance, file);
  if (!found.empty())
    throw Error(ErrorKind::Data, {path},
                fmt::format("the weights do not fit the model {}:\n  {}", instance.model().name(),
                            fmt::join(found, "\n  ")));
  // Read everything first: a file that breaks midway must not leave half its weights behind.
  std::vector<std::pair<const aprt_tensor *, std::vector<std::byte>>> values;
  for (const aprt_tensor &tensor : instance.model().tensors()) {
    const StoredTensor *stored = file.find(tensor.name);
    if (!stored)
      continue;
    values.emplace_back(&tensor, readTensor(file, *stored, tensor));
  }
  for (const auto &[tensor, bytes] : values)
    if (!bytes.empty())
      std::memcpy(instance.values(*tensor), bytes.data(), bytes.size());
}

std::size_t weightElements(const Instance &instance) {
  std::size_t elements = 0;
  for (const aprt_tensor &tensor : instance.model().tensors())
    elements += isWeight(tensor) ? elementCount(tensor) : 0;
  return elements;
}

std::string weightsJson(const Instance &instance) {
  std::string text =
      fmt::format("{{\"model\": {},\n \"weights\": {{", Json(instance.model().name()).dump());
  const char *separator = "\n";
  for (const aprt_tensor &tensor : instance.model().tensors()) {
    if (!isWeight(tensor))
      continue;
    std::size_t next = 0;
    const Json values = nested(instance.values(tensor), tensor.dtype, shapeOf(tensor), next);
    text += fmt::format("{}  {}: {}", separator, Json(tensor.name).dump(), values.dump());
    separator = ",\n";
  }
  return text + "}}\n";
}

} // namespace apr::train
