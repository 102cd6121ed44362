// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/model_description.h"

#include <string>
#include <string_view>

namespace apr {

/// The C11 header of a model; also valid C++. Includes nothing but stddef.h and stdint.h: the types
/// that all models share stand in it, under the guard that aprt.h puts around them.
std::string generateHeader(const ModelDescription &model, std::string_view compiler);

/// The text of runtime/core/include/aprt.h.
std::string_view aprtHeaderText();

} // namespace apr
