// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/interpreter.h"
#include "tools/aprun/model_loader.h"

#include <map>
#include <span>

namespace apr::aprun {

/// One call of a function: its arguments in order, and the values of its open dims.
struct FunctionCall {
  const Function *function = nullptr;
  std::vector<Tensor> arguments;
  DimBindings dims;
};

/// Compiles the function of a module, after the passes that define its meaning, with these of its
/// values as results, calls it, and returns them. Exposing a value changes no bit of any other.
std::map<ValueId, Tensor> runExposed(const Module &module, const FunctionCall &call,
                                     const ModelRequest &request, std::span<const ValueId> values);

/// All values that the interpreter computes at the top level of the function.
std::map<ValueId, Tensor> traceCall(const FunctionCall &call);

} // namespace apr::aprun
