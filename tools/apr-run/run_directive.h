// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "ir/interp/interpreter.h"

namespace apr::run {

/// One comment that asks for a run:
///
///     // run: @f dims(B=2) (x = [1, nan], w = ramp(0, 1)) -> y = [2, nan], z = any
///     // run: @f dims(B=-1) (x = []) -> error "negative"
///
/// With `~` in the place of `=` a result may differ by rounding (closeness.h): for values computed
/// elsewhere, in another order of operations. It goes on over the following comment lines that are
/// indented by five blanks or more. Values are those of tensor_text.h; `any` as a result is
/// compared between implementations only. A hyperparameter that is not given has its default value,
/// row_offset is 0.
struct RunDirective {
  uint32_t line = 0;
  const Function *function = nullptr;
  DimBindings dims;
  std::vector<Tensor> arguments;               ///< as Function::arguments
  std::vector<std::optional<Tensor>> expected; ///< as Function::results; empty: any
  std::vector<bool> mayRound;                  ///< as Function::results; written with `~`
  std::optional<std::string> expectedError;    ///< part of the message
};

/// All directives of a file. The error names the line.
Result<std::vector<RunDirective>> parseRunDirectives(const Module &module, std::string_view text);

} // namespace apr::run
