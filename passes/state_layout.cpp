// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/state_layout.h"

namespace apr {

namespace {

/// Bytes of a tensor with constant dims; above the maximum where it is larger or not constant.
uint64_t constantBytes(const Type &type) {
  auto bytes = byteCount(type).asConstant();
  if (!bytes || *bytes < 0 || uint64_t(*bytes) > kMaximumBlockBytes)
    return kMaximumBlockBytes + 1;
  return uint64_t(*bytes);
}

void append(BlockLayout &layout, const Type &type) {
  layout.offsets.push_back(layout.bytes);
  uint64_t bytes = constantBytes(type);
  // Once too large, the total stays where it is, so that it cannot wrap around.
  if (layout.isTooLarge())
    return;
  layout.bytes += (bytes + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
}

const Function *findBlockFunction(const Module &module, std::string_view block, FunctionKind kind) {
  for (const Function &function : module.functions)
    if (function.kind == kind && function.trainBlock == block)
      return &function;
  return nullptr;
}

} // namespace

BlockLayout layoutState(const Module &module) {
  BlockLayout layout;
  for (const StateTensor &tensor : module.state)
    append(layout, tensor.type);
  return layout;
}

std::vector<GradientTensor> gradientTensors(const Module &module, std::string_view block) {
  std::vector<GradientTensor> tensors;
  if (const Function *grad = findBlockFunction(module, block, FunctionKind::Grad)) {
    for (size_t i = 0; i < grad->results.size(); ++i)
      if (grad->results[i].role == ResultRole::Gradient)
        tensors.push_back({grad->results[i].name, grad->graph.type(grad->graph.results[i])});
  } else if (const Function *apply = findBlockFunction(module, block, FunctionKind::Apply)) {
    for (size_t i = 0; i < apply->arguments.size(); ++i)
      if (apply->arguments[i].role == ArgumentRole::Gradient)
        tensors.push_back(
            {apply->arguments[i].name, apply->graph.type(apply->graph.arguments()[i])});
  }
  return tensors;
}

BlockLayout layoutGradients(const std::vector<GradientTensor> &tensors) {
  BlockLayout layout;
  for (const GradientTensor &tensor : tensors)
    append(layout, tensor.type);
  return layout;
}

HyperLayout layoutHypers(const Module &module) {
  HyperLayout layout;
  uint32_t end = 2 * sizeof(uint32_t);
  for (const Hyperparameter &hyper : module.hypers) {
    const uint32_t size = byteSize(hyper.dtype);
    end = (end + size - 1) / size * size;
    layout.offsets.push_back(end);
    end += size;
  }
  layout.reservedOffset = (end + 7) / 8 * 8;
  layout.bytes = layout.reservedOffset + 2 * sizeof(uint64_t);
  return layout;
}

} // namespace apr
