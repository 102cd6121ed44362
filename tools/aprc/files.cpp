// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprc/files.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace apr::aprc {
namespace {

FileError cannot(std::string_view what, const std::string &path, int error) {
  return FileError(fmt::format("cannot {} '{}': {}", what, path, std::strerror(error)));
}

/// Writes all bytes to a new file; an errno, or 0.
int writeNew(const std::string &path, const std::string &bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    return errno;
  int error = 0;
  for (size_t done = 0; done < bytes.size() && !error;) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    if (count >= 0)
      done += static_cast<size_t>(count);
    else if (errno != EINTR)
      error = errno;
  }
  if (::close(file) != 0 && !error)
    error = errno;
  return error;
}

bool isSpecialFile(const std::string &path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return !error && std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

} // namespace

std::string readFile(const std::string &path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    if (std::cin.bad())
      throw FileError("cannot read standard input");
    return text.str();
  }
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw cannot("read", path, EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw cannot("read", path, errno);
  text << file.rdbuf();
  if (file.bad())
    throw cannot("read", path, EIO);
  return text.str();
}

OutputFiles::~OutputFiles() {
  for (const File &file : files_)
    std::remove(file.temporary.c_str());
}

void OutputFiles::add(const std::string &path, const std::string &bytes) {
  if (path == "-") {
    standardOutput_ += bytes;
    return;
  }
  // A device or pipe, /dev/null say, is written to and not replaced.
  const bool isSpecial = isSpecialFile(path);
  const std::string target = isSpecial ? path : fmt::format("{}.tmp{}", path, ::getpid());
  if (!isSpecial)
    files_.push_back({target, path});
  if (const int error = writeNew(target, bytes))
    throw cannot("write", path, error);
}

void OutputFiles::commit() {
  for (const File &file : files_) {
    std::error_code error;
    if (std::filesystem::is_directory(file.path, error))
      throw cannot("write", file.path, EISDIR);
  }
  for (const File &file : files_)
    if (std::rename(file.temporary.c_str(), file.path.c_str()) != 0)
      throw cannot("write", file.path, errno);
  files_.clear();
  std::cout << standardOutput_ << std::flush;
  if (!std::cout)
    throw FileError("cannot write standard output");
  standardOutput_.clear();
}

} // namespace apr::aprc
