// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/command_line.h"

#include "codegen/model_description.h"
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using train::inQuotes;
using train::SettingInfo;
using train::SettingKind;

struct OptionInfo {
  const char *flag;
  bool takesValue;
  const char *commands;
  const char *help;
};

constexpr OptionInfo optionInfos[] = {
#define OPTION(flag, takesValue, commands, help) {flag, takesValue, commands, help},
#include "tools/aprun/options.def"
};

bool holdsWord(std::string_view words, std::string_view word) {
  const std::string padded = fmt::format(" {} ", words);
  return padded.find(fmt::format(" {} ", word)) != std::string::npos;
}

/// The settings that a command other than train may change.
const char *settingsOf(std::string_view command) {
  if (command == "eval")
    return "data input labels header delimiter skip missing-words threads batch value dim";
  if (command == "export")
    return "seed set dim hyper";
  if (command == "import")
    return "seed set";
  if (command == "fmt" || command == "hash" || command == "report" || command == "compare")
    return "";
  if (command == "verify")
    return "model data validation-data test-data labels threads steps";
  if (command == "test")
    return "seed";
  if (command == "predict")
    return "data input labels header delimiter skip missing-words threads batch value dim hyper "
           "seed";
  return "model block seed threads set dim hyper value input transform missing data labels header "
         "delimiter skip missing-words validation batch";
}

bool isAllowed(const SettingInfo &info, std::string_view command) {
  return command == "train" || command == "sweep" || holdsWord(settingsOf(command), info.flag);
}

/// The command's own flag of this name, else another command's.
const OptionInfo *optionNamed(std::string_view flag, std::string_view command) {
  const OptionInfo *found = nullptr;
  for (const OptionInfo &info : optionInfos)
    if (flag == info.flag && (!found || holdsWord(info.commands, command)))
      found = &info;
  return found;
}

/// Flags whose values add up to a list when they are repeated.
bool isList(std::string_view flag) {
  return flag == "map" || flag == "transpose" || flag == "grid";
}

std::vector<std::string> flagsOf(std::string_view command) {
  std::vector<std::string> flags = {"--help"};
  for (const SettingInfo &info : train::settingInfos())
    if (isAllowed(info, command))
      flags.push_back(fmt::format("--{}", info.flag));
  for (const OptionInfo &info : optionInfos)
    if (holdsWord(info.commands, command))
      flags.push_back(fmt::format("--{}", info.flag));
  return flags;
}

class Parser {
public:
  explicit Parser(const std::vector<std::string> &arguments) : arguments_(arguments) {}

  CommandLine parse() {
    parseCommand();
    bool flagsEnded = false;
    while (next_ < arguments_.size()) {
      const std::string &argument = arguments_[next_++];
      if (flagsEnded || argument == "-" || !argument.starts_with("-"))
        line_.arguments.push_back(argument);
      else if (argument == "--")
        flagsEnded = true;
      else
        parseFlag(argument);
    }
    return std::move(line_);
  }

private:
  void parseCommand() {
    if (arguments_.empty())
      throw Error(ErrorKind::Usage, "no command is given; aprun help lists them");
    line_.command = arguments_[next_++];
    std::vector<std::string> known;
    for (const auto &[name, help] : commands())
      known.push_back(name);
    if (std::find(known.begin(), known.end(), line_.command) == known.end())
      throw Error(ErrorKind::Usage,
                  fmt::format("unknown command {}{}; there are {}", inQuotes(line_.command),
                              train::suggestion(line_.command, known), train::listed(known)));
  }

  void parseFlag(const std::string &argument) {
    const auto equals = argument.find('=');
    std::string name = argument.substr(0, equals);
    if (name == "-o")
      name = "--output";
    if (name == "-h")
      name = "--help";
    const std::string_view flag = std::string_view(name).substr(2);
    std::optional<std::string> value;
    if (equals != std::string::npos)
      value = argument.substr(equals + 1);
    if (name == "--help") {
      line_.options["help"] = "true";
      return;
    }
    const SettingInfo *setting = name.starts_with("--") ? train::settingOfFlag(flag) : nullptr;
    const OptionInfo *option = name.starts_with("--") ? optionNamed(flag, line_.command) : nullptr;
    if (setting && isAllowed(*setting, line_.command)) {
      const bool needsValue = setting->kind != SettingKind::Switch;
      line_.settings.emplace_back(setting,
                                  needsValue ? given(name, value) : value.value_or("true"));
    } else if (option && holdsWord(option->commands, line_.command)) {
      std::string &held = line_.options[option->flag];
      const std::string text = option->takesValue ? given(name, value) : value.value_or("true");
      held = isList(flag) && !held.empty() ? held + "," + text : text;
    } else if (setting || option) {
      throw Error(ErrorKind::Usage, fmt::format("aprun {} takes no {}", line_.command, name));
    } else {
      throw Error(ErrorKind::Usage,
                  fmt::format("aprun {} knows no flag {}{}", line_.command, inQuotes(name),
                              train::suggestion(name, flagsOf(line_.command))));
    }
  }

  std::string given(const std::string &name, const std::optional<std::string> &value) {
    if (value)
      return *value;
    if (next_ == arguments_.size())
      throw Error(ErrorKind::Usage, fmt::format("{} needs a value", name));
    return arguments_[next_++];
  }

  const std::vector<std::string> &arguments_;
  std::size_t next_ = 0;
  CommandLine line_;
};

constexpr const char *usage = R"(usage: aprun COMMAND WHAT [FLAG…]

WHAT is a run file (run.toml), a model (model.apr), an object of aprc (model.o), or the folder
that a training wrote; test and fmt take source files, hash takes any file.

)";

const char *synopsis(std::string_view command) {
  if (command == "train")
    return "aprun train run.toml|model.apr [FLAG…]";
  if (command == "sweep")
    return "aprun sweep run.toml|model.apr [--grid NAME=VALUE,VALUE]… [--folds K] [FLAG…]";
  if (command == "eval")
    return "aprun eval RUN [--data table.csv] [FLAG…]";
  if (command == "predict")
    return "aprun predict RUN [--data table.csv] [-o predictions.csv] [FLAG…]\n"
           "       (rows come from standard input without --data)";
  if (command == "grad-check")
    return "aprun grad-check run.toml|model.apr|RUN [FLAG…]";
  if (command == "test")
    return "aprun test FILE… [FLAG…]";
  if (command == "verify")
    return "aprun verify RUN [--against interpreter|cpu=LEVEL|optimize=LEVEL|OTHER.o|OTHER.apr] "
           "[FLAG…]\n"
           "       (checks a training's record and files, trains again and compares)";
  if (command == "export")
    return "aprun export RUN --onnx model.onnx [--entry NAME] [FLAG…]\n"
           "       aprun export RUN --safetensors|--npz|--json FILE";
  if (command == "report")
    return "aprun report RUN [-o report.html]";
  if (command == "compare")
    return "aprun compare RUN RUN… [-o compare.html]";
  if (command == "import")
    return "aprun import model.apr --from weights.safetensors|weights.npz -o start.safetensors "
           "[FLAG…]";
  if (command == "hash")
    return "aprun hash FILE|RUN… [FLAG…]";
  if (command == "fmt")
    return "aprun fmt FILE|FOLDER…|- [FLAG…]";
  return "aprun inspect RUN|run.toml|model.apr [TENSOR…] [FLAG…]";
}

/// What a flag means to a command that takes it otherwise than a training does.
const char *helpOf(std::string_view command, std::string_view flag, const char *otherwise) {
  if (command == "verify" && flag == "steps")
    return "compare so many steps from the first one on; default all";
  if (command == "verify" && (flag == "model" || flag == "data" || flag == "labels"))
    return "where this file is now; its hash decides whether it is the right one";
  if (command == "verify" && flag == "weights")
    return "where the file of weights is now that the training started from";
  if (flag == "input" && (command == "eval" || command == "predict"))
    return "other columns for an input, prepared as in the training, NAME=COLUMNS";
  return otherwise;
}

const char *exitCodes(std::string_view command) {
  if (command == "train")
    return "\nexit codes: 0 done; 1 the model does not compile; 2 a wrong flag or setting; 3 a "
           "file "
           "that cannot\nbe read, written or understood; 4 a figure is no number; 130 interrupted, "
           "after saving\n";
  if (command == "verify")
    return "\nexit codes: 0 identical; 2 a wrong flag; 3 no record, or one of another version; 5 "
           "other bits;\n6 record, data, weights or model were altered; 130 interrupted\n";
  return "";
}

} // namespace

const std::vector<std::pair<std::string, std::string>> &commands() {
  static const std::vector<std::pair<std::string, std::string>> list = {
      {"train", "train a model and keep its weights, history and record"},
      {"sweep", "train with many values of hyperparameters, or on all folds, and compare"},
      {"eval", "the figures of a trained model on a table"},
      {"predict", "the results of an entry for the rows of a table, as CSV or JSON"},
      {"grad-check", "compare gradients with finite differences in f64"},
      {"inspect", "show the tensors of a model and the gradients of a batch"},
      {"verify", "check a run's record and files, and that training again gives the same bits"},
      {"report", "a page of HTML with everything about a run"},
      {"compare", "the figures of runs beside each other, and their curves on a page"},
      {"export", "write an entry as ONNX, or the weights in other forms"},
      {"import", "make weights to start from of another program's file"},
      {"hash", "the digests of weights, data, models and runs"},
      {"test", "run the test blocks of source files"},
      {"fmt", "lay out source files in the one style of the language"},
      {"help", "this list, or the flags of a command"}};
  return list;
}

std::optional<std::string> CommandLine::option(const std::string &flag) const {
  const auto found = options.find(flag);
  return found == options.end() ? std::nullopt : std::optional(found->second);
}

CommandLine parseCommandLine(const std::vector<std::string> &arguments) {
  return Parser(arguments).parse();
}

std::string helpText(std::string_view command) {
  std::string text;
  if (command.empty() || command == "help") {
    text = usage;
    for (const auto &[name, help] : commands())
      text += fmt::format("  {:<12}{}\n", name, help);
    return text + "\naprun COMMAND --help lists the flags, aprun --version tells the versions of "
                  "program and\nsemantics; docs/running.md is the guide.\n";
  }
  text = fmt::format("usage: {}\n\n", synopsis(command));
  for (const SettingInfo &info : train::settingInfos())
    if (isAllowed(info, command))
      text += fmt::format("  --{:<16} {}{}\n", info.flag, helpOf(command, info.flag, info.help),
                          *info.choices ? fmt::format(" ({})", info.choices) : "");
  for (const OptionInfo &info : optionInfos)
    if (holdsWord(info.commands, command))
      text += fmt::format("  --{:<16} {}\n", info.flag, helpOf(command, info.flag, info.help));
  return text + exitCodes(command);
}

std::string versionText() {
  return fmt::format("aprun {} (semantics version {})\n", APR_VERSION, kSemanticsVersion);
}

} // namespace apr::aprun
