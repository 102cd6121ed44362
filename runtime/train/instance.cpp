// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/instance.h"

#include "runtime/train/error.h"
#include "runtime/train/table_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace apr::train {

AlignedBlock::AlignedBlock(std::size_t size) : size_(size) {
  const std::size_t rounded = std::max<std::size_t>(64, (size + 63) / 64 * 64);
  data_.reset(static_cast<std::byte *>(::operator new(rounded, std::align_val_t{64})));
  std::memset(data_.get(), 0, rounded);
}

std::string statusText(const Model &model, aprt_status status) {
  const char *text = model.table().status_text ? model.table().status_text(status) : nullptr;
  return text ? text : aprt_status_text(status);
}

Instance::Instance(const aprt_model &table, std::uint32_t workers)
    : model_(table), state_(table.state_bytes), hyperStorage_((table.hyper_bytes + 7) / 8) {
  hyper_ = {reinterpret_cast<std::byte *>(hyperStorage_.data()), table.hyper_bytes};
  // The hyperparameter struct begins with its own size.
  const auto size = static_cast<std::uint32_t>(table.hyper_bytes);
  if (hyper_.size() >= sizeof size)
    std::memcpy(hyper_.data(), &size, sizeof size);
  for (const aprt_hyper &hyper : model_.hypers())
    setElement(hyper_.data() + hyper.offset, hyper.dtype, 0, hyper.default_value);
  if (workers == 1)
    return;
  pool_.reset(aprt_pool_create(workers));
  if (!pool_)
    throw Error(ErrorKind::Data, fmt::format("cannot start {} worker threads", workers));
}

std::uint32_t Instance::workers() const { return pool_ ? aprt_pool_workers(pool_.get()) : 1; }

void Instance::initialise(std::uint64_t seed) {
  const aprt_entry *init = model_.init();
  if (!init)
    throw Error(ErrorKind::Data, "the model has no init entry");
  EntryCall call(*this, *init);
  call.setDims({});
  const auto value = static_cast<std::int64_t>(seed);
  const std::vector<const void *> inputs(init->input_count, &value);
  call.run(inputs, 0);
}

void Instance::setHyper(std::string_view name, double value) {
  const aprt_hyper &hyper = model_.hyper(name);
  if (hyper.dtype == APRT_I32 &&
      (std::trunc(value) != value || !(std::abs(value) <= std::numeric_limits<int>::max())))
    throw Error(ErrorKind::Usage, fmt::format("the hyperparameter {} is an integer (i32), found {}",
                                              hyper.name, value));
  setElement(hyper_.data() + hyper.offset, hyper.dtype, 0, value);
}

double Instance::hyper(const aprt_hyper &hyper) const {
  return elementAt(hyper_.data() + hyper.offset, hyper.dtype, 0);
}

aprt_exec Instance::exec(std::size_t workspaceBytes, std::int64_t rowOffset) const {
  aprt_exec exec{};
  if (pool_) {
    exec = aprt_pool_exec(pool_.get(), workspaceBytes);
  } else {
    exec.size = sizeof exec;
    exec.workers = 1;
    exec.workspace_bytes = workspaceBytes;
  }
  exec.row_offset = rowOffset;
  return exec;
}

std::byte *Instance::workspace(std::size_t bytes) {
  if (bytes > workspace_.size())
    workspace_ = AlignedBlock(bytes);
  return workspace_.data();
}

EntryCall::EntryCall(Instance &instance, const aprt_entry &entry)
    : instance_(&instance), entry_(&entry) {
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < entry.input_count; ++i) {
    inputShapeStart_.push_back(next);
    next += entry.inputs[i].rank;
  }
  for (std::uint32_t i = 0; i < entry.result_count; ++i) {
    resultShapeStart_.push_back(next);
    next += entry.results[i].rank;
  }
  shapes_.resize(next);
  results_.reserve(entry.result_count);
}

void EntryCall::setDims(std::span<const std::int64_t> dims) {
  if (isReady_ && std::equal(dims.begin(), dims.end(), dims_.begin(), dims_.end()))
    return;
  isReady_ = false;
  const auto fail = [&](const std::string &why) {
    std::string text;
    for (std::size_t i = 0; i < dims.size(); ++i)
      text += fmt::format("{}{} = {}", i ? ", " : "", entry_->dims[i], dims[i]);
    return Error(ErrorKind::Data, fmt::format("{} refuses {}: {}", entry_->name, text, why));
  };
  if (const aprt_status status = entry_->shapes(dims.data(), shapes_.data()); status != APRT_OK)
    throw fail(statusText(instance_->model(), status));
  workspaceBytes_ = entry_->workspace(instance_->workers(), dims.data());
  if (workspaceBytes_ == std::numeric_limits<std::size_t>::max())
    throw fail(statusText(instance_->model(), APRT_BAD_DIMENSION));
  results_.clear();
  resultPointers_.clear();
  resultElements_.clear();
  for (std::uint32_t i = 0; i < entry_->result_count; ++i) {
    const aprt_tensor &tensor = entry_->results[i];
    std::size_t elements = 1;
    for (std::uint32_t k = 0; k < tensor.rank; ++k)
      elements *= static_cast<std::size_t>(shapes_[resultShapeStart_[i] + k]);
    results_.emplace_back(elements * elementBytes(tensor.dtype));
    resultElements_.push_back(elements);
    resultPointers_.push_back(results_.back().data());
  }
  dims_.assign(dims.begin(), dims.end());
  isReady_ = true;
}

aprt_status EntryCall::tryRun(std::span<const void *const> inputs, std::int64_t rowOffset,
                              void *gradients) {
  const aprt_exec exec = instance_->exec(workspaceBytes_, rowOffset);
  aprt_call call{};
  call.size = sizeof call;
  call.exec = &exec;
  call.state = instance_->state();
  call.workspace = instance_->workspace(workspaceBytes_);
  call.dims = dims_.data();
  call.inputs = inputs.data();
  call.hyper = instance_->hyperBlock();
  call.gradients = gradients;
  call.results = resultPointers_.data();
  return entry_->call(&call);
}

void EntryCall::run(std::span<const void *const> inputs, std::int64_t rowOffset, void *gradients) {
  const aprt_status status = tryRun(inputs, rowOffset, gradients);
  if (status != APRT_OK)
    throw Error(ErrorKind::Data,
                fmt::format("{} failed: {}", entry_->name, statusText(instance_->model(), status)));
}

ResultView EntryCall::result(std::size_t index) const {
  const aprt_tensor &tensor = entry_->results[index];
  return {&tensor,
          {shapes_.data() + resultShapeStart_[index], tensor.rank},
          resultElements_[index],
          results_[index].data()};
}

std::span<const std::int64_t> EntryCall::inputShape(std::size_t index) const {
  return {shapes_.data() + inputShapeStart_[index], entry_->inputs[index].rank};
}

} // namespace apr::train
