// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
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

/// Writes a whole file through `AtomicFile`.
void writeFile(const std::string &path, std::string_view bytes);

/// Reads a whole file, "-" meaning standard input; throws `Error` of kind Data.
std::string readFile(const std::string &path);

/// Creates a folder and its parents; throws `Error` of kind Data.
void makeFolder(const std::string &path);

} // namespace apr::train
