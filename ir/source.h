// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apr {

/// Index of a file in a SourceManager; the default value names no file.
using FileId = uint32_t;
inline constexpr FileId kNoFile = 0xffffffff;

/// A range of one line of a source file. Lines and columns count from 1; columns count bytes.
struct Location {
  FileId file = kNoFile;
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 0;

  bool isKnown() const { return file != kNoFile; }
  friend bool operator==(const Location &, const Location &) = default;
};

/// Owns the text of every file that takes part in a compilation. Ids stay valid for its lifetime.
class SourceManager {
public:
  /// Adds a file under the name that messages show.
  FileId add(std::string name, std::string text);

  const std::string &name(FileId file) const { return files_[file].name; }
  std::string_view text(FileId file) const { return files_[file].text; }
  size_t fileCount() const { return files_.size(); }

  /// The text of one line without its line end; empty where there is no such line.
  std::string_view line(FileId file, uint32_t line) const;

  /// "name:line:column", or "<unknown>".
  std::string describe(Location location) const;

private:
  struct File {
    std::string name;
    std::string text;
    std::vector<size_t> lineStarts;
  };
  std::vector<File> files_;
};

} // namespace apr
