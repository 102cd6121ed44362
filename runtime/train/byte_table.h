// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/columns.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// How the bytes of a data file make rows.
enum class DataFormat {
  Auto, ///< by the file's name and first bytes; a CSV table where nothing else fits
  Csv,
  Idx,      ///< the format of MNIST: unsigned bytes with their dimensions in front
  Cifar10,  ///< records of a class and 3 x 32 x 32 bytes, plane by plane
  Cifar100, ///< the same with a coarse class before the fine one
  Text,     ///< windows of a text, a symbol per column
  Npy       ///< an array of NumPy (.npy) or an archive of them (.npz)
};

/// Settings of the formats that are no tables of text.
struct ByteFormat {
  DataFormat format = DataFormat::Auto;
  std::string labels;                    ///< Idx: the file of classes that belongs to the images
  std::size_t window = 0;                ///< Text: symbols that an input takes
  std::size_t stride = 0;                ///< Text: symbols between windows; 0 is the window
  std::vector<std::uint64_t> vocabulary; ///< Text: the bytes by symbol; empty: those of the text
};

/// A table whose fields are bytes. Its columns are
/// - Idx: `pixel_1` … in the file's order, then `label` where a file of labels is given;
/// - Cifar: `pixel_1` … row by row with the channels red, green, blue of a pixel side by side, then
///   `coarse_label` (Cifar100) and `label`;
/// - Text: `symbol_1` … one more than the window, so that what follows each symbol is there too.
class ByteTable {
public:
  /// Reads the contents of a file and of the file of labels that the format names; what is gzip is
  /// unpacked already. Everything malformed is an `Error` of kind Data; sizes that are declared are
  /// compared with the bytes that are there before anything is made of them.
  static ByteTable parse(const std::string &path, std::string_view content, std::string_view labels,
                         const ByteFormat &format);

  /// Several tables with the same columns as one: the rows of the first, then those of the next.
  /// Errors are of kind Data; texts must be of one vocabulary.
  static ByteTable joined(std::vector<ByteTable> tables);

  const std::string &file() const { return file_; }
  std::size_t rows() const { return rows_; }
  std::size_t columnCount() const { return names_.size(); }
  const std::vector<std::string> &names() const { return names_; }
  /// Text: the byte of each symbol, ascending unless the settings gave them.
  const std::vector<std::uint64_t> &vocabulary() const { return vocabulary_; }

  std::uint8_t at(std::size_t row, std::size_t column) const {
    return values_[(starts_.empty() ? row * rowStep_ : starts_[row]) + column];
  }
  /// Which of the files that make the table a row comes from.
  std::size_t shardOf(std::size_t row) const;

private:
  void readIdx(std::string_view images, std::string_view labels, const std::string &labelFile);
  void readCifar(std::string_view content, DataFormat format);
  void readText(std::string_view content, const ByteFormat &format);

  std::string file_;
  std::vector<std::string> names_;
  std::vector<std::uint8_t> values_;
  std::size_t rows_ = 0;
  std::size_t rowStep_ = 0;         ///< less than a row where windows overlap
  std::vector<std::size_t> starts_; ///< of the rows, where files are joined
  std::vector<std::size_t> ends_;   ///< the number of rows up to the end of each of these files
  std::vector<std::uint64_t> vocabulary_;
};

/// What a file of these contents, unpacked, is: the format asked for, or the one found.
DataFormat detectFormat(const std::string &path, std::string_view content,
                        const ByteFormat &format);

/// The vocabulary of texts: the bytes that occur in any of them, ascending.
std::vector<std::uint64_t> vocabularyOf(const std::vector<std::string> &texts);

} // namespace apr::train
