// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace apr::aprc {

/// A file that cannot be read or written.
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The bytes of a file, or of standard input for "-". Throws FileError.
std::string readFile(const std::string &path);

/// Files that appear together or not at all: each is written beside its place, and all are renamed
/// when all are complete.
class OutputFiles {
public:
  OutputFiles() = default;
  ~OutputFiles();
  OutputFiles(const OutputFiles &) = delete;
  OutputFiles &operator=(const OutputFiles &) = delete;

  /// "-" is standard output. Throws FileError.
  void add(const std::string &path, const std::string &bytes);
  /// Puts all files in their places. Throws FileError.
  void commit();

private:
  struct File {
    std::string temporary;
    std::string path;
  };
  std::vector<File> files_;
  std::string standardOutput_;
};

} // namespace apr::aprc
