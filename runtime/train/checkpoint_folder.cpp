// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/checkpoint_folder.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>

namespace apr::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "step-";
constexpr std::string_view suffix = ".safetensors";

std::optional<std::uint64_t> stepOf(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) ||
      name.size() <= prefix.size() + suffix.size())
    return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  std::uint64_t step = 0;
  const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (fault != std::errc() || end != name.data() + name.size())
    return std::nullopt;
  return step;
}

/// The names in a folder; none where it cannot be read.
std::vector<std::string> namesIn(const std::string &folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  return names;
}

/// The step of the best epoch that a checkpoint names; its own where it cannot be told.
std::uint64_t bestStepOf(const std::string &path, std::uint64_t step) {
  try {
    const auto metadata = SafetensorsFile::open(path).metadata();
    const auto found = metadata.find("best_step");
    std::uint64_t best = step;
    if (found != metadata.end())
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), best);
    return best;
  } catch (const Error &) {
    return step;
  }
}

} // namespace

CheckpointFolder::CheckpointFolder(std::string path, std::size_t earlier)
    : path_(std::move(path)), earlier_(earlier) {}

CheckpointFolder::~CheckpointFolder() {
  if (lock_ >= 0)
    ::close(lock_);
}

std::string CheckpointFolder::fileOf(std::uint64_t step) const {
  return fmt::format("{}/{}{:010}{}", path_, prefix, step, suffix);
}

void CheckpointFolder::open() {
  makeFolder(path_);
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // The lock goes with the process, however it ends; file systems without locks do without.
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    throw Error(ErrorKind::Data, {path_}, "another training writes its checkpoints here");
  std::error_code error;
  for (const std::string &name : namesIn(path_))
    if (name.starts_with('.') && name.ends_with(".tmp"))
      fs::remove(path_ + "/" + name, error);
}

void CheckpointFolder::startAnew() {
  if (steps().empty())
    return;
  const std::string previous = path_ + ".previous";
  std::error_code error;
  fs::remove_all(previous, error);
  fs::rename(path_, previous, error);
  if (error)
    throw Error(ErrorKind::Data, {path_},
                fmt::format("cannot rename the folder to {}: {}", previous, error.message()));
  ::close(lock_);
  lock_ = -1;
  open();
}

std::vector<std::uint64_t> CheckpointFolder::steps() const {
  std::vector<std::uint64_t> steps;
  for (const std::string &name : namesIn(path_))
    if (const auto step = stepOf(name))
      steps.push_back(*step);
  std::sort(steps.begin(), steps.end());
  return steps;
}

void CheckpointFolder::save(const Model &model, const std::byte *state,
                            const Checkpoint &checkpoint) {
  writeCheckpoint(fileOf(checkpoint.cursor.steps), model, state, checkpoint);
  removeOld();
}

void CheckpointFolder::removeOld() const {
  const std::vector<std::uint64_t> all = steps();
  std::set<std::uint64_t> kept;
  for (std::size_t i = 0; i < std::min(all.size(), earlier_ + 1); ++i) {
    const std::uint64_t step = all[all.size() - 1 - i];
    kept.insert(step);
    kept.insert(bestStepOf(fileOf(step), step));
  }
  std::error_code error;
  for (const std::uint64_t step : all)
    if (!kept.contains(step))
      fs::remove(fileOf(step), error);
}

CheckpointFolder::Found CheckpointFolder::openWhole(std::uint64_t step) const {
  Found found{CheckpointFile::open(fileOf(step)), std::nullopt};
  const Cursor &cursor = found.checkpoint.contents().cursor;
  if (cursor.steps != step)
    throw Error(ErrorKind::Data, {fileOf(step)},
                fmt::format("the checkpoint is that of step {}, not of its name", cursor.steps));
  if (cursor.best.epoch > 0 && cursor.best.step != cursor.steps)
    found.best.emplace(CheckpointFile::open(fileOf(cursor.best.step)));
  return found;
}

std::optional<CheckpointFolder::Found>
CheckpointFolder::latest(std::vector<std::string> &rejected,
                         const std::function<bool(const CheckpointFile &)> &isAccepted) const {
  std::vector<std::uint64_t> all = steps();
  std::reverse(all.begin(), all.end());
  for (const std::uint64_t step : all) {
    try {
      Found found = openWhole(step);
      if (!isAccepted || isAccepted(found.checkpoint))
        return found;
    } catch (const Error &error) {
      rejected.push_back(error.what());
    }
  }
  return std::nullopt;
}

void CheckpointFolder::setAsideAfter(std::uint64_t step) const {
  std::error_code error;
  for (const std::uint64_t later : steps())
    if (later > step)
      fs::rename(fileOf(later), fileOf(later) + ".invalid", error);
}

} // namespace apr::train
