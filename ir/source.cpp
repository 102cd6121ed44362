// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/source.h"

#include <fmt/format.h>

namespace apr {

FileId SourceManager::add(std::string name, std::string text) {
  File file{std::move(name), std::move(text), {0}};
  for (size_t i = 0; i < file.text.size(); ++i)
    if (file.text[i] == '\n')
      file.lineStarts.push_back(i + 1);
  files_.push_back(std::move(file));
  return static_cast<FileId>(files_.size() - 1);
}

std::string_view SourceManager::line(FileId file, uint32_t line) const {
  if (file >= files_.size() || line == 0 || line > files_[file].lineStarts.size())
    return {};
  const File &f = files_[file];
  size_t begin = f.lineStarts[line - 1];
  size_t end = line < f.lineStarts.size() ? f.lineStarts[line] - 1 : f.text.size();
  if (end > begin && f.text[end - 1] == '\r')
    --end;
  return std::string_view(f.text).substr(begin, end - begin);
}

std::string SourceManager::describe(Location location) const {
  if (!location.isKnown() || location.file >= files_.size())
    return "<unknown>";
  return fmt::format("{}:{}:{}", files_[location.file].name, location.line, location.column);
}

} // namespace apr
