// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "tools/ir_runs/stages.h"

#include <aprt.h>

namespace apr::run {

/// In which order and by how many workers the blocks of kernels run.
enum class Schedule : uint8_t { Serial, Backwards };

/// Who runs the blocks of kernels; no par_for means the calling thread.
struct Workers {
  uint32_t count = 1;
  void (*parFor)(void *context, int64_t blocks, aprt_task task, void *argument) = nullptr;
  void *context = nullptr;
};
Workers workersOf(Schedule schedule);

/// Calls the function's entry point with the arguments' bytes. An Error for a status other than ok,
/// and also where memory is written that the call does not own.
Outcome callNative(const aprt_model &model, const Function &function,
                   std::span<const Tensor> arguments, const DimBindings &dims,
                   const Workers &workers);

} // namespace apr::run
