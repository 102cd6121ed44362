// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/session.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace apr::aprun {

/// The rows of the session's files, ready for some inputs, and how they are divided.
struct LoadedData {
  train::Dataset data;
  train::Split split;
  std::vector<train::RecordedInput> inputs;
  std::vector<std::string> columnNames;
  std::size_t columnCount = 0;
  std::size_t droppedRows = 0;            ///< left out for a missing value
  std::vector<std::uint64_t> vocabulary;  ///< of a text
  std::vector<train::RecordedFile> files; ///< the very bytes that were loaded, if asked for

  std::vector<std::size_t> allRows() const;
};

/// Whether what was loaded is also described, as a record keeps it.
enum class DataUse {
  Rows,
  EveryRow, ///< none may be left out for a missing value
  RowsAndDescription
};

/// Reads the files for these inputs; empty data where there are none. Columns are bound as
/// recorded, or as the settings say. Every file is read once, so that a pipe will do and no
/// exchange in between leads to two meanings.
LoadedData loadData(const Session &session, const std::vector<train::InputNeed> &needs,
                    DataUse use = DataUse::Rows);

/// The settings name another table than that of the training: it belongs to no part.
void forgetSplit(train::RunSettings &settings);

/// The rows that --rows names, or `otherwise`.
std::vector<std::size_t> chosenRows(const CommandLine &line, const LoadedData &data,
                                    const std::string &otherwise);

} // namespace apr::aprun
