// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/row_feed.h"

#include "runtime/train/error.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/table_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace apr::train {
namespace {

std::span<const aprt_tensor> inputsOf(const aprt_entry &entry) {
  return {entry.inputs, entry.input_count};
}

bool isSeed(const aprt_tensor &input) {
  return input.rank == 0 && input.dtype == APRT_I64 && std::string_view(input.name) == "seed";
}

bool isFedByRows(const aprt_tensor &input, const FixedInputs &fixed) {
  return input.rank > 0 && fixed.values.count(input.name) == 0;
}

std::string type(const aprt_entry &entry, const aprt_tensor &tensor) {
  return typeText(tensor, {entry.dims, entry.dim_count});
}

std::optional<std::int64_t> fixedDim(const aprt_entry &entry, const aprt_dim &dim,
                                     const FixedInputs &fixed) {
  if (dim.variable == -1)
    return dim.value;
  if (dim.variable < 0)
    return std::nullopt;
  const auto found = fixed.dims.find(entry.dims[dim.variable]);
  return found == fixed.dims.end() ? std::nullopt : std::optional(found->second);
}

/// Elements per row, 0 where an open dimension decides.
std::size_t rowElements(const aprt_entry &entry, const aprt_tensor &input,
                        const FixedInputs &fixed) {
  std::size_t elements = 1;
  for (std::uint32_t i = isOneRowPerCall(entry, fixed) ? 0 : 1; i < input.rank; ++i) {
    const auto size = fixedDim(entry, input.dims[i], fixed);
    if (!size)
      return 0;
    elements *= static_cast<std::size_t>(*size);
  }
  return elements;
}

void checkFixed(const aprt_entry &entry, const FixedInputs &fixed) {
  std::vector<std::string> names;
  for (const aprt_tensor &input : inputsOf(entry)) {
    names.emplace_back(input.name);
    if (input.rank == 0 && !isSeed(input) && fixed.values.count(input.name) == 0)
      throw Error(
          ErrorKind::Usage,
          fmt::format("input {}: {} of {} is not fed by rows; give it with --value {}=NUMBER",
                      input.name, type(entry, input), entry.name, input.name));
  }
}

} // namespace

bool isOneRowPerCall(const aprt_entry &entry, const FixedInputs &fixed) {
  const auto inputs = inputsOf(entry);
  return entry.kind == APRT_ENTRY &&
         std::none_of(inputs.begin(), inputs.end(), [&](const aprt_tensor &input) {
           return isFedByRows(input, fixed) && input.dims[0].variable != -1;
         });
}

std::vector<InputNeed> inputNeeds(const aprt_entry &entry, const FixedInputs &fixed) {
  checkFixed(entry, fixed);
  std::vector<InputNeed> needs;
  for (const aprt_tensor &input : inputsOf(entry))
    if (isFedByRows(input, fixed))
      needs.push_back(
          {input.name, input.dtype, rowElements(entry, input, fixed), input.index_limit});
  return needs;
}

RowFeed::RowFeed(Instance &instance, const aprt_entry &entry, const FixedInputs &fixed,
                 const Dataset &data, std::size_t batchRows)
    : instance_(&instance), entry_(&entry), call_(instance, entry),
      pointers_(entry.input_count, nullptr), dims_(entry.dim_count, 0), dataRows_(data.rows) {
  checkFixed(entry, fixed);
  isOneRow_ = isOneRowPerCall(entry, fixed);
  std::optional<aprt_dim> batch;
  for (std::size_t i = 0; i < entry.input_count; ++i) {
    const aprt_tensor &input = entry.inputs[i];
    if (!isFedByRows(input, fixed))
      continue;
    const InputArray *array = data.find(input.name);
    if (!array || array->dtype != input.dtype)
      throw Error(ErrorKind::Usage, fmt::format("no data is given for input {}: {} of {}",
                                                input.name, type(entry, input), entry.name));
    if (!batch)
      batch = input.dims[0];
    if (!isOneRow_ &&
        (input.dims[0].variable != batch->variable || input.dims[0].value != batch->value))
      throw Error(ErrorKind::Usage,
                  fmt::format("the inputs of {} do not share their first dimension: {} is {}; "
                              "give an input that has no rows with --value {}=NUMBER",
                              entry.name, input.name, type(entry, input), input.name));
    fed_.push_back({i, array, {}});
  }
  if (batch && batch->variable == -2)
    throw Error(
        ErrorKind::Usage,
        fmt::format("the first dimension of {}'s inputs is computed from others; rows cannot "
                    "feed it",
                    entry.name));
  batchVariable_ = batch ? batch->variable : -1;
  isFixed_ = batch && batch->variable == -1 && !isOneRow_;
  batchRows_ = !batch      ? 0
               : isOneRow_ ? 1
               : isFixed_  ? static_cast<std::size_t>(batch->value)
                           : batchRows;
  if (batch && batchRows_ == 0)
    throw Error(ErrorKind::Usage, "a batch has at least one row");
  bindDims(fixed);
  fillFixed(fixed);
  if (entry.kind == APRT_STEP)
    bindAugmentations(fixed);
}

void RowFeed::bindAugmentations(const FixedInputs &fixed) {
  seed_ = fixed.seed;
  std::vector<std::string> names;
  for (const Fed &fed : fed_)
    names.emplace_back(entry_->inputs[fed.input].name);
  for (const auto &[name, augmentation] : fixed.augmentations) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw Error(ErrorKind::Usage,
                  fmt::format("an augmentation names {}, which is no input of {} that rows feed{}; "
                              "there are {}",
                              inQuotes(name), entry_->name, suggestion(name, names),
                              names.empty() ? "none" : listed(names)));
    Fed &fed = fed_[static_cast<std::size_t>(found - names.begin())];
    const aprt_tensor &input = entry_->inputs[fed.input];
    if (input.rank < 3 || input.rank > 4)
      throw Error(ErrorKind::Usage,
                  fmt::format("input {}: {} has no images to augment: their dimensions are rows, "
                              "height, width and perhaps channels",
                              name, type(*entry_, input)));
    const auto shape = call_.inputShape(fed.input);
    const auto channels = input.rank == 4 ? static_cast<std::size_t>(shape[3]) : std::size_t{1};
    fed.augmentation = augmentation;
    fed.image = {static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2]),
                 channels * elementBytes(input.dtype)};
  }
}

void RowFeed::bindDims(const FixedInputs &fixed) {
  std::vector<bool> known(entry_->dim_count, false);
  for (std::uint32_t v = 0; v < entry_->dim_count; ++v) {
    const auto found = fixed.dims.find(entry_->dims[v]);
    if (found == fixed.dims.end())
      continue;
    if (static_cast<std::int32_t>(v) == batchVariable_)
      throw Error(ErrorKind::Usage, fmt::format("{} is the batch dimension of {}: set --batch "
                                                "instead",
                                                entry_->dims[v], entry_->name));
    dims_[v] = found->second;
    known[v] = true;
  }
  for (const Fed &fed : fed_)
    bindRowDims(entry_->inputs[fed.input], *fed.array, known);
  for (std::uint32_t v = 0; v < entry_->dim_count; ++v)
    if (!known[v] && static_cast<std::int32_t>(v) != batchVariable_)
      throw Error(ErrorKind::Usage, fmt::format("the dimension {} of {} is open: give it with "
                                                "--dim {}=NUMBER",
                                                entry_->dims[v], entry_->name, entry_->dims[v]));
}

void RowFeed::bindRowDims(const aprt_tensor &tensor, const InputArray &array,
                          std::vector<bool> &known) {
  std::int64_t product = 1;
  std::int32_t open = -1;
  for (std::uint32_t i = isOneRow_ ? 0 : 1; i < tensor.rank; ++i) {
    const aprt_dim &dim = tensor.dims[i];
    if (dim.variable == -1) {
      product *= dim.value;
    } else if (dim.variable >= 0 && known[static_cast<std::size_t>(dim.variable)]) {
      product *= dims_[static_cast<std::size_t>(dim.variable)];
    } else if (dim.variable >= 0 && open < 0) {
      open = dim.variable;
    } else {
      return; // more than one unknown: --dim has to say
    }
  }
  const auto elements = static_cast<std::int64_t>(array.rowElements);
  if (open < 0 ? elements == product : product > 0 && elements % product == 0) {
    if (open >= 0) {
      dims_[static_cast<std::size_t>(open)] = elements / product;
      known[static_cast<std::size_t>(open)] = true;
    }
    return;
  }
  throw Error(ErrorKind::Usage,
              fmt::format("input {}: {} of {} cannot take {} values per row", tensor.name,
                          type(*entry_, tensor), entry_->name, elements));
}

void RowFeed::fillFixed(const FixedInputs &fixed) {
  std::vector<std::int64_t> dims = dims_;
  // No batch has more rows than there are, whatever was asked for: nothing is made for them.
  if (batchVariable_ >= 0)
    dims[static_cast<std::size_t>(batchVariable_)] =
        static_cast<std::int64_t>(std::min(batchRows_, std::max<std::size_t>(dataRows_, 1)));
  call_.setDims(dims);
  dims_ = dims;
  for (std::size_t i = 0; i < entry_->input_count; ++i) {
    const aprt_tensor &input = entry_->inputs[i];
    if (isFedByRows(input, fixed))
      continue;
    std::size_t elements = 1;
    for (const std::int64_t size : call_.inputShape(i))
      elements *= static_cast<std::size_t>(size);
    std::vector<std::byte> bytes(std::max<std::size_t>(elements, 1) * elementBytes(input.dtype));
    const auto given = fixed.values.find(input.name);
    if (given != fixed.values.end()) {
      for (std::size_t k = 0; k < elements; ++k)
        setElement(bytes.data(), input.dtype, k, given->second);
    } else {
      std::memcpy(bytes.data(), &fixed.seed, sizeof fixed.seed);
    }
    constants_.push_back(std::move(bytes));
    pointers_[i] = constants_.back().data();
  }
}

const void *RowFeed::gathered(Fed &fed, std::span<const std::size_t> rows) const {
  const InputArray &array = *fed.array;
  const std::size_t size = array.rowBytes;
  const bool isAugmented = epoch_ > 0 && fed.augmentation != Augmentation{};
  const bool isRun = std::adjacent_find(rows.begin(), rows.end(), [](std::size_t a, std::size_t b) {
                       return b != a + 1;
                     }) == rows.end();
  if (isRun && !isAugmented && !rows.empty())
    return array.values.data() + rows.front() * size;
  fed.buffer.resize(std::max(fed.buffer.size(), rows.size() * size));
  std::byte *to = fed.buffer.data();
  for (std::size_t row : rows) {
    if (isAugmented)
      writeChanged(fed.image, changeOf(fed.augmentation, array.name, seed_, epoch_, row),
                   array.values.data() + row * size, to);
    else
      std::memcpy(to, array.values.data() + row * size, size);
    to += size;
  }
  return fed.buffer.data();
}

void RowFeed::prepare(std::span<const std::size_t> rows) {
  if (isFixed_ && !rows.empty() && rows.size() < batchRows_) {
    padded_.assign(rows.begin(), rows.end());
    padded_.resize(batchRows_, rows.back());
    rows = padded_;
  }
  for (Fed &fed : fed_)
    pointers_[fed.input] = gathered(fed, rows);
  if (batchVariable_ >= 0) {
    dims_[static_cast<std::size_t>(batchVariable_)] = static_cast<std::int64_t>(rows.size());
    call_.setDims(dims_);
  }
}

void RowFeed::run(std::span<const std::size_t> rows, std::int64_t rowOffset, void *gradients) {
  prepare(rows);
  call_.run(pointers_, rowOffset, gradients);
}

} // namespace apr::train
