// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprc/forms.h"

#include "ir/diagnostics.h"
#include "passes/pass.h"
#include "passes/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace apr::aprc {
namespace {

constexpr std::string_view kAfterPrefix = "ir-after-";

constexpr FormInfo kForms[] = {
    {"ast", ".ast", "the syntax tree of the source"},
    {"ir", ".apir", "the IR as the frontend makes it"},
    {"ir-after-PASS", ".apir", "the IR after the last run of a pass"},
    {"stages", ".stages.apir", "the IR after every pass, one after another"},
    {"dot", ".dot", "the dataflow of all functions for Graphviz"},
    {"llvm", ".ll", "the LLVM IR that the compiler generates"},
    {"llvm-opt", ".opt.ll", "the LLVM IR after LLVM's own passes"},
    {"asm", ".s", "assembly"},
    {"obj", ".o", "the object file"},
    {"header", ".h", "the C header"},
    {"manifest", ".json", "the JSON manifest"},
};

} // namespace

std::span<const FormInfo> formInfos() { return kForms; }

std::optional<std::string> passOfForm(std::string_view form) {
  if (!form.starts_with(kAfterPrefix))
    return std::nullopt;
  return std::string(form.substr(kAfterPrefix.size()));
}

const FormInfo *findForm(std::string_view form) {
  const std::string_view row = passOfForm(form) ? "ir-after-PASS" : form;
  const auto *found = std::ranges::find(kForms, row, &FormInfo::name);
  return found == std::end(kForms) ? nullptr : found;
}

std::optional<std::string> findFormProblem(const std::string &form) {
  if (auto pass = passOfForm(form)) {
    const std::vector<std::string> passes = makePipeline(OptimizationLevel::Default);
    if (std::ranges::find(passes, *pass) != passes.end())
      return std::nullopt;
    std::string message = fmt::format("--emit: no pass '{}'", *pass);
    if (auto close = closestName(*pass, passes))
      message += fmt::format("; did you mean 'ir-after-{}'?", *close);
    return message;
  }
  if (findForm(form))
    return std::nullopt;
  std::vector<std::string> names;
  for (const FormInfo &info : kForms)
    names.emplace_back(info.name);
  std::string message = fmt::format("--emit: no form '{}'", form);
  if (auto close = closestName(form, names))
    message += fmt::format("; did you mean '{}'?", *close);
  return message;
}

bool isCompiledForm(std::string_view form) {
  return form == "llvm" || form == "llvm-opt" || form == "asm" || form == "obj" ||
         form == "header" || form == "manifest";
}

} // namespace apr::aprc
