// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace apr::train {

/// The checkpoints of one training: a folder of files step-0000000120.safetensors.
///
/// Kept are the newest one, `earlier` ones before it, and each that one of these calls its best
/// epoch. A file is removed only after a newer one is safely on the disk.
class CheckpointFolder {
public:
  CheckpointFolder(std::string path, std::size_t earlier);
  ~CheckpointFolder();
  CheckpointFolder(const CheckpointFolder &) = delete;
  CheckpointFolder &operator=(const CheckpointFolder &) = delete;

  const std::string &path() const { return path_; }
  std::string fileOf(std::uint64_t step) const;

  /// Creates the folder where it is missing, makes sure that no other training uses it, and clears
  /// away what an earlier one left half-written. An `Error` of kind Data where that fails.
  void open();

  /// Puts the checkpoints of an earlier training into the folder path.previous, in place of those
  /// there. Called when open.
  void startAnew();

  /// The steps of its checkpoints, ascending; none where there is no folder.
  std::vector<std::uint64_t> steps() const;

  /// Writes a checkpoint and removes those that need not be kept.
  void save(const Model &model, const std::byte *state, const Checkpoint &checkpoint);

  /// A checkpoint that is whole, with that of its best epoch where it is another one.
  struct Found {
    CheckpointFile checkpoint;
    std::optional<CheckpointFile> best;
  };
  /// The newest one that is whole and accepted; `rejected` says why newer ones are not.
  std::optional<Found>
  latest(std::vector<std::string> &rejected,
         const std::function<bool(const CheckpointFile &)> &isAccepted = {}) const;

  /// Puts files of later steps out of the way, as .invalid: training comes to these steps again.
  void setAsideAfter(std::uint64_t step) const;

private:
  Found openWhole(std::uint64_t step) const;
  void removeOld() const;

  std::string path_;
  std::size_t earlier_;
  int lock_ = -1;
};

} // namespace apr::train
