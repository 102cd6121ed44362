// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace apr::aprc {

/// A form that --emit names.
struct FormInfo {
  std::string_view name;
  std::string_view extension; ///< of a file that holds it
  std::string_view help;
};
std::span<const FormInfo> formInfos();

/// The row of a form; "ir-after-cse" has the row "ir-after-PASS". Null where there is none.
const FormInfo *findForm(std::string_view form);
/// The pass of "ir-after-<pass>".
std::optional<std::string> passOfForm(std::string_view form);
/// Why a form does not exist, with a close one that does.
std::optional<std::string> findFormProblem(const std::string &form);
/// True for the forms that need code generation.
bool isCompiledForm(std::string_view form);

} // namespace apr::aprc
