// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/npz.h"

#include "runtime/train/error.h"
#include "runtime/train/gzip.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <span>
#include <unordered_set>

namespace apr::train {
namespace {

/// Deflate makes at most 1032 bytes of one.
constexpr std::uint64_t mostPerByte = 1032;

struct CloseEntry {
  void operator()(zip_file_t *entry) const { zip_fclose(entry); }
};

[[noreturn]] void fail(const std::string &file, const std::string &message) {
  throw Error(ErrorKind::Data, {file}, message);
}

/// Ends on every way out; what libzip says of a cause goes into a message.
class ZipError {
public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError &) = delete;
  ZipError &operator=(const ZipError &) = delete;
  zip_error_t *get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

private:
  zip_error_t error_;
};

/// The unpacked bytes of an entry, from the first one on.
class EntryReader {
public:
  EntryReader(zip_t *archive, zip_uint64_t index, const std::string &place)
      : place_(place), entry_(zip_fopen_index(archive, index, 0)) {
    if (!entry_)
      fail(place_, fmt::format("the array cannot be read: {}", zip_strerror(archive)));
  }

  /// As many bytes as there are, up to the size of `to`.
  std::size_t read(std::span<std::byte> to) {
    std::size_t done = 0;
    while (done < to.size()) {
      const zip_int64_t count = zip_fread(entry_.get(), to.data() + done, to.size() - done);
      if (count < 0)
        fail(place_, fmt::format("the array is damaged: {}", zip_file_strerror(entry_.get())));
      if (count == 0)
        break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

private:
  const std::string &place_;
  std::unique_ptr<zip_file_t, CloseEntry> entry_;
};

zip_stat_t statOf(zip_t *archive, zip_uint64_t index, const std::string &place) {
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat_index(archive, index, 0, &stat) != 0)
    fail(place, fmt::format("the array cannot be read: {}", zip_strerror(archive)));
  return stat;
}

/// A size is believed only where the packed bytes can make it.
void checkSize(const zip_stat_t &stat, const std::string &place) {
  if (stat.encryption_method != ZIP_EM_NONE)
    fail(place, "the array is encrypted, expected one without a password");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
    fail(place,
         fmt::format("the array is packed by method {}, expected {} (stored) or {} (deflate)",
                     stat.comp_method, ZIP_CM_STORE, ZIP_CM_DEFLATE));
  if (stat.size / mostPerByte > stat.comp_size)
    fail(place, fmt::format("the archive declares {} bytes, which the {} packed ones cannot make",
                            stat.size, stat.comp_size));
  if (stat.size > largestUnpacked())
    fail(place, fmt::format("the array has {} bytes when unpacked, at most {} are read", stat.size,
                            largestUnpacked()));
}

} // namespace

void NpzFile::Discard::operator()(zip *archive) const { zip_discard(archive); }

NpzFile::NpzFile(std::string file, std::string content)
    : file_(std::move(file)), content_(std::make_unique<const std::string>(std::move(content))) {
  openArchive();
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  std::unordered_set<std::string> names;
  for (zip_int64_t i = 0; i < count; ++i) {
    arrays_.push_back(entryAt(static_cast<std::uint64_t>(i)));
    if (!names.insert(arrays_.back().name).second)
      fail(placeOf(arrays_.back().name), "the archive holds this array twice");
  }
  if (arrays_.empty())
    fail(file_, "the archive holds no array");
}

void NpzFile::openArchive() {
  ZipError error;
  zip_source_t *source =
      zip_source_buffer_create(content_->data(), content_->size(), 0, error.get());
  if (source)
    archive_.reset(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, error.get()));
  if (archive_)
    return;
  zip_source_free(source);
  fail(file_,
       fmt::format("found no whole archive of arrays, as numpy.savez writes: {}", error.text()));
}

std::string NpzFile::placeOf(const std::string &name) const {
  return fmt::format("{}({})", file_, inQuotes(name + ".npy"));
}

NpzFile::Entry NpzFile::entryAt(std::uint64_t index) const {
  const char *text = zip_get_name(archive_.get(), index, 0);
  Entry entry{text ? text : "", index, std::nullopt, {}};
  if (!entry.name.ends_with(".npy"))
    fail(fmt::format("{}({})", file_, inQuotes(entry.name)),
         "the entry is no array: names of arrays end in .npy");
  entry.name.resize(entry.name.size() - 4);
  // Archives hold texts and objects beside numbers: what no input takes need not be readable.
  try {
    entry.header = headerOf(index, placeOf(entry.name));
  } catch (const Error &error) {
    entry.fault = error.message();
  }
  return entry;
}

NpyHeader NpzFile::headerOf(std::uint64_t index, const std::string &place) const {
  const zip_stat_t stat = statOf(archive_.get(), index, place);
  checkSize(stat, place);
  EntryReader reader(archive_.get(), index, place);
  std::string text(std::min<std::uint64_t>(npyFrontBytes, stat.size), '\0');
  const auto append = [&](std::size_t done) {
    const auto rest = std::as_writable_bytes(std::span(text)).subspan(done);
    if (reader.read(rest) != rest.size())
      fail(place, fmt::format("the array ends early: the archive declares {} bytes", stat.size));
  };
  append(0);
  const std::size_t bytes = npyHeaderBytes(text, stat.size, place);
  if (const std::size_t done = text.size(); bytes > done) {
    text.resize(bytes);
    append(done);
  }
  return parseNpyHeader(text, stat.size, place);
}

NpyArray NpzFile::read(const Entry &entry) const {
  const std::string place = placeOf(entry.name);
  if (!entry.header)
    fail(place, entry.fault);
  EntryReader reader(archive_.get(), entry.index, place);
  std::vector<std::byte> front(entry.header->bytes);
  reader.read(front);
  // Piece by piece: the declared size is possible, but only what is really there takes memory.
  constexpr std::uint64_t piece = std::uint64_t{1} << 20;
  std::vector<std::byte> values;
  while (values.size() < entry.header->valueBytes) {
    const std::size_t done = values.size();
    values.resize(done + std::min(piece, entry.header->valueBytes - done));
    if (reader.read(std::span(values).subspan(done)) != values.size() - done)
      fail(place, fmt::format("the array ends early: the archive declares {} bytes",
                              entry.header->bytes + entry.header->valueBytes));
  }
  // Reading up to the end compares the checksum too.
  std::byte more{};
  if (reader.read({&more, 1}) != 0)
    fail(place, fmt::format("more than the {} bytes follow that the archive declares",
                            entry.header->bytes + entry.header->valueBytes));
  return makeNpyArray(*entry.header, std::move(values));
}

} // namespace apr::train
