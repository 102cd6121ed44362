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

  /// Elements of one item along the first axis; an array without axes is one item.
  std::uint64_t itemElements() const;
  std::uint64_t items() const { return shape.empty() ? 1 : shape.front(); }
  NpyNumber number(std::uint64_t element) const;
};

/// Reads the NPY format, versions 1 to 3 (numpy.lib.format). Everything malformed, and types that
/// are no numbers, are an `Error` of kind Data at `file`; the size it declares is compared with the
/// bytes that follow before anything is made of it.
NpyArray parseNpy(std::string_view content, const std::string &file);

/// The header, version 1, of a little-endian array: what stands in a file before its values.
std::string npyHeader(NpyType type, const std::vector<std::uint64_t> &shape);

/// An array of an NPZ file, a zip archive of NPY files.
struct NamedArray {
  std::string name; ///< without ".npy"
  NpyArray array;
};

/// Reads all arrays of an NPZ file in the archive's order. Errors are of kind Data and name file
/// and array: a damaged archive, a name twice, contents beyond `largest` bytes.
std::vector<NamedArray> readNpz(const std::string &path, std::uint64_t largest);

} // namespace apr::train
