// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/csv.h"

#include "runtime/train/number.h"
#include "runtime/train/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace apr::train {
namespace {

/// A field takes more memory than the delimiter that makes it, so their number has an end.
constexpr std::size_t mostColumns = std::size_t{1} << 20;

bool isNumber(const CsvField &field) {
  double ignored = 0;
  return !field.isEscaped && parseNumber(field.text, ignored) == NumberFault::None;
}

} // namespace

std::string value(const CsvField &field) {
  std::string result(field.text);
  if (!field.isEscaped)
    return result;
  std::size_t written = 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[written++] = result[i];
    if (result[i] == '"')
      ++i;
  }
  result.resize(written);
  return result;
}

CsvTable CsvTable::parse(std::string name, std::string text, const CsvFormat &format) {
  return CsvTable(std::move(name), std::move(text), format);
}

CsvTable::CsvTable(std::string name, std::string text, const CsvFormat &format)
    : name_(std::move(name)), text_(std::move(text)), delimiter_(format.delimiter) {
  for (char c : {delimiter_, '\n', '\r', '"'})
    endsField_[static_cast<unsigned char>(c)] = true;
  checkEncoding();
  if (text_.starts_with("\xEF\xBB\xBF"))
    cursor_ = 3;
  skipLines(format.skippedLines);
  readHeader(format.header);
}

void CsvTable::fail(std::size_t offset, const std::string &message) const {
  throw Error(ErrorKind::Data, place(offset), message);
}

void CsvTable::checkEncoding() const {
  if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF"))
    fail(0, "the file is UTF-16 text, expected UTF-8");
  const TextFault fault = findTextFault(text_);
  if (fault.kind == TextFaultKind::Nul)
    fail(fault.offset, "found a NUL byte; this is not a text file");
  if (fault.kind == TextFaultKind::InvalidUtf8)
    fail(fault.offset, fmt::format("found the byte 0x{:02x}, which is not valid UTF-8",
                                   static_cast<unsigned char>(text_[fault.offset])));
}

void CsvTable::skipLines(std::size_t count) {
  for (std::size_t line = 0; line < count; ++line) {
    const auto end = text_.find('\n', cursor_);
    if (end == std::string::npos)
      fail(text_.size(),
           fmt::format("the file has no more than {} lines, all of them skipped", line + 1));
    cursor_ = end + 1;
  }
}

void CsvTable::readHeader(Header header) {
  std::size_t cursor = cursor_;
  if (!split(cursor, fields_))
    fail(text_.size(), "the file has no records");
  columnCount_ = fields_.size();
  if (header == Header::Detect)
    header =
        std::none_of(fields_.begin(), fields_.end(), isNumber) ? Header::Present : Header::Absent;
  if (header == Header::Absent)
    return;
  cursor_ = cursor;
  std::unordered_set<std::string> seen;
  for (const CsvField &field : fields_) {
    std::string name = value(field);
    if (name.empty())
      throw Error(ErrorKind::Data, place(field),
                  fmt::format("the header does not name column {}", names_.size() + 1));
    if (!seen.insert(name).second)
      throw Error(ErrorKind::Data, place(field),
                  fmt::format("the header names two columns {}", inQuotes(name)));
    names_.push_back(std::move(name));
  }
}

const std::vector<CsvField> *CsvTable::next() {
  if (!split(cursor_, fields_))
    return nullptr;
  recordOffset_ = static_cast<std::size_t>(fields_.front().text.data() - text_.data());
  if (recordOffset_ > 0 && text_[recordOffset_ - 1] == '"')
    --recordOffset_;
  ++records_;
  if (fields_.size() != columnCount_)
    fail(recordOffset_,
         fmt::format("the record has {} field{}, expected {} as in the first record{}",
                     fields_.size(), fields_.size() == 1 ? "" : "s", columnCount_,
                     records_ <= 2 ? "; lines before the table are left out by --skip" : ""));
  return &fields_;
}

bool CsvTable::split(std::size_t &cursor, std::vector<CsvField> &fields) const {
  const char *text = text_.data();
  const std::size_t size = text_.size();
  while (cursor < size && (text[cursor] == '\n' ||
                           (text[cursor] == '\r' && cursor + 1 < size && text[cursor + 1] == '\n')))
    ++cursor;
  if (cursor == size)
    return false;
  std::size_t count = 0;
  while (true) {
    // The fields of the record before are written over: as a rule there are as many again.
    if (count == fields.size()) {
      if (count == mostColumns)
        fail(cursor, fmt::format("the record has more than {} fields", mostColumns));
      fields.emplace_back();
    }
    CsvField &field = fields[count++];
    std::size_t end = cursor;
    if (end < size && text[end] == '"') {
      end = quotedField(end, field);
    } else {
      while (end < size && !endsField_[static_cast<unsigned char>(text[end])])
        ++end;
      field = {{text + cursor, end - cursor}, false};
    }
    if (end < size && text[end] == delimiter_) {
      cursor = end + 1;
      continue;
    }
    if (end < size && text[end] == '"')
      fail(end, "found a quote inside a field that does not begin with one");
    if (end == size || text[end] == '\n') {
      fields.resize(count);
      cursor = end + (end == size ? 0 : 1);
      return true;
    }
    if (text[end] == '\r' && end + 1 < size && text[end + 1] == '\n')
      ++end;
    if (text[end] == '\n') {
      fields.resize(count);
      cursor = end + 1;
      return true;
    }
    fail(end, text[end] == '\r' ? "found a carriage return that does not end a line"
                                : "found text after the quote that closes the field");
  }
}

std::size_t CsvTable::quotedField(std::size_t open, CsvField &field) const {
  std::size_t close = open + 1;
  field.isEscaped = false;
  while (true) {
    close = text_.find('"', close);
    if (close == std::string::npos)
      fail(open, "the quote that opens this field is never closed");
    if (close + 1 == text_.size() || text_[close + 1] != '"')
      break;
    field.isEscaped = true;
    close += 2;
  }
  field.text = {text_.data() + open + 1, close - open - 1};
  return close + 1;
}

Place CsvTable::place(std::size_t offset) const {
  const std::string_view before = std::string_view(text_).substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto lineStart = before.rfind('\n');
  const std::size_t start = lineStart == std::string_view::npos ? 0 : lineStart + 1;
  return {name_, static_cast<std::size_t>(lines) + 1, before.size() - start + 1};
}

Place CsvTable::place(const CsvField &field) const {
  return place(static_cast<std::size_t>(field.text.data() - text_.data()));
}

Place CsvTable::fieldPlace(std::size_t recordOffset, std::size_t column) const {
  std::vector<CsvField> fields;
  std::size_t cursor = recordOffset;
  if (!split(cursor, fields) || column >= fields.size())
    return place(recordOffset);
  return place(fields[column]);
}

} // namespace apr::train
