// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/exposed_run.h"
#include "tools/aprun/step_side.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace apr::aprun {

/// Whether two tensors have the same bytes.
bool isSame(std::span<const std::byte> a, std::span<const std::byte> b);

/// Bytes of a tensor of the state.
std::size_t stateBytes(const aprt_tensor &tensor);

/// An output of a step that differed, with its values.
struct KeptOutput {
  std::string name;
  ResultRole role;
  std::vector<std::byte> ours;
  std::vector<std::byte> theirs;
};

/// Runs another way beside the trainer, each step from the same state on the same rows, and stops
/// at the first step that differs.
class Lockstep : public train::Observer {
public:
  Lockstep(train::Trainer &trainer, const train::Dataset &data, StepSide &other)
      : trainer_(trainer), data_(data), other_(other) {}

  /// Compares the states before the first step.
  void compareStart();

  void beforeStep(const train::StepPosition &position, std::span<const std::size_t> rows) override;
  void onStep(const train::StepReport &report) override;
  bool shouldStop() override;

  bool differs() const { return !lines_.empty(); }
  /// Steps that were the same.
  std::uint64_t steps() const { return steps_; }
  /// What differs, and what is known of the reason.
  const std::vector<std::string> &lines() const { return lines_; }
  void add(const std::vector<std::string> &lines) {
    lines_.insert(lines_.end(), lines.begin(), lines.end());
  }
  /// The outputs of the step that differed; none where the state before the first step did.
  const std::vector<KeptOutput> &outputs() const { return outputs_; }

  /// Goes back before the step that differed and returns its call.
  FunctionCall callOf(const Function &function);

private:
  struct Output;

  std::vector<Output> stateOutputs() const;
  void addResults(const train::EntryCall &call, std::vector<Output> &outputs) const;
  void describe(const Output &output, const std::string &when);
  void keep(const std::vector<Output> &outputs);

  train::Trainer &trainer_;
  const train::Dataset &data_;
  StepSide &other_;
  std::vector<std::size_t> rows_;
  std::uint64_t epoch_ = 0;
  std::vector<std::byte> before_;
  std::uint64_t steps_ = 0;
  std::vector<std::string> lines_;
  std::vector<KeptOutput> outputs_;
};

} // namespace apr::aprun
