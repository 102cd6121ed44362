// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/model.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/trainer.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace apr::train {

/// What a checkpoint holds beside the tensors of the state. docs/checkpoints.md describes the file.
struct Checkpoint {
  Cursor cursor;
  std::uint64_t seed = 0;
  std::string dataHash; ///< of `dataHash`; empty where no rows feed the model
  std::string record;   ///< the program's own account of the training so far, as text; may be empty
  /// More metadata of the program that trains.
  std::map<std::string, std::string> extra;
};

/// SHA-256 over the rows of all inputs as the model gets them, and over the split: of
/// "NAME\nHASH\n" for each input and of the split's hash.
std::string dataHash(const Dataset &data, const Split &split);
/// The same where names and hashes of the inputs are known.
std::string dataHash(const std::vector<std::pair<std::string, std::string>> &inputs,
                     const std::string &splitHash);

/// Writes a checkpoint atomically: a temporary file in the same folder is forced to the disk and
/// renamed. `state` is laid out as the model's. Failures are an `Error` of kind Data, and then a
/// file that was there before is untouched.
void writeCheckpoint(const std::string &path, const Model &model, const std::byte *state,
                     const Checkpoint &checkpoint);

/// A file that was found to be a whole checkpoint: well-formed, of the known schema, and with the
/// digest that it was written with. Anything else is an `Error` of kind Data.
class CheckpointFile {
public:
  static CheckpointFile open(const std::string &path);

  const std::string &path() const { return file_.path(); }
  const Checkpoint &contents() const { return contents_; }
  std::uint64_t semanticsVersion() const { return semanticsVersion_; }

  /// The state's bytes as the model lays them out. A checkpoint of another program (its hash is not
  /// the model's source hash) or with other tensors is an `Error` of kind Data.
  std::vector<std::byte> state(const Model &model) const;

private:
  explicit CheckpointFile(SafetensorsFile file) : file_(std::move(file)) {}
  void checkDigest() const;
  void readMetadata();
  void readFigures();
  void readRecord();
  const std::string &text(const std::string &key) const;
  std::uint64_t count(const std::string &key) const;
  [[noreturn]] void fail(const std::string &message) const;

  SafetensorsFile file_;
  Checkpoint contents_;
  std::string programHash_;
  std::uint64_t semanticsVersion_ = 0;
};

/// Goes on from a checkpoint, and from that of its best epoch where the two are not the same: loads
/// the state and sets the trainer's place. Checks first, so that an `Error` leaves the trainer as
/// it was.
void resumeFrom(Trainer &trainer, const CheckpointFile &checkpoint, const CheckpointFile *best);

} // namespace apr::train
