// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/run_settings.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/number.h"
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>

namespace apr::train {
namespace {

using List = TomlValue::List;

[[noreturn]] void fail(const Place &place, const std::string &message) {
  throw Error(ErrorKind::Usage, place, message);
}

std::string fullKey(const SettingInfo &info) {
  return *info.table ? fmt::format("{}.{}", info.table, info.key) : info.key;
}

const char *typeName(const TomlValue &value) {
  constexpr const char *names[] = {"text", "an integer", "a number", "true or false", "an array"};
  return names[value.value.index()];
}

[[noreturn]] void failType(const TomlValue &value, const std::string &key, const char *wanted) {
  fail(value.place, fmt::format("{} takes {}, found {}", key, wanted, typeName(value)));
}

std::string textOf(const TomlValue &value, const std::string &key) {
  if (const auto *text = std::get_if<std::string>(&value.value))
    return *text;
  failType(value, key, "text in quotes");
}

/// Text, or a number or truth value as it would be written.
std::string wordOf(const TomlValue &value, const std::string &key) {
  if (const auto *integer = std::get_if<std::int64_t>(&value.value))
    return std::to_string(*integer);
  if (const auto *number = std::get_if<double>(&value.value))
    return fmt::format("{}", *number);
  if (const auto *truth = std::get_if<bool>(&value.value))
    return *truth ? "true" : "false";
  return textOf(value, key);
}

std::uint64_t countOf(const TomlValue &value, const std::string &key) {
  const auto *integer = std::get_if<std::int64_t>(&value.value);
  if (!integer)
    failType(value, key, "a whole number");
  if (*integer < 0)
    fail(value.place, fmt::format("{} takes a number of at least 0, found {}", key, *integer));
  return static_cast<std::uint64_t>(*integer);
}

double numberOf(const TomlValue &value, const std::string &key) {
  if (const auto *integer = std::get_if<std::int64_t>(&value.value))
    return static_cast<double>(*integer);
  if (const auto *number = std::get_if<double>(&value.value))
    return *number;
  failType(value, key, "a number");
}

bool truthOf(const TomlValue &value, const std::string &key) {
  if (const auto *truth = std::get_if<bool>(&value.value))
    return *truth;
  failType(value, key, "true or false");
}

std::string choiceOf(const TomlValue &value, const SettingInfo &info, const std::string &key) {
  std::string word = wordOf(value, key);
  if (std::holds_alternative<bool>(value.value))
    word = word == "true" ? "yes" : "no";
  std::vector<std::string> choices;
  std::string_view rest = info.choices;
  while (true) {
    const auto comma = rest.find(',');
    choices.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos)
      break;
    rest.remove_prefix(comma + 1);
  }
  if (std::find(choices.begin(), choices.end(), word) == choices.end())
    fail(value.place, fmt::format("{} is one of {}, found {}{}", key, listed(choices),
                                  inQuotes(word), suggestion(word, choices)));
  return word;
}

/// A list, or a single value as a list of one.
List listOf(const TomlValue &value) {
  if (const auto *list = std::get_if<List>(&value.value))
    return *list;
  return {value};
}

std::string joined(const TomlValue &value, const std::string &key, const char *separator) {
  std::string result;
  for (const TomlValue &part : listOf(value))
    result += (result.empty() ? "" : separator) + wordOf(part, key);
  return result;
}

char delimiterOf(const TomlValue &value, const std::string &key) {
  const std::string text = textOf(value, key);
  if (text == "tab")
    return '\t';
  if (text.size() != 1 || text == "\"" || text == "\n" || text == "\r")
    fail(value.place,
         fmt::format("{} takes one character or \"tab\", found {}", key, inQuotes(text)));
  return text[0];
}

std::size_t sizeOf(const TomlValue &value, const std::string &key) {
  const std::uint64_t count = countOf(value, key);
  if (count == 0 || count > (std::uint64_t{1} << 40))
    fail(value.place, fmt::format("{} takes a number from 1 to 2^40, found {}", key, count));
  return static_cast<std::size_t>(count);
}

LogColumn logColumn(const TomlValue &value, const std::string &key) {
  const std::string text = textOf(value, key);
  const auto as = text.find(" as ");
  if (as == std::string::npos)
    return {text, text};
  return {text.substr(0, as), text.substr(as + 4)};
}

std::vector<std::uint64_t> counts(const TomlValue &value, const std::string &key) {
  std::vector<std::uint64_t> result;
  for (const TomlValue &part : listOf(value))
    result.push_back(countOf(part, key));
  return result;
}

double shareOf(const TomlValue &value, const std::string &key) {
  const double share = numberOf(value, key);
  if (!(share >= 0 && share < 1))
    fail(value.place,
         fmt::format("{} takes a share from 0 up to, not including, 1, found {}", key, share));
  return share;
}

void replace(std::vector<Declared> &list, Declared declared) {
  std::erase_if(list, [&](const Declared &entry) { return entry.key == declared.key; });
  list.push_back(std::move(declared));
}

std::string absolute(const std::string &path, const std::string &folder) {
  if (path.empty() || path.front() == '/' || path == "-" || folder.empty())
    return path;
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

std::vector<std::string> paths(const TomlValue &value, const std::string &key,
                               const std::string &folder) {
  std::vector<std::string> result;
  for (const TomlValue &part : listOf(value))
    result.push_back(absolute(textOf(part, key), folder));
  return result;
}

void setMapEntry(RunSettings &settings, const SettingInfo &info, const std::string &name,
                 const TomlValue &value, const std::string &key) {
  const std::string_view map = info.key;
  if (name.empty())
    fail(value.place, fmt::format("{} needs a name", info.key));
  if (map == "set")
    settings.set[name] = wordOf(value, key);
  else if (map == "dims")
    settings.trainer.fixed.dims[name] =
        static_cast<std::int64_t>(std::min(countOf(value, key), std::uint64_t{1} << 62));
  else if (map == "hyper")
    settings.trainer.hyper[name] = numberOf(value, key);
  else if (map == "values")
    settings.trainer.fixed.values[name] = numberOf(value, key);
  else if (map == "inputs")
    replace(settings.inputs, {name, joined(value, key, ", "), value.place});
  else if (map == "augment")
    settings.trainer.fixed.augmentations[name] =
        parseAugmentation(joined(value, key, " | "), value.place);
  else if (map == "missing")
    replace(settings.missing, {name, wordOf(value, key), value.place});
  else
    replace(settings.transforms, {name, joined(value, key, " | "), value.place});
}

/// What steers the loop of epochs.
void setLoop(RunSettings &settings, std::string_view flag, const TomlValue &value,
             const std::string &key, const SettingInfo &info) {
  TrainerOptions &trainer = settings.trainer;
  LoopSettings &loop = settings.loop;
  if (flag == "accumulate")
    trainer.parts = truthOf(value, key) ? BatchParts::OneByOne : BatchParts::Together;
  else if (flag == "validate-every")
    trainer.validateEvery = sizeOf(value, key);
  else if (flag == "early-stop") {
    trainer.best.metric = textOf(value, key);
    settings.stopsEarly = true;
  } else if (flag == "patience")
    trainer.best.patience = sizeOf(value, key);
  else if (flag == "min-delta") {
    trainer.best.minDelta = numberOf(value, key);
    if (!(trainer.best.minDelta >= 0))
      fail(value.place,
           fmt::format("{} takes a number of at least 0, found {}", key, trainer.best.minDelta));
  } else if (flag == "better") {
    const std::string choice = choiceOf(value, info, key);
    trainer.best.better = choice == "auto"      ? Better::ByName
                          : choice == "smaller" ? Better::Smaller
                                                : Better::Greater;
  } else if (flag == "time-limit")
    loop.timeLimit = secondsFromText(wordOf(value, key), value.place);
  else if (flag == "limit")
    loop.limit = sizeOf(value, key);
  else if (flag == "overfit")
    loop.overfit = sizeOf(value, key);
  else if (flag == "checkpoint-every")
    setInterval(loop.checkpoints, wordOf(value, key), value.place);
  else if (flag == "keep")
    loop.checkpoints.earlier = sizeOf(value, key);
}

void setOne(RunSettings &settings, const SettingInfo &info, const TomlValue &value,
            const std::string &folder) {
  const std::string key = fullKey(info);
  const std::string_view flag = info.flag;
  TrainerOptions &trainer = settings.trainer;
  if (flag == "model")
    settings.model = absolute(textOf(value, key), folder);
  else if (flag == "block")
    trainer.block = textOf(value, key);
  else if (flag == "seed")
    trainer.seed = countOf(value, key);
  else if (flag == "threads") {
    if (countOf(value, key) > 1024)
      fail(value.place, "threads takes a number from 0 to 1024");
    trainer.workers = static_cast<std::uint32_t>(countOf(value, key));
  } else if (flag == "out")
    settings.out = textOf(value, key);
  else if (flag == "missing-words") {
    settings.missingWords.clear();
    for (const TomlValue &part : listOf(value))
      settings.missingWords.push_back(wordOf(part, key));
  } else if (flag == "data")
    settings.data = paths(value, key, folder);
  else if (flag == "validation-data")
    settings.validationData = paths(value, key, folder);
  else if (flag == "test-data")
    settings.testData = paths(value, key, folder);
  else if (flag == "header") {
    const std::string choice = choiceOf(value, info, key);
    settings.format.header = choice == "auto"  ? Header::Detect
                             : choice == "yes" ? Header::Present
                                               : Header::Absent;
  } else if (flag == "data-format") {
    const std::string choice = choiceOf(value, info, key);
    for (const auto &[word, format] : dataFormats())
      if (word == choice)
        settings.bytes.format = format;
  } else if (flag == "labels")
    settings.labels = paths(value, key, folder);
  else if (flag == "window")
    settings.bytes.window = sizeOf(value, key);
  else if (flag == "stride")
    settings.bytes.stride = sizeOf(value, key);
  else if (flag == "vocabulary")
    settings.bytes.vocabulary = counts(value, key);
  else if (flag == "delimiter")
    settings.format.delimiter = delimiterOf(value, key);
  else if (flag == "skip")
    settings.format.skippedLines = static_cast<std::size_t>(countOf(value, key));
  else if (flag == "validation")
    settings.shares.validation = shareOf(value, key);
  else if (flag == "test")
    settings.shares.test = shareOf(value, key);
  else if (flag == "split")
    settings.split = parseSplitRule(textOf(value, key), value.place);
  else if (flag == "folds" || flag == "fold")
    (flag == "folds" ? settings.shares.folds : settings.shares.fold) = sizeOf(value, key);
  else if (flag == "balance")
    settings.balance = wordOf(value, key);
  else if (flag == "epochs") {
    settings.epochs = sizeOf(value, key);
    settings.steps.reset();
  } else if (flag == "steps") {
    settings.steps = sizeOf(value, key);
    settings.epochs.reset();
  } else if (flag == "batch")
    trainer.batchRows = sizeOf(value, key);
  else if (flag == "shuffle")
    trainer.order = truthOf(value, key) ? RowOrder::Shuffled : RowOrder::AsInFile;
  else if (flag == "drop-last")
    trainer.lastBatch = truthOf(value, key) ? LastBatch::Drop : LastBatch::Keep;
  else if (flag == "measure")
    trainer.measure = choiceOf(value, info, key) == "after" ? Measure::After : Measure::During;
  else if (flag == "log-every")
    settings.logEvery = countOf(value, key);
  else if (flag == "log-epochs")
    settings.logEpochs = counts(value, key);
  else if (flag == "log-table") {
    settings.logTable.clear();
    for (const TomlValue &part : listOf(value))
      settings.logTable.push_back(logColumn(part, key));
  } else if (flag == "weights-json")
    settings.writesJson = truthOf(value, key);
  else
    setLoop(settings, flag, value, key, info);
}

std::vector<std::string> tableNames() {
  std::vector<std::string> names;
  for (const SettingInfo &info : settingInfos())
    if (info.isMap() || *info.table)
      names.emplace_back(info.isMap() ? info.key : info.table);
  return names;
}

[[noreturn]] void failUnknownKey(const TomlEntry &entry) {
  std::vector<std::string> known;
  for (const SettingInfo &info : settingInfos())
    known.push_back(fullKey(info));
  const std::string key = fmt::format("{}", fmt::join(entry.path, "."));
  std::string hint = suggestion(key, known);
  // A right key in the wrong table is nearer than any other spelling; a table that does not exist
  // says nothing about the names in it.
  const auto &infos = settingInfos();
  const auto sameKey = std::find_if(infos.begin(), infos.end(), [&](const SettingInfo &info) {
    return entry.path.back() == info.key;
  });
  const std::vector<std::string> tables = tableNames();
  const bool isTableKnown = entry.path.size() < 2 ||
                            std::find(tables.begin(), tables.end(), entry.path[0]) != tables.end();
  if (sameKey != infos.end())
    hint = fmt::format("; did you mean \"{}\"?", fullKey(*sameKey));
  else if (!isTableKnown)
    hint = suggestion(entry.path[0], tables);
  fail(entry.place, fmt::format("unknown key {}{}", inQuotes(key), hint));
}

/// A flag's text as the value that a run file would hold.
TomlValue flagValue(SettingKind kind, std::string_view text, const Place &place) {
  const auto listFrom = [&](SettingKind element) {
    List list;
    while (true) {
      const auto comma = text.find(',');
      list.push_back(flagValue(element, text.substr(0, comma), place));
      if (comma == std::string_view::npos)
        return list;
      text.remove_prefix(comma + 1);
    }
  };
  switch (kind) {
  case SettingKind::Count:
  case SettingKind::CountMap:
    return {static_cast<std::int64_t>(countFromText(text, place)), place};
  case SettingKind::Fraction:
  case SettingKind::Number:
  case SettingKind::NumberMap:
    return {numberFromText(text, place), place};
  case SettingKind::Switch:
    if (text != "true" && text != "false" && text != "yes" && text != "no")
      fail(place, fmt::format("expected true or false, found {}", inQuotes(text)));
    return {text == "true" || text == "yes", place};
  case SettingKind::CountList:
    return {listFrom(SettingKind::Count), place};
  case SettingKind::TextList:
    return {listFrom(SettingKind::Text), place};
  case SettingKind::Text:
  case SettingKind::Path:
  case SettingKind::PathList:
  case SettingKind::Choice:
  case SettingKind::TextMap:
    break;
  }
  return {std::string(text), place};
}

} // namespace

const std::vector<SettingInfo> &settingInfos() {
  static const std::vector<SettingInfo> infos = {
#define SETTING(table, key, flag, kind, choices, help)                                             \
  {table, key, flag, SettingKind::kind, choices, help},
#include "runtime/train/run_settings.def"
  };
  return infos;
}

const std::vector<std::pair<const char *, DataFormat>> &dataFormats() {
  static const std::vector<std::pair<const char *, DataFormat>> formats = {
      {"auto", DataFormat::Auto},
      {"csv", DataFormat::Csv},
      {"idx", DataFormat::Idx},
      {"cifar10", DataFormat::Cifar10},
      {"cifar100", DataFormat::Cifar100},
      {"text", DataFormat::Text},
      {"npy", DataFormat::Npy}};
  return formats;
}

void applyRunFile(RunSettings &settings, const std::string &path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash);
  applyEntries(settings, parseToml(readFile(path), path == "-" ? "<stdin>" : path), folder);
}

void applyEntries(RunSettings &settings, const std::vector<TomlEntry> &entries,
                  const std::string &folder) {
  const Place *epochs = nullptr;
  for (const TomlEntry &entry : entries) {
    const auto &infos = settingInfos();
    const auto matches = [&](const SettingInfo &info) {
      if (info.isMap())
        return entry.path.size() >= 2 && entry.path[0] == info.key;
      return *info.table ? entry.path.size() == 2 && entry.path[0] == info.table &&
                               entry.path[1] == info.key
                         : entry.path.size() == 1 && entry.path[0] == info.key;
    };
    const auto info = std::find_if(infos.begin(), infos.end(), matches);
    if (info == infos.end())
      failUnknownKey(entry);
    const std::string_view flag = info->flag;
    if (flag == "epochs" || flag == "steps") {
      if (epochs)
        fail(entry.place, fmt::format("epochs and steps exclude each other; the other one stands "
                                      "at {}",
                                      text(*epochs)));
      epochs = &entry.place;
    }
    if (info->isMap()) {
      // Dots in names of the model are part of the name: step.lr = 0.1 under [hyper].
      const std::string name =
          fmt::format("{}", fmt::join(entry.path.begin() + 1, entry.path.end(), "."));
      setMapEntry(settings, *info, name, entry.value, fmt::format("{}.{}", info->key, name));
    } else {
      setOne(settings, *info, entry.value, folder);
    }
  }
}

namespace {

std::vector<std::string> &listOfFlag(RunSettings &settings, std::string_view flag) {
  return flag == "data"              ? settings.data
         : flag == "validation-data" ? settings.validationData
         : flag == "test-data"       ? settings.testData
                                     : settings.labels;
}

} // namespace

std::vector<DataFile> dataFiles(const RunSettings &settings) {
  std::vector<DataFile> files;
  const auto add = [&](const std::vector<std::string> &list, FilePart part) {
    for (const std::string &path : list)
      files.push_back({path, {}, part});
  };
  add(settings.data, FilePart::Split);
  add(settings.validationData, FilePart::Validation);
  add(settings.testData, FilePart::Test);
  if (!settings.labels.empty() && settings.labels.size() != files.size())
    throw Error(ErrorKind::Usage, {"--labels"},
                fmt::format("found {} files of labels for {} files of images",
                            settings.labels.size(), files.size()));
  for (std::size_t i = 0; i < settings.labels.size(); ++i)
    files[i].labels = settings.labels[i];
  if (files.size() > 1)
    for (const DataFile &file : files)
      if (file.path == "-")
        throw Error(ErrorKind::Usage, {"--data"},
                    "standard input cannot be one of several files of data");
  return files;
}

void checkSplit(const RunSettings &settings) {
  const SplitShares &shares = settings.shares;
  const auto refuse = [](const char *flag, const char *message) {
    throw Error(ErrorKind::Usage, {flag}, message);
  };
  if ((shares.folds > 0) != (shares.fold > 0))
    refuse(shares.folds > 0 ? "--folds" : "--fold", "--folds and --fold belong together");
  if (shares.folds == 1 || shares.fold > shares.folds)
    refuse("--fold", "expected at least 2 folds, and one of them");
  if (shares.folds > 0 && shares.validation > 0)
    refuse("--folds", "a fold is the validation part: leave out --validation");
  if (!settings.validationData.empty() && (shares.validation > 0 || shares.folds > 0))
    refuse("--validation-data",
           "a file is the validation part: leave out --validation and --folds");
  if (!settings.testData.empty() && shares.test > 0)
    refuse("--test-data", "a file is the test part: leave out --test");
  if (settings.split.kind == SplitKind::Named &&
      (shares.validation > 0 || shares.test > 0 || shares.folds > 0))
    refuse("--split", "a column names the parts: leave out --validation, --test and --folds");
  if (shares.validation + shares.test >= 1)
    refuse("--test", "the shares for validation and test leave no rows for training");
  if (!settings.balance.empty() && settings.trainer.order == RowOrder::AsInFile)
    refuse("--balance", "classes are drawn in random order: leave out shuffle = false");
}

void applyFlag(RunSettings &settings, const SettingInfo &info, std::string_view text) {
  const Place place{fmt::format("--{}", info.flag)};
  if (info.kind == SettingKind::PathList) {
    std::vector<std::string> &list = listOfFlag(settings, info.flag);
    // The first flag replaces what the run file says.
    if (settings.listsOfFlags.insert(info.flag).second)
      list.clear();
    list.emplace_back(text);
    return;
  }
  if (!info.isMap()) {
    setOne(settings, info, flagValue(info.kind, text, place), "");
    return;
  }
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    fail(place, fmt::format("expected NAME=VALUE, found {}", inQuotes(text)));
  const std::string name(text.substr(0, equals));
  setMapEntry(settings, info, name, flagValue(info.kind, text.substr(equals + 1), place), name);
}

const SettingInfo *settingOfFlag(std::string_view flag) {
  for (const SettingInfo &info : settingInfos())
    if (flag == info.flag)
      return &info;
  return nullptr;
}

std::uint64_t countFromText(std::string_view text, const Place &place) {
  std::int64_t number = 0;
  const NumberFault fault = parseNumber(text, number);
  if (fault != NumberFault::None || number < 0)
    fail(place, fmt::format("expected a whole number of at least 0, found {}", inQuotes(text)));
  return static_cast<std::uint64_t>(number);
}

double numberFromText(std::string_view text, const Place &place) {
  double number = 0;
  if (parseNumber(text, number) != NumberFault::None)
    fail(place, fmt::format("expected a number, found {}", inQuotes(text)));
  return number;
}

} // namespace apr::train
