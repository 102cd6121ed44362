// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/gzip.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include <unistd.h>

namespace apr::train {
namespace {

/// Ends the stream on every way out.
class Inflater {
public:
  explicit Inflater(const std::string &path) : path_(path) {
    constexpr int gzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzipOnly) != Z_OK)
      fail("cannot be decompressed: zlib does not start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater &) = delete;
  Inflater &operator=(const Inflater &) = delete;

  std::string run(const std::string &packed, std::uint64_t largest) {
    std::string result;
    std::size_t consumed = 0;
    char block[1 << 16];
    while (true) {
      const std::size_t piece = std::min<std::size_t>(packed.size() - consumed, 1u << 30);
      stream_.next_in = reinterpret_cast<Bytef *>(
          const_cast<char *>(packed.data() + consumed)); // zlib reads only
      stream_.avail_in = static_cast<uInt>(piece);
      stream_.next_out = reinterpret_cast<Bytef *>(block);
      stream_.avail_out = sizeof block;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      consumed += piece - stream_.avail_in;
      const std::size_t produced = sizeof block - stream_.avail_out;
      if (produced > largest - result.size())
        fail(fmt::format("holds more than {} bytes when decompressed", largest));
      result.append(block, produced);
      if (status == Z_STREAM_END && consumed == packed.size())
        return result;
      if (status == Z_STREAM_END) {
        if (inflateReset(&stream_) != Z_OK)
          fail("cannot be decompressed");
      } else if (status != Z_OK) {
        fail(consumed == packed.size() && status == Z_BUF_ERROR
                 ? "ends in the middle of its compressed data"
                 : fmt::format("is damaged: its compressed data is wrong at byte {}", consumed));
      }
    }
  }

private:
  [[noreturn]] void fail(const std::string &message) const {
    throw Error(ErrorKind::Data, {path_}, "the file " + message);
  }

  const std::string &path_;
  z_stream stream_{};
};

} // namespace

std::string readMaybeCompressed(const std::string &path, std::uint64_t largest) {
  std::string content = readFile(path);
  if (content.starts_with("\x1f\x8b"))
    content = Inflater(path).run(content, largest);
  if (content.size() > largest)
    throw Error(ErrorKind::Data, {path}, fmt::format("the file holds more than {} bytes", largest));
  return content;
}

std::string readMaybeCompressed(const std::string &path) {
  return readMaybeCompressed(path, largestUnpacked());
}

std::uint64_t largestUnpacked() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || bytes <= 0)
    return std::uint64_t{1} << 32;
  return static_cast<std::uint64_t>(pages) / 2 * static_cast<std::uint64_t>(bytes);
}

} // namespace apr::train
