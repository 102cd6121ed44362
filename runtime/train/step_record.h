// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/record.h"
#include "runtime/train/trainer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace apr::train {

class GrowingFile;

/// The hashes of one step: the first 8 bytes of a SHA-256 for each tensor of the state, in table
/// order, and one for what the step reported.
using StepHashes = std::vector<std::uint64_t>;

/// The names of the columns: the state's tensors and "reports".
std::vector<std::string> stepColumns(const Model &model);
StepHashes stepHashes(const Instance &instance, const EntryCall &call);

/// The largest file of step hashes that is written.
constexpr std::uint64_t largestStepRecord = std::uint64_t{1} << 30;
/// Bytes of a file for this many steps.
std::uint64_t stepRecordBytes(const Model &model, std::uint64_t steps);

/// Writes steps.bin, which is called steps.bin.part until the training ends: the bytes "aprsteps",
/// version and number of columns as 32-bit numbers, then for each step its hashes and the first 8
/// bytes of a chained digest, all little-endian. The digest of a step is the SHA-256 of the
/// previous one, as 64 digits, and the step's hashes; the first one follows the SHA-256 of the
/// first 16 bytes. A write that fails is tried again with the next piece; `finish` throws an
/// `Error` of kind Data, and so does `add` where the file grows beyond `largestStepRecord`.
class StepRecorder {
public:
  StepRecorder(const std::string &folder, const Model &model);
  /// Goes on after what an interrupted training recorded: the file's first steps must be those that
  /// the digest ends, else an `Error` of kind Data.
  StepRecorder(const std::string &folder, const Model &model, const RecordedSteps &soFar);
  ~StepRecorder();

  void add(const StepHashes &hashes);
  /// What is recorded so far, forced to the disk; false with errno where that fails.
  bool trySync();
  const RecordedSteps &soFar() const { return recorded_; }
  /// Puts the file in its place and says what the record keeps of it.
  RecordedSteps finish();

private:
  std::string folder_;
  RecordedSteps recorded_;
  std::unique_ptr<GrowingFile> file_;
};

/// A file of step hashes that was found to be what the record says.
class StepRecord {
public:
  /// Reads the file beside a record; everything else than it promises is an `Error` of kind Data
  /// that names the first step that was altered.
  static StepRecord read(const std::string &folder, const RecordedSteps &recorded);
  /// The same for bytes that were read; `path` names them.
  static StepRecord parse(const std::string &path, const std::string &bytes,
                          const RecordedSteps &recorded);

  std::uint64_t steps() const { return steps_; }
  /// The columns in which a step, counted from 1, differs from these hashes.
  std::vector<std::string> differences(std::uint64_t step, const StepHashes &hashes) const;

private:
  std::vector<std::string> columns_;
  std::vector<std::uint64_t> words_;
  std::uint64_t steps_ = 0;
};

} // namespace apr::train
