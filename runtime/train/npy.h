// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace apr::train {

/// What an element of an NPY file is.
enum class NpyType { Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, F32, F64 };

std::size_t elementBytes(NpyType type);
/// The type in NumPy's words: "float32" …
const char *name(NpyType type);

/// An element, exactly: a float of any width, a signed or an unsigned integer (booleans are 0 or
/// 1).
using NpyNumber = std::variant<double, std::int64_t, std::uint64_t>;

/// An array of an NPY file: row-major, in the byte order of this machine, whatever the file had.
struct NpyArray {
  NpyType type = NpyType::F64;
  std::vector<std::uint64_t> shape;
  std::vector<std::byte> values;

  NpyNumber number(std::uint64_t element) const;
};

/// What stands in front of the values of an NPY file.
struct NpyHeader {
  NpyType type = NpyType::F64;
  bool isSwapped = false; ///< the bytes of an element stand the other way round
  bool isFortran = false; ///< the first axis varies fastest
  std::vector<std::uint64_t> shape;
  std::size_t bytes = 0;        ///< of the header itself
  std::uint64_t valueBytes = 0; ///< of the values that follow

  /// Elements of one item along the first axis; an array without axes is one item.
  std::uint64_t itemElements() const;
  std::uint64_t items() const { return shape.empty() ? 1 : shape.front(); }
};

/// The most bytes that tell how long a header is.
constexpr std::size_t npyFrontBytes = 12;

/// The bytes of the header of a file that begins with `front`, at most `npyFrontBytes` of it, and
/// has `fileBytes`.
std::size_t npyHeaderBytes(std::string_view front, std::uint64_t fileBytes,
                           const std::string &file);

/// Reads the header of a file of `fileBytes` that begins with `content`. Everything malformed, and
/// types that are no numbers, are an `Error` of kind Data at `file`; the size that the shape
/// declares is compared with the bytes that follow.
NpyHeader parseNpyHeader(std::string_view content, std::uint64_t fileBytes,
                         const std::string &file);

/// The array of a header and the bytes that follow it, `valueBytes` of them.
NpyArray makeNpyArray(const NpyHeader &header, std::vector<std::byte> values);

/// Reads the NPY format, versions 1 to 3 (numpy.lib.format).
NpyArray parseNpy(std::string_view content, const std::string &file);

/// The header, version 1, of a little-endian array: what stands in a file before its values.
std::string npyHeader(NpyType type, const std::vector<std::uint64_t> &shape);

} // namespace apr::train
