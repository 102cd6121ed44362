// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/lockstep.h"

#include "runtime/train/table_loader.h"
#include "tools/aprun/interrupt.h"
#include "tools/aprun/locate_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace apr::aprun {

bool isSame(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

std::size_t stateBytes(const aprt_tensor &tensor) {
  return train::elementCount(tensor) * train::elementBytes(tensor.dtype);
}

/// One output of a step: a state tensor after it, or a result.
struct Lockstep::Output {
  std::string name;
  ResultRole role = ResultRole::Result;
  std::int32_t dtype = 0;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> ours;
  std::span<const std::byte> theirs;
};

void Lockstep::compareStart() {
  for (const Output &output : stateOutputs())
    if (!isSame(output.ours, output.theirs))
      return describe(output, "before the first step");
}

void Lockstep::beforeStep(const train::StepPosition &position, std::span<const std::size_t> rows) {
  epoch_ = position.epoch;
  rows_.assign(rows.begin(), rows.end());
  const std::byte *state = trainer_.instance().state();
  before_.assign(state, state + trainer_.instance().model().table().state_bytes);
}

void Lockstep::onStep(const train::StepReport &report) {
  if (differs())
    return;
  other_.step(rows_, epoch_);
  auto outputs = stateOutputs();
  addResults(*report.call, outputs);
  const auto first = std::find_if(outputs.begin(), outputs.end(), [](const Output &output) {
    return !isSame(output.ours, output.theirs);
  });
  if (first == outputs.end()) {
    steps_ = report.step;
    return;
  }
  describe(*first, fmt::format("step {}{}", report.step,
                               report.epoch > 0 ? fmt::format(" (epoch {})", report.epoch) : ""));
  keep(outputs);
}

bool Lockstep::shouldStop() { return differs() || InterruptGuard::isRequested(); }

FunctionCall Lockstep::callOf(const Function &function) {
  train::Instance &instance = trainer_.instance();
  if (!before_.empty())
    std::memcpy(instance.state(), before_.data(), before_.size());
  train::RowFeed feed(instance, trainer_.stepEntry(), trainer_.options().fixed, data_,
                      trainer_.options().batchRows);
  feed.setEpoch(epoch_);
  feed.prepare(rows_);
  return {&function, argumentsOf(function, instance, feed), dimsOf(feed)};
}

std::vector<Lockstep::Output> Lockstep::stateOutputs() const {
  std::vector<Output> outputs;
  const train::Instance &instance = trainer_.instance();
  for (const aprt_tensor &tensor : instance.model().tensors()) {
    Output output{tensor.name, ResultRole::Update, tensor.dtype, {}, {}, {}};
    for (std::uint32_t i = 0; i < tensor.rank; ++i)
      output.shape.push_back(tensor.dims[i].value);
    output.ours = {instance.values(tensor), stateBytes(tensor)};
    output.theirs = other_.state(tensor.name);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

void Lockstep::addResults(const train::EntryCall &call, std::vector<Output> &outputs) const {
  for (std::size_t i = 0; i < call.resultCount(); ++i) {
    const train::ResultView view = call.result(i);
    outputs.push_back({view.tensor->name,
                       ResultRole::Result,
                       view.tensor->dtype,
                       {view.shape.begin(), view.shape.end()},
                       {view.values, view.elements * train::elementBytes(view.tensor->dtype)},
                       other_.result(view.tensor->name)});
  }
}

void Lockstep::describe(const Output &output, const std::string &when) {
  const auto element =
      firstDifference(dtypeOf(output.dtype), output.shape, output.ours, output.theirs);
  const std::string name =
      fmt::format("{} {}", output.role == ResultRole::Update ? "tensor" : "result", output.name);
  if (!element)
    return lines_.push_back(fmt::format("{}: {}: the sizes differ", when, name));
  lines_.push_back(
      fmt::format("{}: {}{}: this program has {}, {} has {}; {} differ{}", when, name,
                  element->index, element->first, other_.name(), element->second,
                  element->count == 1 ? "1 element" : fmt::format("{} elements", element->count),
                  element->count == 1 ? "s" : ""));
}

void Lockstep::keep(const std::vector<Output> &outputs) {
  std::vector<std::string> differing;
  for (const Output &output : outputs) {
    outputs_.push_back({output.name,
                        output.role,
                        {output.ours.begin(), output.ours.end()},
                        {output.theirs.begin(), output.theirs.end()}});
    if (!isSame(output.ours, output.theirs))
      differing.push_back(output.name);
  }
  if (differing.size() > 1)
    lines_.push_back(fmt::format("different after this step: {}", fmt::join(differing, ", ")));
}

} // namespace apr::aprun
