// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/native_runs/native_call.h"

#include "tools/ir_runs/random_arguments.h"
#include "tools/native_runs/guarded_memory.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace apr::run {

namespace {

/// Runs blocks last to first, as three workers would.
void runBackwards(void *, int64_t n, aprt_task task, void *argument) {
  for (int64_t block = n; block-- > 0;)
    task(argument, block, static_cast<uint32_t>(block % 3));
}

/// Does not stop short of anything: a test that fails here found a bug of the ABI.
struct CallFailure {
  std::string message;
};

const aprt_entry &findEntry(const aprt_model &model, const std::string &name) {
  for (uint32_t i = 0; i < model.entry_count; ++i)
    if (name == model.entries[i].name)
      return model.entries[i];
  throw CallFailure{"the object has no entry " + name};
}

const aprt_tensor &findTensor(const aprt_tensor *tensors, uint32_t count, const std::string &name) {
  for (uint32_t i = 0; i < count; ++i)
    if (name == tensors[i].name)
      return tensors[i];
  throw CallFailure{"the object has no tensor " + name};
}

/// One call with all its memory.
class NativeCall {
public:
  NativeCall(const aprt_model &model, const Function &function, const DimBindings &dims)
      : model_(model), function_(function), entry_(findEntry(model, function.name)), bound_(dims),
        state_(model.state_bytes), hyper_(model.hyper_bytes), gradients_(gradientBytes()) {
    for (uint32_t i = 0; i < entry_.dim_count; ++i) {
      auto found = dims.find(entry_.dims[i]);
      if (found == dims.end())
        throw CallFailure{fmt::format("no value for the dim {}", entry_.dims[i])};
      dims_.push_back(found->second);
    }
  }

  Outcome run(std::span<const Tensor> arguments, const Workers &workers) {
    exec_.size = sizeof exec_;
    exec_.workers = workers.count;
    exec_.ctx = workers.context;
    exec_.par_for = workers.parFor;
    setDefaults();
    for (size_t i = 0; i < arguments.size(); ++i)
      setArgument(function_.arguments[i], arguments[i]);
    for (uint32_t i = 0; i < entry_.result_count; ++i)
      addResult(entry_.results[i].name);

    size_t workspaceBytes = entry_.workspace(workers.count, dims_.data());
    if (workspaceBytes == SIZE_MAX)
      return Error{"the dims are out of range"};
    GuardedMemory workspace(workspaceBytes);
    exec_.workspace_bytes = workspaceBytes;
    aprt_call call = makeCall(workspace);
    auto stateBefore = std::vector(state_.data(), state_.data() + state_.size());
    aprt_status status = entry_.call(&call);
    checkGuards(workspace);
    if (status != APRT_OK) {
      if (!std::equal(stateBefore.begin(), stateBefore.end(), state_.data()))
        throw CallFailure{"the state has changed although the call gave an error"};
      return Error{model_.status_text(status)};
    }
    return takeResults();
  }

private:
  size_t gradientBytes() const {
    if (entry_.train_block >= model_.train_block_count)
      return 0;
    return model_.train_blocks[entry_.train_block].gradient_bytes;
  }

  const aprt_tensor &gradientTensor(const std::string &name) const {
    if (entry_.train_block >= model_.train_block_count)
      throw CallFailure{function_.name + " has no gradient block"};
    const aprt_train_block &block = model_.train_blocks[entry_.train_block];
    return findTensor(block.gradients, block.gradient_count, name);
  }

  const aprt_tensor &stateTensor(const std::string &name) const {
    return findTensor(model_.tensors, model_.tensor_count, name);
  }

  void setDefaults() {
    std::fill_n(state_.data(), state_.size(), std::byte{0});
    std::fill_n(hyper_.data(), hyper_.size(), std::byte{0});
    auto size = static_cast<uint32_t>(hyper_.size());
    if (size >= sizeof size)
      std::memcpy(hyper_.data(), &size, sizeof size);
    for (uint32_t i = 0; i < model_.hyper_count; ++i) {
      const aprt_hyper &hyper = model_.hypers[i];
      Literal value = Literal::splat(static_cast<DType>(hyper.dtype), hyper.default_value);
      std::memcpy(hyper_.data() + hyper.offset, value.bytes.data(), value.bytes.size());
    }
  }

  static void copyTo(std::byte *to, const Tensor &tensor) {
    if (!tensor.data.empty())
      std::memcpy(to, tensor.data.data(), tensor.data.size());
  }

  void setArgument(const Argument &argument, const Tensor &tensor) {
    switch (argument.role) {
    case ArgumentRole::Input: {
      GuardedMemory memory(tensor.data.size());
      copyTo(memory.data(), tensor);
      inputs_.push_back(std::move(memory));
      break;
    }
    case ArgumentRole::State:
      copyTo(state_.data() + stateTensor(argument.name).offset, tensor);
      break;
    case ArgumentRole::Hyper:
      for (uint32_t i = 0; i < model_.hyper_count; ++i)
        if (argument.name == model_.hypers[i].name)
          copyTo(hyper_.data() + model_.hypers[i].offset, tensor);
      break;
    case ArgumentRole::Gradient:
      copyTo(gradients_.data() + gradientTensor(argument.name).offset, tensor);
      break;
    case ArgumentRole::Exec:
      exec_.row_offset = tensor.elements<int64_t>()[0];
      break;
    }
  }

  Tensor emptyResult(size_t index) const {
    const Type &type = function_.graph.type(function_.graph.results[index]);
    auto shape = bindShape(type, bound_);
    if (!shape)
      throw CallFailure{shape.error()};
    return Tensor::zeros(type.dtype, *shape);
  }

  void addResult(const std::string &name) {
    for (size_t i = 0; i < function_.results.size(); ++i)
      if (function_.results[i].role == ResultRole::Result && function_.results[i].name == name)
        return results_.push_back(GuardedMemory(emptyResult(i).data.size()));
    throw CallFailure{"the object gives a result that the function has not: " + name};
  }

  aprt_call makeCall(GuardedMemory &workspace) {
    for (const GuardedMemory &input : inputs_)
      inputPointers_.push_back(input.data());
    for (GuardedMemory &result : results_)
      resultPointers_.push_back(result.data());
    aprt_call call{};
    call.size = sizeof call;
    call.exec = &exec_;
    call.state = state_.data();
    call.workspace = workspace.data();
    call.dims = dims_.data();
    call.inputs = inputPointers_.data();
    call.hyper = hyper_.data();
    call.gradients = gradients_.data();
    call.results = resultPointers_.data();
    return call;
  }

  void checkGuards(const GuardedMemory &workspace) const {
    auto check = [&](const GuardedMemory &memory, const std::string &what) {
      if (!memory.isGuardIntact())
        throw CallFailure{"memory around " + what + " is overwritten"};
    };
    check(workspace, "the workspace");
    check(state_, "the state");
    check(gradients_, "the gradient block");
    for (size_t i = 0; i < inputs_.size(); ++i)
      check(inputs_[i], fmt::format("input {}", i));
    for (size_t i = 0; i < results_.size(); ++i)
      check(results_[i], fmt::format("result {}", i));
  }

  Outcome takeResults() const {
    std::vector<Tensor> tensors;
    size_t next = 0;
    for (size_t i = 0; i < function_.results.size(); ++i) {
      Tensor tensor = emptyResult(i);
      const FunctionResult &result = function_.results[i];
      const std::byte *from = nullptr;
      switch (result.role) {
      case ResultRole::Result:
        from = results_[next++].data();
        break;
      case ResultRole::Gradient:
        from = gradients_.data() + gradientTensor(result.name).offset;
        break;
      case ResultRole::Update:
        from = state_.data() + stateTensor(result.name).offset;
        break;
      }
      if (!tensor.data.empty())
        std::memcpy(tensor.data.data(), from, tensor.data.size());
      tensors.push_back(std::move(tensor));
    }
    return tensors;
  }

  const aprt_model &model_;
  const Function &function_;
  const aprt_entry &entry_;
  const DimBindings &bound_;
  GuardedMemory state_, hyper_, gradients_;
  std::vector<GuardedMemory> inputs_, results_;
  std::vector<const void *> inputPointers_;
  std::vector<void *> resultPointers_;
  std::vector<int64_t> dims_;
  aprt_exec exec_{};
};

} // namespace

Workers workersOf(Schedule schedule) {
  return schedule == Schedule::Serial ? Workers() : Workers{3, runBackwards};
}

Outcome callNative(const aprt_model &model, const Function &function,
                   std::span<const Tensor> arguments, const DimBindings &dims,
                   const Workers &workers) {
  try {
    return NativeCall(model, function, dims).run(arguments, workers);
  } catch (const CallFailure &failure) {
    throw InternalError("native call: " + failure.message);
  }
}

} // namespace apr::run
