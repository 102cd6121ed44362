// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/status_texts.h"

#include "runtime/core/include/aprt.h"

namespace apr {

std::span<const std::string_view> sharedStatusTexts() {
  static_assert(APRT_OK == 0 && APRT_UNSUPPORTED_CPU == 7);
  static constexpr std::string_view texts[] = {
      "success",
      "a required pointer is null",
      "a struct's size field does not match the model's header",
      "the state, workspace or gradient block is not aligned to 64 bytes",
      "a dimension is negative, too large, or breaks a constraint of the model",
      "an index input, such as a class label, is out of range",
      "the workspace is smaller than the entry point needs",
      "the CPU lacks instructions that the model was compiled for",
  };
  return texts;
}

} // namespace apr
