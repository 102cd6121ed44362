// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/byte_table.h"
#include "runtime/train/columns.h"
#include "runtime/train/csv.h"
#include "runtime/train/loop_settings.h"
#include "runtime/train/split.h"
#include "runtime/train/toml.h"
#include "runtime/train/trainer.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apr::train {

enum class SettingKind {
  Text,
  Path,
  Count,
  Fraction,
  Number,
  Switch,
  Choice,
  TextList,
  CountList,
  PathList,
  TextMap,
  CountMap,
  NumberMap
};

/// One row of run_settings.def.
struct SettingInfo {
  const char *table;
  const char *key;
  const char *flag;
  SettingKind kind;
  const char *choices;
  const char *help;

  bool isMap() const { return kind >= SettingKind::TextMap; }
};
const std::vector<SettingInfo> &settingInfos();

/// The column of figures printed for an epoch: a metric and its title.
struct LogColumn {
  std::string metric;
  std::string title;
};

/// The words for the formats of data files.
const std::vector<std::pair<const char *, DataFormat>> &dataFormats();

/// What a run does, from a run file, from flags, or from both: flags win, whatever their order.
struct RunSettings {
  std::string model;
  std::string out;
  std::map<std::string, std::string> set;
  std::vector<std::string> data; ///< files that are one table
  std::vector<std::string> validationData;
  std::vector<std::string> testData;
  std::vector<std::string> labels; ///< Idx: one for each file of the three
  CsvFormat format;
  ByteFormat bytes;
  SplitRule split;
  SplitShares shares;
  std::string balance;                ///< a column of classes that epochs draw equally often
  std::set<std::string> listsOfFlags; ///< the flags whose lists began by a flag
  std::vector<Declared> inputs;
  std::vector<Declared> transforms;
  std::vector<Declared> missing; ///< what is done about missing values
  std::vector<std::string> missingWords = usualMissingWords();
  std::optional<std::uint64_t> epochs;
  std::optional<std::uint64_t> steps;
  std::uint64_t logEvery = 0;
  std::vector<std::uint64_t> logEpochs;
  std::vector<LogColumn> logTable;
  bool writesJson = false;
  bool stopsEarly = false; ///< and ends with the best epoch, which trainer.best tells
  LoopSettings loop;
  TrainerOptions trainer;
};

/// Sets what the entries of a run file say; paths are relative to the file's folder. Unknown keys,
/// wrong types and bad values are errors of kind Usage at their place.
void applyRunFile(RunSettings &settings, const std::string &path);
void applyEntries(RunSettings &settings, const std::vector<TomlEntry> &entries,
                  const std::string &folder);

/// Where the rows of a file go.
enum class FilePart { Split, Validation, Test };

/// One file of data.
struct DataFile {
  std::string path;
  std::string labels; ///< of Idx images, or empty
  FilePart part = FilePart::Split;
};

/// All files of data in the order of their rows; labels are given to all or none, else an `Error`
/// of kind Usage.
std::vector<DataFile> dataFiles(const RunSettings &settings);

/// Throws an `Error` of kind Usage where settings of the split exclude each other.
void checkSplit(const RunSettings &settings);

/// Sets what one flag says; a list is made longer by every flag of its name.
void applyFlag(RunSettings &settings, const SettingInfo &info, std::string_view text);

/// The setting that a flag (without its dashes) belongs to, or null.
const SettingInfo *settingOfFlag(std::string_view flag);

/// Parses a command-line value as a non-negative whole number; errors are of kind Usage.
std::uint64_t countFromText(std::string_view text, const Place &place);
double numberFromText(std::string_view text, const Place &place);

} // namespace apr::train
