// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

enum class Header {
  Detect, ///< the first record is a header where none of its fields is a number
  Present,
  Absent
};

/// How a delimited text file is written.
struct CsvFormat {
  char delimiter = ',';
  Header header = Header::Detect;
  std::size_t skippedLines = 0; ///< lines before the table begins
};

/// One field of a record, pointing into the file's text. Quotes are already stripped; doubled
/// quotes inside are still doubled where `escaped`.
struct CsvField {
  std::string_view text;
  bool isEscaped = false;
};

/// The field's value, doubled quotes made single.
std::string value(const CsvField &field);

/// A table of delimited text (RFC 4180): UTF-8 with or without a byte order mark, lines ended by LF
/// or CRLF, quoted fields that may hold delimiters, line ends and doubled quotes. Empty lines
/// between records are skipped. Everything else is an `Error` of kind Data with file, line and
/// column: NUL bytes, invalid UTF-8, ragged records, stray and unterminated quotes, lone carriage
/// returns, more than a million columns. Beside the text it keeps one record's fields.
class CsvTable {
public:
  static CsvTable parse(std::string name, std::string text, const CsvFormat &format);

  const std::string &file() const { return name_; }
  const std::string &text() const { return text_; }
  /// Column names; empty where the table has no header.
  const std::vector<std::string> &names() const { return names_; }
  std::size_t columnCount() const { return columnCount_; }

  /// Moves to the next record and returns its `columnCount()` fields, or null after the last one.
  /// The fields stay valid until the next call.
  const std::vector<CsvField> *next();
  /// The byte offset at which the record last returned begins.
  std::size_t recordOffset() const { return recordOffset_; }

  /// The place of a byte of the text.
  Place place(std::size_t offset) const;
  Place place(const CsvField &field) const;
  /// Reads again the record that begins at `offset`, to say where one of its fields stands.
  Place fieldPlace(std::size_t recordOffset, std::size_t column) const;

private:
  CsvTable(std::string name, std::string text, const CsvFormat &format);
  void checkEncoding() const;
  void skipLines(std::size_t count);
  void readHeader(Header header);
  /// Splits one record; false at the end of the text.
  bool split(std::size_t &cursor, std::vector<CsvField> &fields) const;
  std::size_t quotedField(std::size_t open, CsvField &field) const;
  [[noreturn]] void fail(std::size_t offset, const std::string &message) const;

  std::string name_;
  std::string text_;
  char delimiter_;
  std::array<bool, 256> endsField_{}; ///< bytes at which an unquoted field may end
  std::vector<std::string> names_;
  std::size_t columnCount_ = 0;
  std::size_t firstRecord_ = 0;
  std::size_t cursor_ = 0;
  std::size_t recordOffset_ = 0;
  std::size_t records_ = 0;
  std::vector<CsvField> fields_;
};

} // namespace apr::train
