// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprc/help.h"

#include "codegen/model_description.h"
#include "codegen/target.h"
#include "ir/diagnostics.h"
#include "tools/aprc/forms.h"
#include "tools/aprc/options.h"

#include <fmt/format.h>
#include <llvm/Config/llvm-config.h>

namespace apr::aprc {
namespace {

constexpr OptionInfo kOptions[] = {
#define SECTION(title)
#define OPTION(Id, flag, kind, valueName, help)                                                    \
  {OptionId::Id, flag, OptionValue::kind, valueName, help},
#include "tools/aprc/options.def"
};

std::string spell(const OptionInfo &info) {
  switch (info.value) {
  case OptionValue::None:
    return std::string(info.flag);
  case OptionValue::Joined:
    return fmt::format("{}{}", info.flag, info.valueName);
  case OptionValue::Optional:
    return fmt::format("{}[={}]", info.flag, info.valueName);
  case OptionValue::Required:
    break;
  }
  const bool isShort = !info.flag.starts_with("--");
  return fmt::format("{}{}{}", info.flag, isShort ? " " : "=", info.valueName);
}

std::string optionLine(const OptionInfo &info) {
  return fmt::format("  {:<26} {}\n", spell(info), info.help);
}

constexpr std::string_view severityName(Severity severity) {
  switch (severity) {
  case Severity::Error:
    return "error";
  case Severity::Warning:
    return "warning";
  case Severity::Remark:
    return "remark";
  }
  return "";
}

} // namespace

std::span<const OptionInfo> optionInfos() { return kOptions; }

std::string helpText() {
  std::string text = "usage: aprc [options] MODEL\n\n"
                     "Compiles a model (.apr) or IR text (.apir) to an object file with a C header "
                     "and a JSON\nmanifest beside it: aprc model.apr -o train.o writes train.o, "
                     "train.h and train.json.\nMODEL may be '-' for standard input; @FILE stands "
                     "for the words in FILE.\n";
  [[maybe_unused]] size_t index = 0;
#define SECTION(title) text += "\n" title ":\n";
#define OPTION(...) text += optionLine(kOptions[index++]);
#include "tools/aprc/options.def"
  text += "\nForms:\n";
  for (const FormInfo &form : formInfos())
    text += fmt::format("  {:<26} {}\n", form.name, form.help);
  text += "\nOne textual form goes to standard output unless -o says where. Exit codes: 0 ok, 1 "
          "the model has\nerrors, 2 usage, 3 a file cannot be read or written, 70 internal "
          "error.\n";
  return text;
}

std::string versionText() {
  return fmt::format("aprc {} (semantics version {}, LLVM {})\n", APR_VERSION, kSemanticsVersion,
                     LLVM_VERSION_STRING);
}

std::string cpuHelp() {
  std::string text;
  for (const CpuLevel &level : supportedCpus())
    text += fmt::format("{:<10} {:<12} {}\n", level.architecture, level.name, level.summary);
  text += fmt::format("{:<10} {:<12} the highest of these that this machine runs\n", "", "native");
  return text;
}

std::string unknownCode(const std::string &code) {
  std::vector<std::string> codes;
  for (size_t i = 0; i < diagnosticKindCount(); ++i)
    codes.emplace_back(diagnosticInfo(static_cast<DiagnosticKind>(i)).code);
  std::string message = fmt::format("unknown diagnostic code '{}'", code);
  if (auto close = closestName(code, codes))
    message += fmt::format("; did you mean '{}'?", *close);
  return message;
}

std::string explain(const std::string &code) {
  if (!code.empty()) {
    auto kind = findDiagnostic(code);
    if (!kind)
      throw UsageError(unknownCode(code));
    const DiagnosticInfo &info = diagnosticInfo(*kind);
    return fmt::format("{} ({})\n\n{}\n", info.code, severityName(info.severity), info.explanation);
  }
  std::string text;
  for (size_t i = 0; i < diagnosticKindCount(); ++i) {
    const DiagnosticInfo &info = diagnosticInfo(static_cast<DiagnosticKind>(i));
    text += fmt::format("{:<28} {}\n", info.code, severityName(info.severity));
  }
  return text;
}

} // namespace apr::aprc
