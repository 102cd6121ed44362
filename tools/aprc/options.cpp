// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprc/options.h"

#include "tools/aprc/forms.h"
#include "tools/aprc/help.h"

#include <fmt/format.h>
#include <llvm/Support/Allocator.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/StringSaver.h>

#include <charconv>

namespace apr::aprc {
namespace {

class Parser {
public:
  explicit Parser(const std::vector<std::string> &arguments) : arguments_(arguments) {}

  std::variant<Options, Answer> parse() {
    while (next_ < arguments_.size() && !answer_)
      parseOne(arguments_[next_++]);
    if (answer_)
      return *answer_;
    if (options_.input.empty())
      throw UsageError("no input file; usage: aprc MODEL.apr -o FILE.o (--help lists all options)");
    return std::move(options_);
  }

private:
  void parseOne(const std::string &argument) {
    if (onlyInputs_ || argument == "-" || !argument.starts_with('-'))
      return setInput(argument);
    if (argument == "--") {
      onlyInputs_ = true;
      return;
    }
    const std::string spelled = argument == "-h" ? "--help" : argument;
    for (const OptionInfo &info : optionInfos())
      if (auto value = match(info, spelled))
        return apply(info, *value);
    std::vector<std::string> flags;
    for (const OptionInfo &info : optionInfos())
      flags.emplace_back(info.flag);
    std::string message = fmt::format("unknown option '{}'", argument);
    if (auto close = closestName(argument.substr(0, argument.find('=')), flags))
      message += fmt::format("; did you mean '{}'?", *close);
    throw UsageError(message);
  }

  void setInput(const std::string &path) {
    if (!options_.input.empty())
      throw UsageError(
          fmt::format("more than one input file: '{}' and '{}'", options_.input, path));
    options_.input = path;
  }

  /// The option's value where the argument is this option; takes the next argument if needed.
  std::optional<std::string> match(const OptionInfo &info, const std::string &argument) {
    const std::string flag(info.flag);
    switch (info.value) {
    case OptionValue::None:
      return argument == flag ? std::optional<std::string>("") : std::nullopt;
    case OptionValue::Joined:
      return argument.starts_with(flag) ? std::optional(argument.substr(flag.size()))
                                        : std::nullopt;
    case OptionValue::Optional:
    case OptionValue::Required:
      break;
    }
    if (argument.starts_with(flag + "="))
      return argument.substr(flag.size() + 1);
    if (argument != flag)
      return std::nullopt;
    if (info.value == OptionValue::Optional)
      return "";
    if (next_ == arguments_.size())
      throw UsageError(fmt::format("option '{}' needs a value: {}", flag, info.valueName));
    return arguments_[next_++];
  }

  void apply(const OptionInfo &info, const std::string &value) {
    switch (info.id) {
    case OptionId::Output:
      options_.output = value;
      break;
    case OptionId::Emit:
      parseForms(value);
      break;
    case OptionId::DependencyFile:
      options_.writesDependencies = true;
      break;
    case OptionId::DependencyPath:
      options_.writesDependencies = true;
      options_.dependencyPath = value;
      break;
    case OptionId::ModelName:
      options_.model = value;
      break;
    case OptionId::Set:
      parseSet(value);
      break;
    case OptionId::Dim:
      parseDim(value);
      break;
    case OptionId::Optimize:
      parseLevel(value);
      break;
    case OptionId::Target:
      options_.target.triple = value;
      break;
    case OptionId::Cpu:
      if (value == "help")
        answer_ = Answer{cpuHelp()};
      options_.target.cpu = value;
      break;
    case OptionId::BlockWork:
      parseBlockWork(value);
      break;
    case OptionId::Warning:
      parseWarning(value);
      break;
    case OptionId::DiagnosticFormat:
      options_.format = choose<DiagnosticFormat>(
          "--diagnostics", value,
          {{"text", DiagnosticFormat::Text}, {"json", DiagnosticFormat::Json}});
      break;
    case OptionId::Color:
      options_.color = choose<ColorChoice>("--color", value,
                                           {{"auto", ColorChoice::Auto},
                                            {"always", ColorChoice::Always},
                                            {"never", ColorChoice::Never}});
      break;
    case OptionId::Explain:
      answer_ = Answer{explain(value)};
      break;
    case OptionId::Remarks:
      options_.printsRemarks = true;
      break;
    case OptionId::PrintAfterAll:
      options_.manager.print = PrintPolicy::All;
      break;
    case OptionId::PrintChanged:
      options_.manager.print = PrintPolicy::Changed;
      break;
    case OptionId::DumpDirectory:
      options_.manager.dumpDirectory = value;
      break;
    case OptionId::TimePasses:
      options_.timesPasses = true;
      break;
    case OptionId::VerifyEach:
      options_.manager.verifyEach = true;
      break;
    case OptionId::DisablePass:
      parseDisabled(value);
      break;
    case OptionId::NoFuse:
      options_.fuses = false;
      break;
    case OptionId::BisectLimit:
      options_.manager.bisectLimit = parseInteger("--opt-bisect-limit", value);
      break;
    case OptionId::Help:
      answer_ = Answer{helpText()};
      break;
    case OptionId::Version:
      answer_ = Answer{versionText()};
      break;
    }
  }

  template <typename T>
  static T choose(std::string_view flag, const std::string &value,
                  std::initializer_list<std::pair<const char *, T>> choices) {
    std::string known;
    for (const auto &[name, choice] : choices) {
      if (name == value)
        return choice;
      known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
    }
    throw UsageError(fmt::format("{}: '{}' is not one of {}", flag, value, known));
  }

  static int64_t parseInteger(std::string_view flag, std::string_view text) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      throw UsageError(fmt::format("{}: '{}' is not an integer", flag, text));
    return value;
  }

  static std::pair<std::string, std::string> splitBinding(std::string_view flag,
                                                          const std::string &text) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("{}: expected NAME=VALUE, found '{}'", flag, text));
    return {text.substr(0, equals), text.substr(equals + 1)};
  }

  void parseForms(const std::string &value) {
    for (size_t begin = 0; begin <= value.size();) {
      const size_t end = std::min(value.find(',', begin), value.size());
      const std::string form = value.substr(begin, end - begin);
      if (auto problem = findFormProblem(form))
        throw UsageError(*problem);
      options_.forms.push_back(form);
      begin = end + 1;
    }
  }

  void parseSet(const std::string &value) {
    auto [name, text] = splitBinding("--set", value);
    if (!options_.set.emplace(name, text).second)
      throw UsageError(fmt::format("--set: '{}' is given twice", name));
  }

  void parseDim(const std::string &value) {
    auto [name, text] = splitBinding("--dim", value);
    const int64_t size = parseInteger("--dim", text);
    if (size < 0)
      throw UsageError(fmt::format("--dim: {} is negative", name));
    if (!options_.dims.emplace(name, size).second)
      throw UsageError(fmt::format("--dim: '{}' is given twice", name));
  }

  void parseLevel(const std::string &value) {
    if (value.size() != 1 || value[0] < '0' || value[0] > '3')
      throw UsageError(fmt::format("unknown option '-O{}'; levels are -O0 to -O3", value));
    options_.target.level = static_cast<CodegenLevel>(value[0] - '0');
  }

  void parseBlockWork(const std::string &value) {
    options_.target.blockWork = parseInteger("--block-work", value);
    if (options_.target.blockWork < 1)
      throw UsageError(fmt::format("--block-work: {} is not a positive number", value));
  }

  void parseWarning(const std::string &value) {
    if (value == "error") {
      options_.warnings.push_back({WarningChange::Kind::Promote, std::nullopt});
    } else if (value.starts_with("error=")) {
      options_.warnings.push_back({WarningChange::Kind::Promote, warningNamed(value.substr(6))});
    } else if (value.starts_with("no-")) {
      options_.warnings.push_back({WarningChange::Kind::Suppress, warningNamed(value.substr(3))});
    } else {
      throw UsageError(fmt::format(
          "unknown option '-W{}'; known are -Werror, -Werror=CODE and -Wno-CODE", value));
    }
  }

  static DiagnosticKind warningNamed(const std::string &code) {
    auto kind = findDiagnostic(code);
    if (!kind)
      throw UsageError(unknownCode(code));
    if (diagnosticInfo(*kind).severity == Severity::Error)
      throw UsageError(fmt::format("-W: '{}' is an error already and cannot be changed", code));
    return *kind;
  }

  void parseDisabled(const std::string &value) {
    auto names = parsePassList(value);
    if (!names)
      throw UsageError("--disable-pass: " + names.error());
    if (auto problem = findDisableProblem(*names))
      throw UsageError("--disable-pass: " + problem->message);
    auto &disabled = options_.manager.disabled;
    disabled.insert(disabled.end(), names->begin(), names->end());
  }

  const std::vector<std::string> &arguments_;
  size_t next_ = 0;
  bool onlyInputs_ = false;
  Options options_;
  std::optional<Answer> answer_;
};

} // namespace

std::variant<Options, Answer> parseOptions(const std::vector<std::string> &arguments) {
  return Parser(arguments).parse();
}

std::vector<std::string> expandResponseFiles(int argc, char **argv) {
  llvm::BumpPtrAllocator allocator;
  llvm::StringSaver saver(allocator);
  llvm::SmallVector<const char *, 32> words(argv + std::min(argc, 1), argv + argc);
  llvm::cl::ExpansionContext expansion(allocator, llvm::cl::TokenizeGNUCommandLine);
  if (llvm::Error error = expansion.expandResponseFiles(words))
    throw UsageError(llvm::toString(std::move(error)));
  for (const char *word : words)
    if (word && word[0] == '@')
      throw UsageError(fmt::format("cannot read the response file '{}'", word + 1));
  return {words.begin(), words.end()};
}

} // namespace apr::aprc
