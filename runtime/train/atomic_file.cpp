// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"

#include "runtime/train/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace apr::train {
namespace {

std::string folderOf(const std::string &path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

int openRetrying(const char *path, int flags, mode_t mode) {
  int descriptor;
  do
    descriptor = ::open(path, flags | O_CLOEXEC, mode);
  while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

/// Writes all bytes, in as many pieces as it takes; false with errno where that fails.
bool writeFully(int descriptor, std::string_view bytes) {
  constexpr std::size_t largestWrite = std::size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), std::min(bytes.size(), largestWrite));
    if (written < 0 && errno == EINTR)
      continue;
    if (written == 0)
      errno = EIO; // a device that takes nothing would be asked forever
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

int syncRetrying(int descriptor) {
  int result;
  do
    result = ::fsync(descriptor);
  while (result != 0 && errno == EINTR);
  return result;
}

/// Forces a rename to the disk where the file system can.
void syncFolder(const std::string &path) {
  const int folder = openRetrying(path.c_str(), O_RDONLY | O_DIRECTORY, 0);
  if (folder < 0)
    return;
  syncRetrying(folder);
  ::close(folder);
}

} // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  const auto slash = path_.rfind('/');
  const std::string name = slash == std::string::npos ? path_ : path_.substr(slash + 1);
  temporary_ = fmt::format("{}/.{}.{}.tmp", folderOf(path_), name, ::getpid());
  descriptor_ = openRetrying(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (descriptor_ < 0) {
    temporary_.clear();
    fail("create");
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  if (!temporary_.empty())
    ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char *action) {
  throw Error(ErrorKind::Data, {path_},
              fmt::format("cannot {} the file: {}", action, std::strerror(errno)));
}

void AtomicFile::write(std::string_view bytes) {
  if (!writeFully(descriptor_, bytes))
    fail("write");
}

void AtomicFile::commit() {
  // Pipes and some file systems cannot be forced; that is no reason to lose the file.
  if (syncRetrying(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP)
    fail("write");
  const int closing = descriptor_;
  descriptor_ = -1;
  if (::close(closing) != 0 && errno != EINTR)
    fail("write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail("put in place");
  temporary_.clear();
  syncFolder(folderOf(path_));
}

GrowingFile::GrowingFile(std::string path, std::uint64_t keep) : path_(std::move(path)) {
  descriptor_ = openRetrying(path_.c_str(), O_WRONLY | O_CREAT, 0666);
  const bool isReady = descriptor_ >= 0 && truncateTo(keep) &&
                       ::lseek(descriptor_, static_cast<off_t>(keep), SEEK_SET) >= 0;
  size_ = keep;
  if (isReady)
    return;
  const int cause = errno;
  if (descriptor_ >= 0)
    ::close(descriptor_);
  throw Error(ErrorKind::Data, {path_},
              fmt::format("cannot create the file: {}", std::strerror(cause)));
}

GrowingFile::~GrowingFile() { ::close(descriptor_); }

bool GrowingFile::truncateTo(std::uint64_t size) {
  int result;
  do
    result = ::ftruncate(descriptor_, static_cast<off_t>(size));
  while (result != 0 && errno == EINTR);
  // Pipes and devices have no size to cut.
  return result == 0 || (errno == EINVAL && size == 0);
}

bool GrowingFile::tryWrite() {
  if (pending_.empty())
    return true;
  if (writeFully(descriptor_, pending_)) {
    size_ += pending_.size();
    pending_.clear();
    return true;
  }
  // What a failed write left behind is taken back: the file always ends where a piece does.
  const int cause = errno;
  truncateTo(size_);
  ::lseek(descriptor_, static_cast<off_t>(size_), SEEK_SET);
  errno = cause;
  return false;
}

bool GrowingFile::trySync() {
  return tryWrite() && (syncRetrying(descriptor_) == 0 || errno == EINVAL || errno == ENOTSUP);
}

void GrowingFile::flush() {
  if (!trySync())
    throw Error(ErrorKind::Data, {path_},
                fmt::format("cannot write the file: {}", std::strerror(errno)));
}

void renameFile(const std::string &from, const std::string &to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw Error(ErrorKind::Data, {to},
                fmt::format("cannot put the file in place: {}", std::strerror(errno)));
  syncFolder(folderOf(to));
}

void writeFile(const std::string &path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

std::string readFile(const std::string &path) {
  const std::string name = path == "-" ? "<stdin>" : path;
  const auto fail = [&]() -> Error {
    return Error(ErrorKind::Data, {name},
                 fmt::format("cannot read the file: {}", std::strerror(errno)));
  };
  const int descriptor = path == "-" ? STDIN_FILENO : openRetrying(path.c_str(), O_RDONLY, 0);
  if (descriptor < 0)
    throw fail();
  struct Closer {
    int descriptor;
    ~Closer() {
      if (descriptor != STDIN_FILENO)
        ::close(descriptor);
    }
  } closer{descriptor};
  struct stat info{};
  if (::fstat(descriptor, &info) != 0)
    throw fail();
  if (S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    throw fail();
  }
  std::string content;
  std::size_t size = 0;
  // The size is a hint only: pipes have none and a file may grow while it is read.
  content.resize(S_ISREG(info.st_mode) ? static_cast<std::size_t>(info.st_size) + 1 : 65536);
  while (true) {
    if (size == content.size())
      content.resize(content.size() * 2);
    const ssize_t got = ::read(descriptor, content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw fail();
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

void makeFolder(const std::string &path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path, error))
    throw Error(ErrorKind::Data, {path},
                fmt::format("cannot create the folder: {}",
                            error ? error.message() : std::string("a file is in the way")));
}

} // namespace apr::train
