// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/bind_dims.h"

#include "ir/substitute_dims.h"
#include "ir/verifier.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr {
namespace {

bool hasValidDims(const Graph &graph) {
  return std::ranges::all_of(graph.values(), [](const Value &value) {
    return std::ranges::all_of(value.type.shape, &Dim::isValid);
  });
}

bool holds(DimCheck::Kind kind, int64_t value) {
  return kind == DimCheck::Kind::NonNegative ? value >= 0 : value == 0;
}

void bindChecks(Function &function, Diagnostics &diagnostics) {
  std::vector<DimCheck> open;
  for (DimCheck &check : function.checks) {
    auto value = check.value.asConstant();
    if (!value)
      open.push_back(std::move(check));
    else if (!holds(check.kind, *value))
      diagnostics.report(DiagnosticKind::DimCheckFails, check.location,
                         fmt::format("the sizes given with --dim do not fit @{}: {}", function.name,
                                     check.message));
  }
  function.checks = std::move(open);
}

void bindFunction(Function &function, const DimBindings &dims, Diagnostics &diagnostics) {
  std::erase_if(function.dims, [&](const std::string &dim) { return dims.contains(dim); });
  if (function.shards && dims.contains(function.shards->rows))
    function.shards->rows.clear();
  substituteDims(function, DimReplacements(dims.begin(), dims.end()));
  bindChecks(function, diagnostics);
  if (!hasValidDims(function.graph))
    diagnostics.report(
        DiagnosticKind::DimCheckFails, function.location,
        fmt::format("the sizes given with --dim make a size in @{} overflow", function.name));
}

bool checkBindings(const Module &module, const DimBindings &dims, Diagnostics &diagnostics) {
  bool good = true;
  for (const auto &[name, value] : dims) {
    bool isKnown = std::ranges::any_of(module.functions, [&](const Function &function) {
      return std::ranges::count(function.dims, name) != 0;
    });
    good = good && isKnown && value >= 0;
    if (!isKnown)
      diagnostics.report(DiagnosticKind::UnknownDim, {},
                         fmt::format("no function has a dim variable '{}'", name));
    else if (value < 0)
      diagnostics.report(DiagnosticKind::DimCheckFails, {},
                         fmt::format("dim '{}' is {}, expected 0 or more", name, value));
  }
  return good;
}

/// Sizes that break a rule of an op, where no check of the function says so first.
void reportViolations(const Module &module, Diagnostics &diagnostics) {
  Diagnostics found;
  if (verify(module, found))
    return;
  for (const Diagnostic &violation : found.all())
    diagnostics.report(DiagnosticKind::DimCheckFails, violation.location,
                       "the sizes given with --dim do not fit: " + violation.message);
}

} // namespace

void bindDims(Module &module, const PassOptions &options, Diagnostics &diagnostics) {
  if (options.dims.empty() || !checkBindings(module, options.dims, diagnostics))
    return;
  for (Function &function : module.functions)
    bindFunction(function, options.dims, diagnostics);
  if (!diagnostics.hasErrors())
    reportViolations(module, diagnostics);
}

} // namespace apr
