// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/model.h"

#include "runtime/train/bfloat.h"
#include "runtime/train/error.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/table_loader.h"

#include <fmt/format.h>

#include <cstring>

namespace apr::train {
namespace {

template <class T> T load(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T> void save(std::byte *to, double value) {
  const T converted = static_cast<T>(value);
  std::memcpy(to, &converted, sizeof converted);
}

[[noreturn]] void failUnknown(const char *what, std::string_view word,
                              const std::vector<std::string> &known) {
  if (known.empty())
    throw Error(ErrorKind::Usage, fmt::format("the model has no {}", what));
  if (word.empty())
    throw Error(ErrorKind::Usage, fmt::format("the model has more than one {}; name one of: {}",
                                              what, listed(known)));
  throw Error(ErrorKind::Usage,
              fmt::format("the model has no {} {}{}; there are: {}", what, inQuotes(word),
                          suggestion(word, known), listed(known)));
}

} // namespace

Model::Model(const aprt_model &table) : table_(&table) {
  if (table.size < sizeof(aprt_model) || table.abi_version != APRT_ABI_VERSION)
    throw Error(ErrorKind::Data, fmt::format("the model's table has ABI version {}, expected {}",
                                             table.abi_version, APRT_ABI_VERSION));
}

std::uint32_t Model::block(std::string_view name) const {
  std::vector<std::string> known;
  for (std::uint32_t i = 0; i < table_->train_block_count; ++i) {
    known.push_back(table_->train_blocks[i].name);
    if (name == known.back() || (name.empty() && table_->train_block_count == 1))
      return i;
  }
  failUnknown("train block", name, known);
}

const aprt_entry *Model::blockEntry(std::uint32_t block, std::int32_t kind) const {
  for (const aprt_entry &entry : entries())
    if (entry.kind == kind && entry.train_block == block)
      return &entry;
  return nullptr;
}

const aprt_entry *Model::init() const {
  for (const aprt_entry &entry : entries())
    if (entry.kind == APRT_INIT)
      return &entry;
  return nullptr;
}

const aprt_entry &Model::entry(std::string_view name) const {
  std::vector<std::string> known;
  const aprt_entry *found = nullptr;
  for (const aprt_entry &entry : entries()) {
    if (entry.kind != APRT_ENTRY)
      continue;
    known.push_back(entry.name);
    if (name.empty() || name == entry.name)
      found = &entry;
  }
  if (!found || (name.empty() && known.size() > 1))
    failUnknown("entry", name, known);
  return *found;
}

const aprt_hyper &Model::hyper(std::string_view name) const {
  std::vector<std::string> known;
  std::vector<const aprt_hyper *> bySuffix;
  for (const aprt_hyper &hyper : hypers()) {
    const std::string_view full = hyper.name;
    known.emplace_back(full);
    if (full == name)
      return hyper;
    if (full.size() > name.size() && full.ends_with(name) &&
        full[full.size() - name.size() - 1] == '.')
      bySuffix.push_back(&hyper);
  }
  if (bySuffix.size() == 1)
    return *bySuffix.front();
  if (bySuffix.empty())
    failUnknown("hyperparameter", name, known);
  std::vector<std::string> ambiguous;
  for (const aprt_hyper *hyper : bySuffix)
    ambiguous.push_back(hyper->name);
  throw Error(ErrorKind::Usage, fmt::format("the hyperparameter {} may be one of: {}",
                                            inQuotes(name), listed(ambiguous)));
}

const aprt_tensor *Model::tensor(std::string_view name) const {
  for (const aprt_tensor &tensor : tensors())
    if (name == tensor.name)
      return &tensor;
  return nullptr;
}

std::size_t elementCount(const aprt_tensor &tensor) {
  std::size_t count = 1;
  for (std::uint32_t i = 0; i < tensor.rank; ++i) {
    if (tensor.dims[i].variable != -1)
      return 0;
    count *= static_cast<std::size_t>(tensor.dims[i].value);
  }
  return count;
}

std::string typeText(const aprt_tensor &tensor, std::span<const char *const> dimNames) {
  std::vector<std::string> dims;
  for (std::uint32_t i = 0; i < tensor.rank; ++i) {
    const aprt_dim &dim = tensor.dims[i];
    if (dim.variable == -1)
      dims.push_back(std::to_string(dim.value));
    else if (dim.variable >= 0 && static_cast<std::size_t>(dim.variable) < dimNames.size())
      dims.emplace_back(dimNames[static_cast<std::size_t>(dim.variable)]);
    else
      dims.emplace_back("?");
  }
  return dims.empty() ? dtypeName(tensor.dtype)
                      : fmt::format("{}[{}]", dtypeName(tensor.dtype), fmt::join(dims, ", "));
}

bool isFloating(const aprt_tensor &tensor) {
  return tensor.dtype == APRT_F32 || tensor.dtype == APRT_F64;
}

double elementAt(const std::byte *values, std::int32_t dtype, std::size_t index) {
  const std::byte *from = values + index * elementBytes(dtype);
  switch (dtype) {
  case APRT_F32:
    return static_cast<double>(load<float>(from));
  case APRT_F64:
    return load<double>(from);
  case APRT_I32:
    return load<std::int32_t>(from);
  case APRT_I64:
    return static_cast<double>(load<std::int64_t>(from));
  case APRT_BF16:
    return static_cast<double>(bfloatValue(load<std::uint16_t>(from)));
  default:
    return load<std::uint8_t>(from);
  }
}

void setElement(std::byte *values, std::int32_t dtype, std::size_t index, double value) {
  std::byte *to = values + index * elementBytes(dtype);
  switch (dtype) {
  case APRT_F32:
    return save<float>(to, value);
  case APRT_F64:
    return save<double>(to, value);
  case APRT_I32:
    return save<std::int32_t>(to, value);
  case APRT_I64:
    return save<std::int64_t>(to, value);
  case APRT_BF16: {
    const std::uint16_t bits = roundToBfloat(value);
    std::memcpy(to, &bits, sizeof bits);
    return;
  }
  default:
    return save<std::uint8_t>(to, value);
  }
}

} // namespace apr::train
