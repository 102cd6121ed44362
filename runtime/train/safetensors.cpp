// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/safetensors.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/canonical.h"
#include "runtime/train/error.h"
#include "runtime/train/json_text.h"
#include "runtime/train/table_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace apr::train {
namespace {

struct TypeSize {
  const char *name;
  std::uint64_t bits;
};
constexpr std::array<TypeSize, 14> typeSizes = {{{"F64", 64},
                                                 {"F32", 32},
                                                 {"F16", 16},
                                                 {"BF16", 16},
                                                 {"I64", 64},
                                                 {"U64", 64},
                                                 {"I32", 32},
                                                 {"U32", 32},
                                                 {"I16", 16},
                                                 {"U16", 16},
                                                 {"I8", 8},
                                                 {"U8", 8},
                                                 {"BOOL", 8},
                                                 {"F8_E4M3", 8}}};

std::optional<std::uint64_t> byteSize(const std::string &dtype,
                                      const std::vector<std::int64_t> &shape) {
  const auto found = std::find_if(typeSizes.begin(), typeSizes.end(),
                                  [&](const TypeSize &row) { return dtype == row.name; });
  if (found == typeSizes.end())
    return std::nullopt;
  std::uint64_t bytes = found->bits / 8;
  for (std::int64_t size : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
      return std::nullopt;
  return bytes;
}

std::uint64_t elements(const std::vector<std::int64_t> &shape) {
  std::uint64_t count = 1;
  for (std::int64_t size : shape)
    count *= static_cast<std::uint64_t>(size);
  return count;
}

bool isUnsigned(const ParsedJson &value) { return value.is_number_unsigned(); }

/// The header's three facts about one tensor, or nothing where one is missing or mistyped.
std::optional<StoredTensor> declaredTensor(const std::string &name, const ParsedJson &facts) {
  if (!facts.is_object() || !facts.contains("dtype") || !facts["dtype"].is_string() ||
      !facts.contains("shape") || !facts["shape"].is_array() || !facts.contains("data_offsets") ||
      !facts["data_offsets"].is_array() || facts["data_offsets"].size() != 2)
    return std::nullopt;
  const ParsedJson &shape = facts["shape"];
  const ParsedJson &offsets = facts["data_offsets"];
  constexpr std::uint64_t largestSize = std::uint64_t{1} << 62;
  StoredTensor tensor;
  tensor.name = name;
  tensor.dtype = facts["dtype"].get<std::string>();
  for (const ParsedJson &size : shape) {
    if (!isUnsigned(size) || size.get<std::uint64_t>() > largestSize)
      return std::nullopt;
    tensor.shape.push_back(static_cast<std::int64_t>(size.get<std::uint64_t>()));
  }
  if (!isUnsigned(offsets[0]) || !isUnsigned(offsets[1]))
    return std::nullopt;
  tensor.begin = offsets[0].get<std::uint64_t>();
  tensor.end = offsets[1].get<std::uint64_t>();
  return tensor;
}

} // namespace

const char *safetensorsType(std::int32_t dtype) {
  constexpr const char *names[] = {"F32", "F64", "I32", "I64", "BOOL", "U8", "BF16"};
  return names[dtype];
}

void writeSafetensors(const std::string &path, const std::vector<TensorSource> &tensors,
                      const std::map<std::string, std::string> &metadata) {
  Json header = Json::object();
  header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorSource &tensor : tensors) {
    const std::uint64_t bytes = elements(tensor.shape) * elementBytes(tensor.dtype);
    header[tensor.name] = {{"dtype", safetensorsType(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::array<char, 8> length;
  for (std::size_t i = 0; i < 8; ++i)
    length[i] = static_cast<char>(text.size() >> (8 * i));
  AtomicFile file(path);
  file.write(length.data(), length.size());
  file.write(text);
  for (const TensorSource &tensor : tensors)
    forCanonicalBytes(tensor.values, tensor.dtype, elements(tensor.shape),
                      [&](const std::byte *bytes, std::size_t size) { file.write(bytes, size); });
  file.commit();
}

SafetensorsFile SafetensorsFile::open(const std::string &path) {
  // Opening a pipe would wait for a writer; it is refused below, as no regular file.
  int descriptor;
  do
    descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0)
    throw Error(ErrorKind::Data, {path},
                fmt::format("cannot read the file: {}", std::strerror(errno)));
  SafetensorsFile file(path, descriptor);
  file.readHeader();
  return file;
}

SafetensorsFile::SafetensorsFile(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

SafetensorsFile::SafetensorsFile(SafetensorsFile &&other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)),
      tensors_(std::move(other.tensors_)), metadata_(std::move(other.metadata_)) {}

SafetensorsFile &SafetensorsFile::operator=(SafetensorsFile &&other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(tensors_, other.tensors_);
  std::swap(metadata_, other.metadata_);
  return *this;
}

SafetensorsFile::~SafetensorsFile() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void SafetensorsFile::fail(const std::string &message) const {
  throw Error(ErrorKind::Data, {path_}, message);
}

void SafetensorsFile::readAt(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      fail(fmt::format("cannot read the file: {}", std::strerror(errno)));
    if (got == 0)
      fail(fmt::format("the file ends at byte {}, {} bytes early", offset, to.size()));
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

void SafetensorsFile::readHeader() {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0 || !S_ISREG(info.st_mode))
    fail("cannot read the file: it is not a regular file");
  const auto fileSize = static_cast<std::uint64_t>(info.st_size);
  if (fileSize < 8)
    fail(fmt::format("the file has {} bytes; a safetensors file has at least 8", fileSize));
  std::array<std::byte, 8> length;
  readAt(0, length);
  std::uint64_t headerSize = 0;
  for (std::size_t i = 0; i < 8; ++i)
    headerSize |= std::to_integer<std::uint64_t>(length[i]) << (8 * i);
  if (headerSize > fileSize - 8)
    fail(fmt::format("the header claims {} bytes, the file has {} after its length", headerSize,
                     fileSize - 8));
  constexpr std::uint64_t largestHeader = 100'000'000;
  if (headerSize > largestHeader)
    fail(fmt::format("the header claims {} bytes, at most {} are read", headerSize, largestHeader));
  std::string text(headerSize, '\0');
  readAt(8, std::as_writable_bytes(std::span(text.data(), text.size())));
  parseHeader(text, 8 + headerSize, fileSize);
  checkLayout(8 + headerSize, fileSize);
}

void SafetensorsFile::parseHeader(const std::string &text, std::uint64_t dataBegin,
                                  std::uint64_t fileSize) {
  if (text.empty() || text.front() != '{')
    fail("this is not a safetensors file: its header does not begin with {");
  const ParsedJson header = parseJson(text, path_ + " (header)");
  const std::uint64_t dataSize = fileSize - dataBegin;
  for (const auto &[name, facts] : header.items()) {
    if (name == "__metadata__") {
      if (!facts.is_object())
        fail("the header's __metadata__ is not an object of strings");
      for (const auto &[key, value] : facts.items()) {
        if (!value.is_string())
          fail(fmt::format("the header's metadata {} is not a string", inQuotes(key)));
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    auto tensor = declaredTensor(name, facts);
    if (!tensor)
      fail(fmt::format("tensor {}: the header gives no valid dtype, shape and data_offsets",
                       inQuotes(name)));
    const auto bytes = byteSize(tensor->dtype, tensor->shape);
    if (!bytes)
      fail(fmt::format("tensor {}: unknown dtype {} or too large a shape [{}]", inQuotes(name),
                       inQuotes(tensor->dtype), fmt::join(tensor->shape, ", ")));
    if (tensor->begin > tensor->end || tensor->end > dataSize)
      fail(fmt::format("tensor {}: data_offsets [{}, {}] do not lie in the file's {} data bytes",
                       inQuotes(name), tensor->begin, tensor->end, dataSize));
    if (tensor->end - tensor->begin != *bytes)
      fail(fmt::format("tensor {}: {}[{}] takes {} bytes, data_offsets span {}", inQuotes(name),
                       tensor->dtype, fmt::join(tensor->shape, ", "), *bytes,
                       tensor->end - tensor->begin));
    tensor->begin += dataBegin;
    tensor->end += dataBegin;
    tensors_.push_back(std::move(*tensor));
  }
}

void SafetensorsFile::checkLayout(std::uint64_t dataBegin, std::uint64_t fileSize) const {
  std::vector<const StoredTensor *> ordered;
  for (const StoredTensor &tensor : tensors_)
    ordered.push_back(&tensor);
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto *a, const auto *b) {
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
  });
  std::uint64_t expected = dataBegin;
  for (const StoredTensor *tensor : ordered) {
    if (tensor->begin != expected)
      fail(fmt::format("tensor {}: its data {} byte {} of the file", inQuotes(tensor->name),
                       tensor->begin < expected ? "overlaps another tensor's at"
                                                : "leaves a gap before",
                       tensor->begin));
    expected = tensor->end;
  }
  if (expected != fileSize)
    fail(fmt::format("{} bytes follow the last tensor's data", fileSize - expected));
}

const StoredTensor *SafetensorsFile::find(const std::string &name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const StoredTensor &tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

void SafetensorsFile::read(const StoredTensor &tensor, std::span<std::byte> to) const {
  if (to.size() != tensor.end - tensor.begin)
    fail(fmt::format("tensor {}: {} bytes are stored, {} were asked for", inQuotes(tensor.name),
                     tensor.end - tensor.begin, to.size()));
  readAt(tensor.begin, to);
}

} // namespace apr::train
