// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/error.h"
#include "runtime/train/npy.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <memory>

namespace apr::train {
namespace {

struct CloseArchive {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t *entry) const { zip_fclose(entry); }
};

[[noreturn]] void fail(const std::string &file, const std::string &message) {
  throw Error(ErrorKind::Data, {file}, message);
}

std::unique_ptr<zip_t, CloseArchive> openArchive(const std::string &path) {
  int code = 0;
  std::unique_ptr<zip_t, CloseArchive> archive(
      zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (archive)
    return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string cause = zip_error_strerror(&error);
  zip_error_fini(&error);
  fail(path, fmt::format("the archive cannot be read: {}", cause));
}

/// Reads an entry piece by piece: the size that the archive declares is only a hope.
std::string contentOf(zip_t *archive, zip_uint64_t index, const std::string &place,
                      std::uint64_t most) {
  const std::unique_ptr<zip_file_t, CloseEntry> entry(zip_fopen_index(archive, index, 0));
  if (!entry)
    fail(place, fmt::format("the array cannot be read: {}", zip_strerror(archive)));
  std::string content;
  char block[1 << 16];
  while (true) {
    const zip_int64_t count = zip_fread(entry.get(), block, sizeof block);
    if (count < 0)
      fail(place, fmt::format("the array is damaged: {}", zip_file_strerror(entry.get())));
    if (count == 0)
      return content;
    if (static_cast<std::uint64_t>(count) > most - content.size())
      fail(place, fmt::format("the archive holds more than {} bytes when decompressed", most));
    content.append(block, static_cast<std::size_t>(count));
  }
}

} // namespace

std::vector<NamedArray> readNpz(const std::string &path, std::uint64_t largest) {
  const auto archive = openArchive(path);
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  std::vector<NamedArray> arrays;
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char *entry = zip_get_name(archive.get(), index, 0);
    std::string name = entry ? entry : "";
    const std::string place = fmt::format("{}({})", path, inQuotes(name));
    if (!name.ends_with(".npy"))
      fail(place, "the entry is no array: names of arrays end in .npy");
    name.resize(name.size() - 4);
    if (std::any_of(arrays.begin(), arrays.end(),
                    [&](const NamedArray &array) { return array.name == name; }))
      fail(place, "the archive holds this array twice");
    const std::string content = contentOf(archive.get(), index, place, largest);
    largest -= content.size();
    arrays.push_back({std::move(name), parseNpy(content, place)});
  }
  if (arrays.empty())
    fail(path, "the archive holds no array");
  return arrays;
}

} // namespace apr::train
