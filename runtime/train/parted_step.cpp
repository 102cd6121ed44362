// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/parted_step.h"

#include "runtime/train/elements.h"
#include "runtime/train/error.h"
#include "runtime/train/json_text.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <functional>

namespace apr::train {
namespace {

const aprt_entry &entryOf(const Model &model, std::uint32_t block, std::int32_t kind) {
  const aprt_entry *entry = model.blockEntry(block, kind);
  if (!entry)
    throw Error(ErrorKind::Data, fmt::format("the train block {} has no grad and apply entries",
                                             model.blocks()[block].name));
  return *entry;
}

template <class T, class Combine>
void combine(std::byte *to, const std::byte *from, std::size_t elements, Combine combined) {
  for (std::size_t i = 0; i < elements; ++i) {
    T left;
    T right;
    std::memcpy(&left, to + i * sizeof(T), sizeof(T));
    std::memcpy(&right, from + i * sizeof(T), sizeof(T));
    left = combined(left, right);
    std::memcpy(to + i * sizeof(T), &left, sizeof(T));
  }
}

/// Left + right in the type itself; marks combine by `or`.
void addElements(std::byte *to, const std::byte *from, std::int32_t dtype, std::size_t elements) {
  switch (dtype) {
  case APRT_F32:
    return combine<float>(to, from, elements, std::plus<float>());
  case APRT_F64:
    return combine<double>(to, from, elements, std::plus<double>());
  case APRT_I32:
    return combine<std::uint32_t>(to, from, elements, std::plus<std::uint32_t>());
  case APRT_I64:
    return combine<std::uint64_t>(to, from, elements, std::plus<std::uint64_t>());
  case APRT_BOOL:
    return combine<std::uint8_t>(to, from, elements, std::bit_or<std::uint8_t>());
  default:
    throw Error(ErrorKind::Data,
                fmt::format("shares of type {} cannot be added", dtypeName(dtype)));
  }
}

/// The input of this name among an entry's; its count where there is none.
std::size_t inputNamed(const aprt_entry &entry, const char *name) {
  std::size_t i = 0;
  while (i < entry.input_count && std::strcmp(entry.inputs[i].name, name) != 0)
    ++i;
  return i;
}

} // namespace

std::uint64_t partsOf(const Model &model, std::uint32_t block) {
  const ParsedJson manifest = parseJson(model.table().manifest, "the model's manifest");
  const char *name = model.blocks()[block].name;
  if (manifest.is_object() && manifest.contains("train_blocks"))
    for (const ParsedJson &entry : manifest["train_blocks"])
      if (entry.is_object() && entry.contains("name") && entry["name"] == name)
        return entry.contains("shards") && entry["shards"].is_number_unsigned()
                   ? std::max<std::uint64_t>(1, entry["shards"].get<std::uint64_t>())
                   : 1;
  return 1;
}

PartedStep::PartedStep(Instance &instance, std::uint32_t block)
    : block_(&instance.model().blocks()[block]), parts_(partsOf(instance.model(), block)),
      grad_(instance, entryOf(instance.model(), block, APRT_GRAD)),
      apply_(instance, entryOf(instance.model(), block, APRT_APPLY)) {
  if (parts_ == 1)
    throw Error(ErrorKind::Usage,
                fmt::format("the train block {} declares no shards: only with `train {}(…) shards "
                            "N` do N parts of a batch give the bits of the whole",
                            block_->name, block_->name));
}

void PartedStep::run(RowFeed &feed, std::span<const std::size_t> rows) {
  if (rows.size() % parts_ != 0)
    throw Error(ErrorKind::Data,
                fmt::format("a batch of {} rows has no {} equal parts; --drop-last leaves out a "
                            "last batch that is not full",
                            rows.size(), parts_));
  partRows_ = rows.size() / parts_;
  feed.prepare(rows);
  grad_.setDims(feed.dims());
  Share whole = computeTree(feed, 0, parts_);
  apply(feed, whole);
}

PartedStep::Share PartedStep::computeTree(RowFeed &feed, std::uint64_t first, std::uint64_t count) {
  if (count == 1)
    return computePart(feed, first);
  // Neighbours level by level, an odd last one moving up: the left half is a whole tree.
  const std::uint64_t left = std::bit_floor(count - 1);
  Share share = computeTree(feed, first, left);
  add(share, computeTree(feed, first + left, count - left));
  return share;
}

PartedStep::Share PartedStep::computePart(RowFeed &feed, std::uint64_t part) {
  const aprt_entry &grad = grad_.entry();
  const aprt_entry &step = feed.call().entry();
  std::vector<const void *> inputs;
  for (std::size_t i = 0; i < grad.input_count; ++i) {
    const std::size_t whole = inputNamed(step, grad.inputs[i].name);
    if (whole == step.input_count)
      throw Error(ErrorKind::Data,
                  fmt::format("{} has no input {}", step.name, grad.inputs[i].name));
    const auto *from = static_cast<const std::byte *>(feed.inputs()[whole]);
    const auto shape = grad_.inputShape(i);
    const auto wholeShape = feed.call().inputShape(whole);
    // Inputs without the batch's axis are shared by the parts.
    const bool isDivided = !shape.empty() && shape[0] != wholeShape[0];
    std::size_t bytes = elementBytes(grad.inputs[i].dtype);
    for (const std::int64_t size : shape)
      bytes *= static_cast<std::size_t>(size);
    inputs.push_back(isDivided ? from + part * bytes : from);
  }
  Share share{AlignedBlock(block_->gradient_bytes), {}};
  grad_.run(inputs, static_cast<std::int64_t>(part * partRows_), share.gradients.data());
  for (std::size_t i = 0; i < grad_.resultCount(); ++i) {
    const ResultView view = grad_.result(i);
    const std::size_t bytes = view.elements * elementBytes(view.tensor->dtype);
    share.results.emplace_back(view.values, view.values + bytes);
  }
  return share;
}

void PartedStep::add(Share &to, const Share &from) const {
  for (std::uint32_t i = 0; i < block_->gradient_count; ++i) {
    const aprt_tensor &tensor = block_->gradients[i];
    addElements(to.gradients.data() + tensor.offset, from.gradients.data() + tensor.offset,
                tensor.dtype, elementCount(tensor));
  }
  for (std::size_t i = 0; i < to.results.size(); ++i) {
    const aprt_tensor &tensor = grad_.entry().results[i];
    // A figure that does not depend on rows is the same in every part.
    if (tensor.role != APRT_SCALAR)
      addElements(to.results[i].data(), from.results[i].data(), tensor.dtype,
                  to.results[i].size() / elementBytes(tensor.dtype));
  }
}

void PartedStep::apply(RowFeed &feed, Share &whole) {
  const aprt_entry &entry = apply_.entry();
  const aprt_entry &step = feed.call().entry();
  std::vector<std::int64_t> dims;
  for (std::uint32_t v = 0; v < entry.dim_count; ++v)
    for (std::uint32_t k = 0; k < step.dim_count; ++k)
      if (std::strcmp(entry.dims[v], step.dims[k]) == 0)
        dims.push_back(feed.dims()[k]);
  std::vector<const void *> inputs;
  for (std::size_t i = 0; i < entry.input_count; ++i)
    inputs.push_back(feed.inputs()[inputNamed(step, entry.inputs[i].name)]);
  apply_.setDims(dims);
  apply_.run(inputs, 0, whole.gradients.data());
  for (std::size_t i = 0; i < step.result_count; ++i) {
    const std::size_t bytes = feed.call().resultBytes(i);
    for (std::size_t k = 0; k < whole.results.size(); ++k)
      if (std::strcmp(grad_.entry().results[k].name, step.results[i].name) == 0 &&
          whole.results[k].size() == bytes)
        std::memcpy(feed.call().resultStorage(i), whole.results[k].data(), bytes);
    for (std::size_t k = 0; k < apply_.resultCount(); ++k)
      if (std::strcmp(entry.results[k].name, step.results[i].name) == 0 &&
          apply_.resultBytes(k) == bytes)
        std::memcpy(feed.call().resultStorage(i), apply_.result(k).values, bytes);
  }
}

} // namespace apr::train
