// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/npz_writer.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"
#include "runtime/train/model.h"

#include <aprt.h>
#include <fmt/format.h>
#include <zip.h>

#include <memory>

namespace apr::train {
namespace {

struct DiscardArchive {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct FreeSource {
  void operator()(zip_source_t *source) const { zip_source_free(source); }
};

std::size_t elements(const TensorSource &tensor) {
  std::size_t count = 1;
  for (std::int64_t size : tensor.shape)
    count *= static_cast<std::size_t>(size);
  return count;
}

/// An archive that is built in memory: a file of ours appears complete or not at all.
class ArchiveWriter {
public:
  explicit ArchiveWriter(std::string path) : path_(std::move(path)) {
    zip_error_init(&error_);
    buffer_.reset(zip_source_buffer_create(nullptr, 0, 0, &error_));
    if (buffer_)
      archive_.reset(zip_open_from_source(buffer_.get(), ZIP_TRUNCATE, &error_));
    if (!archive_)
      fail(zip_error_strerror(&error_));
    // The archive owns one reference, this object another.
    zip_source_keep(buffer_.get());
  }
  ~ArchiveWriter() { zip_error_fini(&error_); }

  /// `content` stays where it is until the archive is finished.
  void add(const std::string &name, const std::string &content) {
    zip_source_t *source = zip_source_buffer(archive_.get(), content.data(), content.size(), 0);
    const zip_int64_t index =
        source ? zip_file_add(archive_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (source && index < 0)
      zip_source_free(source);
    // 1980 is the first year of the format: no time of today goes into the bytes.
    if (index < 0 ||
        zip_set_file_compression(archive_.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE,
                                 0) != 0 ||
        zip_file_set_dostime(archive_.get(), static_cast<zip_uint64_t>(index), 0, 0x21, 0) != 0)
      fail(zip_strerror(archive_.get()));
  }

  void finish() {
    if (zip_close(archive_.get()) != 0)
      fail(zip_strerror(archive_.get()));
    archive_.release();
    zip_stat_t stat;
    if (zip_source_stat(buffer_.get(), &stat) != 0 || zip_source_open(buffer_.get()) != 0)
      fail("the archive cannot be read back");
    AtomicFile file(path_);
    std::string block(std::size_t{1} << 20, '\0');
    for (std::uint64_t done = 0; done < stat.size;) {
      const zip_int64_t count = zip_source_read(buffer_.get(), block.data(), block.size());
      if (count <= 0)
        fail("the archive cannot be read back");
      file.write(block.data(), static_cast<std::size_t>(count));
      done += static_cast<std::uint64_t>(count);
    }
    zip_source_close(buffer_.get());
    file.commit();
  }

private:
  [[noreturn]] void fail(const std::string &cause) const {
    throw Error(ErrorKind::Data, {path_}, fmt::format("the archive cannot be written: {}", cause));
  }

  std::string path_;
  zip_error_t error_;
  std::unique_ptr<zip_source_t, FreeSource> buffer_;
  std::unique_ptr<zip_t, DiscardArchive> archive_;
};

} // namespace

std::optional<NpyType> npyTypeOf(std::int32_t dtype) {
  switch (dtype) {
  case APRT_F32:
    return NpyType::F32;
  case APRT_F64:
    return NpyType::F64;
  case APRT_I32:
    return NpyType::I32;
  case APRT_I64:
    return NpyType::I64;
  case APRT_BOOL:
    return NpyType::Bool;
  case APRT_U8:
    return NpyType::U8;
  default:
    return std::nullopt;
  }
}

std::string npyBytes(const TensorSource &tensor) {
  const std::vector<std::uint64_t> shape(tensor.shape.begin(), tensor.shape.end());
  const std::size_t count = elements(tensor);
  const std::optional<NpyType> type = npyTypeOf(tensor.dtype);
  std::string bytes = npyHeader(type.value_or(NpyType::F32), shape);
  if (type) {
    bytes.append(reinterpret_cast<const char *>(tensor.values), count * elementBytes(*type));
    return bytes;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(elementAt(tensor.values, tensor.dtype, i));
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  return bytes;
}

void writeNpz(const std::string &path, const std::vector<TensorSource> &tensors) {
  std::vector<std::string> contents;
  contents.reserve(tensors.size());
  ArchiveWriter archive(path);
  for (const TensorSource &tensor : tensors) {
    contents.push_back(npyBytes(tensor));
    archive.add(tensor.name + ".npy", contents.back());
  }
  archive.finish();
}

} // namespace apr::train
