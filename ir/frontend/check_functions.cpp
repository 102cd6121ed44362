// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/check_functions.h"

#include <algorithm>

namespace apr::frontend {

namespace {

/// A tensor whose dtype and rank are stated, so that any call gives the body the same.
bool isPlainTensor(const TypeExpr &type) {
  return type.fields.empty() && !type.isOptional && !Elaborator::isKind(type) &&
         (type.name == "real" || findDType(type.name)) &&
         std::none_of(type.dims.begin(), type.dims.end(),
                      [](const DimExpr &dim) { return dim.isRest; });
}

bool saysWhatItTakes(const FunctionDecl &function) {
  return std::all_of(
      function.parameters.begin(), function.parameters.end(), [](const Parameter &parameter) {
        return parameter.defaultValue || (parameter.type && !parameter.pattern.name.empty() &&
                                          isPlainTensor(*parameter.type));
      });
}

/// Calls the function with inputs of the types that it declares.
void callWithInputs(Elaborator &elaborator, FunctionContext &context, const FunctionDecl &function,
                    Scope &scope) {
  Signature signature{function.name,
                      elaborator.newScope(&scope),
                      &scope,
                      function.location,
                      Signature::Free::OpenDims,
                      {},
                      {},
                      nullptr};
  std::vector<CallArgument> arguments;
  for (const Parameter &parameter : function.parameters) {
    if (parameter.defaultValue)
      continue;
    Type type = elaborator.resolveType(*parameter.type, signature);
    const Location location = parameter.pattern.location;
    ValueId input = context.addInput(parameter.pattern.name, type, location);
    arguments.push_back(
        {parameter.pattern.name, location, nullptr, nullptr, elaborator.make(input)});
  }
  Expected expected;
  if (function.result && isPlainTensor(*function.result))
    expected.type = elaborator.resolveType(*function.result, signature);
  elaborator.callFunction({&function, &scope, nullptr}, std::move(arguments), function.location,
                          expected.type ? &expected : nullptr);
}

/// What a caller that knows more could do without.
bool dependsOnCaller(const Diagnostic &diagnostic) {
  return diagnostic.kind == DiagnosticKind::OpenDim ||
         diagnostic.kind == DiagnosticKind::KindMismatch ||
         diagnostic.kind == DiagnosticKind::UnknownShape;
}

} // namespace

void checkFunctions(const File &file, Scope &scope, const Elaborator &elaborated,
                    const SourceManager &sources, ModelTables &tables, Diagnostics &diagnostics) {
  for (const Item &item : file.items) {
    auto *function = item.as<FunctionDecl>();
    if (!function || elaborated.hasCalled(*function) || !saysWhatItTakes(*function))
      continue;
    Diagnostics found;
    Elaborator elaborator(sources, found, tables);
    apr::Function trial;
    trial.name = function->name;
    FunctionContext context(FunctionContext::Purpose::Entry, std::move(trial), tables);
    elaborator.setContext(&context);
    try {
      callWithInputs(elaborator, context, *function, scope);
    } catch (const Failed &) {
    }
    if (std::any_of(found.all().begin(), found.all().end(), dependsOnCaller))
      continue;
    for (const Diagnostic &diagnostic : found.all()) {
      Diagnostic &copy =
          diagnostics.report(diagnostic.kind, diagnostic.location, diagnostic.message);
      copy.hint = diagnostic.hint;
      for (const DiagnosticNote &note : diagnostic.notes)
        if (!(note.location == function->location))
          copy.notes.push_back(note);
    }
  }
}

} // namespace apr::frontend
