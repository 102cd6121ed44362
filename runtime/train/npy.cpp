// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/npy.h"

#include "runtime/train/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace apr::train {
namespace {

using namespace std::string_view_literals;

static_assert(std::endian::native == std::endian::little);

struct TypeInfo {
  NpyType type;
  const char *code; ///< kind and bytes, as in a header
  std::size_t bytes;
  const char *name;
};

constexpr std::array<TypeInfo, 12> typeInfos = {{
    {NpyType::Bool, "b1", 1, "bool"},
    {NpyType::I8, "i1", 1, "int8"},
    {NpyType::I16, "i2", 2, "int16"},
    {NpyType::I32, "i4", 4, "int32"},
    {NpyType::I64, "i8", 8, "int64"},
    {NpyType::U8, "u1", 1, "uint8"},
    {NpyType::U16, "u2", 2, "uint16"},
    {NpyType::U32, "u4", 4, "uint32"},
    {NpyType::U64, "u8", 8, "uint64"},
    {NpyType::F16, "f2", 2, "float16"},
    {NpyType::F32, "f4", 4, "float32"},
    {NpyType::F64, "f8", 8, "float64"},
}};

const TypeInfo &info(NpyType type) { return typeInfos[static_cast<std::size_t>(type)]; }

constexpr std::string_view magic = "\x93NUMPY"sv;
constexpr std::size_t mostAxes = 32; // NumPy's own limit
constexpr std::size_t largestHeader = std::size_t{1} << 20;

/// What the dictionary in front of the values says.
struct Dictionary {
  std::string descr;
  bool isFortran = false;
  std::vector<std::uint64_t> shape;
};

/// Reads the literal of a Python dictionary, as far as NPY headers go.
class HeaderReader {
public:
  HeaderReader(std::string_view text, const std::string &file) : text_(text), file_(file) {}

  Dictionary read() {
    Dictionary header;
    bool hasDescr = false;
    bool hasOrder = false;
    bool hasShape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !hasDescr) {
        if (peek() == '[')
          fail("records of several fields cannot be read; store each field as its own array");
        header.descr = quoted();
        hasDescr = true;
      } else if (key == "fortran_order" && !hasOrder) {
        header.isFortran = boolean();
        hasOrder = true;
      } else if (key == "shape" && !hasShape) {
        header.shape = tuple();
        hasShape = true;
      } else {
        fail(fmt::format("the header has an unknown or second key {}", inQuotes(key)));
      }
      if (!accept(',') && peek() != '}')
        fail("the header lacks a comma or brace after a value");
    }
    if (!hasDescr || !hasOrder || !hasShape)
      fail("the header lacks one of descr, fortran_order and shape");
    if (peek() != 0)
      fail("something stands behind the header's dictionary");
    return header;
  }

private:
  [[noreturn]] void fail(const std::string &message) const {
    throw Error(ErrorKind::Data, {file_}, message);
  }

  char peek() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n'))
      text_.remove_prefix(1);
    return text_.empty() ? '\0' : text_.front();
  }
  bool accept(char c) {
    if (peek() != c || text_.empty())
      return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      fail(fmt::format("the header is no dictionary: expected '{}' before {}", c,
                       inQuotes(text_.substr(0, 12))));
  }

  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"')
      fail(fmt::format("the header lacks a quoted word before {}", inQuotes(text_.substr(0, 12))));
    text_.remove_prefix(1);
    const auto end = text_.find(quote);
    if (end == text_.npos)
      fail("a word of the header does not end");
    std::string word(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return word;
  }

  bool boolean() {
    peek();
    for (const auto &[word, value] : {std::pair{"True"sv, true}, std::pair{"False"sv, false}})
      if (text_.starts_with(word)) {
        text_.remove_prefix(word.size());
        return value;
      }
    fail("fortran_order is neither True nor False");
  }

  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> sizes;
    expect('(');
    while (!accept(')')) {
      peek();
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (error != std::errc{})
        fail(fmt::format("the shape has no size before {}", inQuotes(text_.substr(0, 12))));
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      accept('L'); // Python 2 wrote long integers so
      if (sizes.size() == mostAxes)
        fail(fmt::format("the shape has more than {} axes", mostAxes));
      sizes.push_back(size);
      if (!accept(',') && peek() != ')')
        fail("the shape lacks a comma or bracket after a size");
    }
    return sizes;
  }

  std::string_view text_;
  const std::string &file_;
};

/// The type of a header, and whether its bytes stand the other way round.
std::optional<std::pair<NpyType, bool>> typeOf(std::string_view descr) {
  if (descr.size() != 3)
    return std::nullopt;
  const char order = descr[0];
  for (const TypeInfo &candidate : typeInfos)
    if (descr.substr(1) == candidate.code) {
      const bool isOneByte = candidate.bytes == 1;
      if (order == '<' || order == '=' || (isOneByte && (order == '|' || order == '>')))
        return std::pair{candidate.type, false};
      if (order == '>')
        return std::pair{candidate.type, true};
    }
  return std::nullopt;
}

/// Elements of all axes, or nothing where their bytes are more than there are. What an item would
/// have stays bounded where there are none.
std::optional<std::uint64_t> elementsWithin(const std::vector<std::uint64_t> &shape,
                                            std::uint64_t most) {
  constexpr std::uint64_t mostOfNothing = std::uint64_t{1} << 40;
  const bool isEmpty = std::find(shape.begin(), shape.end(), 0u) != shape.end();
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) {
    if (size == 0)
      continue;
    if (count > (isEmpty ? mostOfNothing : most) / size)
      return std::nullopt;
    count *= size;
  }
  return isEmpty ? 0 : count;
}

/// The values, whose first axis varies fastest, as the last one does.
std::vector<std::byte> rowMajor(const std::vector<std::uint64_t> &shape, std::size_t bytes,
                                const std::vector<std::byte> &from) {
  const std::size_t rank = shape.size();
  std::vector<std::size_t> strides(rank);
  std::size_t stride = bytes;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  std::vector<std::byte> to(from.size());
  std::vector<std::uint64_t> index(rank, 0);
  std::size_t offset = 0;
  for (std::size_t done = 0; done < from.size(); done += bytes) {
    std::memcpy(to.data() + done, from.data() + offset, bytes);
    for (std::size_t axis = rank; axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis])
        break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return to;
}

void swapBytes(std::vector<std::byte> &values, std::size_t bytes) {
  for (std::size_t i = 0; i < values.size(); i += bytes)
    std::reverse(values.begin() + static_cast<std::ptrdiff_t>(i),
                 values.begin() + static_cast<std::ptrdiff_t>(i + bytes));
}

template <class T> T load(const std::vector<std::byte> &values, std::uint64_t element) {
  T value;
  std::memcpy(&value, values.data() + element * sizeof value, sizeof value);
  return value;
}

double halfValue(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double magnitude = exponent == 31  ? (fraction ? std::numeric_limits<double>::quiet_NaN()
                                                       : std::numeric_limits<double>::infinity())
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

} // namespace

std::size_t elementBytes(NpyType type) { return info(type).bytes; }

const char *name(NpyType type) { return info(type).name; }

std::uint64_t NpyHeader::itemElements() const {
  std::uint64_t count = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis)
    count *= shape[axis];
  return count;
}

NpyNumber NpyArray::number(std::uint64_t element) const {
  switch (type) {
  case NpyType::F16:
    return halfValue(load<std::uint16_t>(values, element));
  case NpyType::F32:
    return static_cast<double>(load<float>(values, element));
  case NpyType::F64:
    return load<double>(values, element);
  case NpyType::I8:
    return std::int64_t{load<std::int8_t>(values, element)};
  case NpyType::I16:
    return std::int64_t{load<std::int16_t>(values, element)};
  case NpyType::I32:
    return std::int64_t{load<std::int32_t>(values, element)};
  case NpyType::I64:
    return load<std::int64_t>(values, element);
  case NpyType::U16:
    return std::uint64_t{load<std::uint16_t>(values, element)};
  case NpyType::U32:
    return std::uint64_t{load<std::uint32_t>(values, element)};
  case NpyType::U64:
    return load<std::uint64_t>(values, element);
  case NpyType::Bool:
  case NpyType::U8:
    break;
  }
  return std::uint64_t{load<std::uint8_t>(values, element)};
}

std::size_t npyHeaderBytes(std::string_view front, std::uint64_t fileBytes,
                           const std::string &file) {
  const auto fail = [&](const std::string &message) {
    throw Error(ErrorKind::Data, {file}, message);
  };
  if (!front.starts_with(magic) || front.size() < 10)
    fail("this is no NPY file: it must begin with the bytes \\x93NUMPY and a version");
  const int version = static_cast<std::uint8_t>(front[6]);
  if (version < 1 || version > 3)
    fail(fmt::format("version {} of the NPY format is unknown, expected 1, 2 or 3", version));
  const std::size_t lengthBytes = version == 1 ? 2 : 4;
  if (front.size() < 8 + lengthBytes)
    fail("the file ends within its header");
  std::uint32_t length = 0;
  std::memcpy(&length, front.data() + 8, lengthBytes);
  const std::size_t before = 8 + lengthBytes;
  if (length > fileBytes - before)
    fail(fmt::format("the file declares a header of {} bytes but has only {} more", length,
                     fileBytes - before));
  if (length > largestHeader)
    fail(fmt::format("the file declares a header of {} bytes, expected at most {}", length,
                     largestHeader));
  return before + length;
}

NpyHeader parseNpyHeader(std::string_view content, std::uint64_t fileBytes,
                         const std::string &file) {
  const auto fail = [&](const std::string &message) {
    throw Error(ErrorKind::Data, {file}, message);
  };
  const std::string_view front = content.substr(0, npyFrontBytes);
  NpyHeader header;
  header.bytes = npyHeaderBytes(front, fileBytes, file);
  const std::size_t before = front[6] == 1 ? 10 : 12;
  const std::string_view text = content.substr(before, header.bytes - before);
  const Dictionary dictionary = HeaderReader(text, file).read();
  const auto found = typeOf(dictionary.descr);
  if (!found)
    fail(fmt::format("cannot read elements of type {}, expected booleans, integers or floats of "
                     "16 to 64 bits",
                     inQuotes(dictionary.descr)));
  header.type = found->first;
  header.isSwapped = found->second;
  header.isFortran = dictionary.isFortran;
  header.shape = dictionary.shape;
  header.valueBytes = fileBytes - header.bytes;
  const std::size_t bytes = elementBytes(header.type);
  const auto elements = elementsWithin(header.shape, header.valueBytes / bytes);
  if (!elements || *elements * bytes != header.valueBytes)
    fail(fmt::format("the file declares the shape ({}) of {}, but {} bytes of values follow",
                     fmt::join(header.shape, ", "), name(header.type), header.valueBytes));
  return header;
}

NpyArray makeNpyArray(const NpyHeader &header, std::vector<std::byte> values) {
  const std::size_t bytes = elementBytes(header.type);
  if (header.isFortran && header.shape.size() > 1)
    values = rowMajor(header.shape, bytes, values);
  if (header.isSwapped)
    swapBytes(values, bytes);
  return {header.type, header.shape, std::move(values)};
}

NpyArray parseNpy(std::string_view content, const std::string &file) {
  const NpyHeader header = parseNpyHeader(content, content.size(), file);
  const auto values = std::as_bytes(std::span(content.substr(header.bytes)));
  return makeNpyArray(header, {values.begin(), values.end()});
}

std::string npyHeader(NpyType type, const std::vector<std::uint64_t> &shape) {
  const char order = elementBytes(type) == 1 ? '|' : '<';
  std::string text =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", order,
                  info(type).code, fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // The values begin at a multiple of 64 bytes.
  constexpr std::size_t front = 10;
  text.append((64 - (front + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  std::string header(magic);
  header +=
      {'\x01', '\x00', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  return header + text;
}

} // namespace apr::train
