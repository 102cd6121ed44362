// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/columns.h"
#include "runtime/train/csv.h"
#include "runtime/train/metrics.h"
#include "runtime/train/run_settings.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace apr::train {

/// The columns that fed an input in training, with fitted transforms.
struct RecordedInput {
  InputNeed need;
  InputColumns columns;
};

/// What a finished run was: enough to evaluate, predict and repeat it. Stored as run.json beside
/// the weights; paths in the file are relative to its folder.
struct RunRecord {
  std::string model; ///< path of the source
  std::string modelName;
  std::string sourceHash;
  std::string compiler;
  std::uint32_t semanticsVersion = 0;
  RunSettings settings;
  /// All hyperparameters with the values used.
  std::map<std::string, double> hyper;
  std::string dataHash; ///< SHA-256 of the table; empty where there was none
  std::vector<std::string> columnNames;
  std::size_t columnCount = 0;
  std::uint64_t trainingRows = 0;
  std::uint64_t validationRows = 0;
  std::vector<RecordedInput> inputs;
  std::uint64_t epochs = 0;
  std::uint64_t steps = 0;
  Metrics training;
  Metrics validation;
  std::string stateHash;
  std::string weightHash;
  std::string end; ///< "finished", "interrupted"
};

void writeRecord(const RunRecord &record, const std::string &folder);

/// Reads folder/run.json. Anything missing or of the wrong type is an `Error` of kind Data that
/// names the key.
RunRecord readRecord(const std::string &folder);

/// Binds the inputs wanted to the columns of a new table as in training: by name where both have a
/// header, else by position; a table without a header that has just the columns needed gives them
/// in order. An input that training did not know takes the columns of the only recorded input of
/// its type and width. Errors are of kind Data or Usage.
std::vector<InputColumns>
bindRecorded(const RunRecord &record, const std::vector<InputNeed> &wanted, const ColumnSet &table);

} // namespace apr::train
