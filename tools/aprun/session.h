// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/record.h"
#include "runtime/train/run_settings.h"
#include "runtime/train/table_loader.h"
#include "runtime/train/trainer.h"
#include "tools/aprun/command_line.h"
#include "tools/aprun/model_loader.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace apr::aprun {

/// What a command works on: the settings of a run file, of flags or of a recorded run, and the
/// model.
struct Session {
  train::RunSettings settings;
  std::optional<train::RunRecord> record; ///< where a run's folder was named
  std::string folder;                     ///< of the run
  std::unique_ptr<LoadedModel> model;
};

/// Reads the settings that the command line names: its first argument is a run file, a model, an
/// object or a run's folder; flags win. No model is loaded yet.
Session readSession(const CommandLine &line);

/// Compiles or links the session's model.
void linkModel(Session &session, const CommandLine &line);

/// The same; a recorded run's model must still have the recorded
/// source hash; else an `Error` of kind Data.
void openModel(Session &session, const CommandLine &line);

/// A trainer with the session's options.
std::unique_ptr<train::Trainer> makeTrainer(Session &session);

/// Which file of a run a command starts from: the weights alone, or with them the optimizer's
/// state, counters and seed.
enum class RunFile { Weights, State };

/// Tensors from --weights, else from the recorded run, else initial ones.
void loadTensors(Session &session, const CommandLine &line, train::Instance &instance,
                 RunFile file);

/// The rows of the session's table, ready for some inputs, and how they are divided.
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

/// Reads the table for these inputs; empty data where there are none. Columns are bound as
/// recorded, or as the settings say. Every file is read once, so that a pipe will do and no
/// exchange in between leads to two meanings.
LoadedData loadData(const Session &session, const std::vector<train::InputNeed> &needs,
                    DataUse use = DataUse::Rows);

/// The rows that --rows names, or `otherwise`.
std::vector<std::size_t> chosenRows(const CommandLine &line, const LoadedData &data,
                                    const std::string &otherwise);

} // namespace apr::aprun
