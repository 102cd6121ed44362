// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace apr::train {

/// A file that appears under its name complete or not at all.
///
/// The bytes go to a temporary file in the same folder; `commit` forces them to the disk, renames
/// the file into place and forces the folder. Without a commit the temporary file is removed.
/// Failures throw `Error` of kind Data naming the file and the cause.
class AtomicFile {
public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  void write(std::string_view bytes);
  void write(const void *data, std::size_t size) { write({static_cast<const char *>(data), size}); }
  void commit();

private:
  [[noreturn]] void fail(const char *action);

  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

/// A file that grows while a training goes on, and that a training that was cut off can go on with.
///
/// A write that fails takes nothing away: what it left behind is cut off again, and the bytes wait
/// for the next one, so that the file always ends with a whole piece.
class GrowingFile {
public:
  /// Opens or creates the file and cuts it to its first `keep` bytes.
  GrowingFile(std::string path, std::uint64_t keep);
  ~GrowingFile();
  GrowingFile(const GrowingFile &) = delete;
  GrowingFile &operator=(const GrowingFile &) = delete;

  const std::string &path() const { return path_; }
  void add(std::string_view bytes) { pending_ += bytes; }
  std::size_t pendingBytes() const { return pending_.size(); }
  /// Bytes with what waits.
  std::uint64_t size() const { return size_ + pending_.size(); }

  /// Writes what waits; false with errno where that fails.
  bool tryWrite();
  /// The same, and forces it to the disk.
  bool trySync();
  /// The same; throws `Error` of kind Data.
  void flush();

private:
  bool truncateTo(std::uint64_t size);

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::string pending_;
};

/// Renames a file and forces the folder; throws `Error` of kind Data.
void renameFile(const std::string &from, const std::string &to);

/// Writes a whole file through `AtomicFile`.
void writeFile(const std::string &path, std::string_view bytes);

/// Reads a whole file, "-" meaning standard input; throws `Error` of kind Data.
std::string readFile(const std::string &path);

/// Creates a folder and its parents; throws `Error` of kind Data.
void makeFolder(const std::string &path);

} // namespace apr::train
