// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/columns.h"
#include "runtime/train/csv.h"
#include "runtime/train/data_file.h"
#include "runtime/train/metrics.h"
#include "runtime/train/run_settings.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace apr::train {

/// The columns that fed an input in training, with fitted transforms.
struct RecordedInput {
  InputNeed need;
  InputColumns columns;
  std::string sha256; ///< of all its rows as the model gets them
};

/// A source file of the model; `name` is relative to the model's folder.
struct RecordedSource {
  std::string name;
  std::string sha256;
  std::uint64_t bytes = 0;

  bool operator==(const RecordedSource &) const = default;
};

/// Where a training stood after an epoch, or after some steps where there are no epochs. The first
/// entry is the state before the first step.
struct RecordedEpoch {
  std::uint64_t epoch = 0;
  std::uint64_t step = 0;
  Metrics training;
  Metrics validation;
  std::string stateHash;
};

/// The side file with a hash per step and tensor; see step_record.h.
struct RecordedSteps {
  std::string file;
  std::vector<std::string> columns;
  std::uint64_t steps = 0;
  std::string digest;
};

/// What may differ between two runs of the same training without changing a bit of it.
struct RunInformation {
  std::string compiler;
  std::string target;   ///< triple and CPU level of the object
  std::string optimize; ///< "0" to "3"
  std::uint32_t threads = 1;
  std::uint32_t processors = 0;
  std::string processor; ///< model name of the CPU
  std::string system;
  std::string host;
  std::string started; ///< in UTC, "2026-01-31T12:00:00Z"
  double seconds = 0;
};

/// What a finished run was: enough to evaluate, predict and repeat it, and to check that. Stored as
/// run.json beside the weights; paths in the file are relative to its folder. docs/records.md
/// describes the file.
struct RunRecord {
  std::string model; ///< path of the source
  std::string modelName;
  std::string sourceHash;
  std::vector<RecordedSource> sources; ///< empty for an object
  std::uint32_t semanticsVersion = 0;
  RunSettings settings;
  /// All hyperparameters with the values used.
  std::map<std::string, double> hyper;
  std::string startWeights; ///< path of the tensors that the run started from, or empty
  std::string startHash;    ///< SHA-256 of that file
  std::vector<RecordedFile> dataFiles;
  std::vector<std::string> columnNames;
  std::size_t columnCount = 0;
  std::uint64_t droppedRows = 0; ///< left out of the table for a missing value
  std::uint64_t trainingRows = 0;
  std::uint64_t validationRows = 0;
  std::uint64_t testRows = 0;
  std::string splitHash; ///< of the numbers of training, validation and test rows
  std::vector<RecordedInput> inputs;
  std::vector<RecordedEpoch> history;
  std::uint64_t epochs = 0;
  std::uint64_t steps = 0;
  Metrics training;
  Metrics validation;
  std::string stateHash;
  std::string weightHash;
  std::map<std::string, std::string> tensorHashes; ///< of the whole state, by name
  std::string end;                                 ///< one of `runEnds`
  /// Of a training that stops early and goes back to its best epoch; its epoch is 0 where none is.
  BestSoFar best;
  std::map<std::string, std::string> outputs; ///< SHA-256 of the files written, by name
  std::optional<RecordedSteps> stepRecord;
  RunInformation information;
  /// The digests of the training (the same on every machine) and of the whole record; filled by
  /// writeRecord and readRecord.
  std::string trainingDigest;
  std::string recordDigest;

  /// Whether the training ended before it would have: within an epoch, perhaps.
  bool isCutShort() const { return end == "interrupted" || end == "time limit"; }
};

/// How a training ends.
constexpr const char *runEnds[] = {"finished", "stopped early", "interrupted", "time limit"};

/// Writes folder/run.json and sets the record's digests.
void writeRecord(RunRecord &record, const std::string &folder);

/// Reads folder/run.json. Anything missing, superfluous or of the wrong type is an `Error` of kind
/// Data that names the key. Digests are not checked: `findAlterations` does.
RunRecord readRecord(const std::string &folder);

/// The same as text, with digests; `parseRecord` reads it, `file` names it in errors.
std::string recordText(const RunRecord &record, const std::string &folder);
RunRecord parseRecord(const std::string &text, const std::string &file, const std::string &folder);

/// Where two trainings are not the same before their first step: a line for each setting, file or
/// row count of the records' headers, "hyper.step.lr is 0.1, the checkpoint has 0.01". `changes`
/// and the values of hyperparameters are left out: they may change on the way.
std::vector<std::string> headerDifferences(const RunRecord &recorded, const RunRecord &now);

/// Binds the inputs wanted to the columns of a new table as in training: by name where both have a
/// header, else by position; a table without a header that has just the columns needed gives them
/// in order. An input that training did not know takes the columns of the only recorded input of
/// its type and width. Inputs with a selection take these columns, prepared as those of the
/// training in their order, so that other arrays of the same file can be given. Errors are of kind
/// Data or Usage.
std::vector<InputColumns> bindRecorded(const RunRecord &record,
                                       const std::vector<InputNeed> &wanted, const ColumnSet &table,
                                       const std::vector<Declared> &selections = {});

/// The 16 hexadecimal digits of a figure's bits.
std::string figureBits(double value);

/// The version of the file's schema.
constexpr std::uint64_t recordVersion = 3;

} // namespace apr::train
