// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/entry_point.h"

namespace apr {

/// Texts about the compilation that the reflection table repeats.
struct ReflectionTexts {
  std::string compiler;   ///< "aprc 0.1.0"
  std::string target;     ///< "x86_64-pc-linux-gnu x86-64-v3"
  std::string sourceHash; ///< SHA-256, hexadecimal
  std::string manifest;
};

/// Emits `<prefix>_model()` with the constant tables of aprt.h behind it, and
/// `<prefix>_status_text()`.
void emitReflection(const EntryContext &context, const std::vector<EntryPoint> &points,
                    const ReflectionTexts &texts);

} // namespace apr
