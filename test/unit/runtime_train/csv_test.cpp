// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/csv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace apr::train {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rowsOf(const std::string &text, CsvFormat format = {',', Header::Absent, 0}) {
  CsvTable table = CsvTable::parse("t.csv", text, format);
  Rows rows;
  while (const auto *fields = table.next()) {
    rows.emplace_back();
    for (const CsvField &field : *fields)
      rows.back().push_back(value(field));
  }
  return rows;
}

std::string errorOf(const std::string &text, CsvFormat format = {',', Header::Absent, 0}) {
  try {
    rowsOf(text, format);
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::Data);
    return error.what();
  }
  return "no error";
}

TEST(Csv, ReadsPlainAndQuotedFields) {
  EXPECT_EQ(rowsOf("1,2\n3,4\n"), (Rows{{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(rowsOf("1,2\r\n3,\r\n"), (Rows{{"1", "2"}, {"3", ""}}));
  EXPECT_EQ(rowsOf("\"a,b\",\"c\"\"d\"\n\"e\nf\",\"\"\n"), (Rows{{"a,b", "c\"d"}, {"e\nf", ""}}));
  EXPECT_EQ(rowsOf("1,2"), (Rows{{"1", "2"}}));
  EXPECT_EQ(rowsOf("\xEF\xBB\xBF"
                   "1,2\n\n\r\n3,4\n\n"),
            (Rows{{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(rowsOf("1\t2\n", {'\t', Header::Absent, 0}), (Rows{{"1", "2"}}));
  EXPECT_EQ(rowsOf("# about\nmore\n1,2\n", {',', Header::Absent, 2}), (Rows{{"1", "2"}}));
}

TEST(Csv, DetectsAHeaderByItsLackOfNumbers) {
  const CsvFormat detect;
  EXPECT_EQ(CsvTable::parse("t", "a,b\n1,2\n", detect).names(),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(CsvTable::parse("t", "a,1\n", detect).names().empty());
  EXPECT_EQ(rowsOf("a,b\n1,2\n", detect), (Rows{{"1", "2"}}));
}

TEST(Csv, LocatesMalformedText) {
  EXPECT_EQ(errorOf("1,2\n3\n"),
            "t.csv:2:1: error: the record has 1 field, expected 2 as in the first record; lines "
            "before the table are left out by --skip");
  EXPECT_EQ(errorOf("1,2\n3,4\n3,4,5\n"),
            "t.csv:3:1: error: the record has 3 fields, expected 2 as in the first record");
  EXPECT_EQ(errorOf("1,\"2\n"),
            "t.csv:1:3: error: the quote that opens this field is never closed");
  EXPECT_EQ(errorOf("1,2\"\n"),
            "t.csv:1:4: error: found a quote inside a field that does not begin with one");
  EXPECT_EQ(errorOf("\"1\"2\n"),
            "t.csv:1:4: error: found text after the quote that closes the field");
  EXPECT_EQ(errorOf("1\r2\n"),
            "t.csv:1:2: error: found a carriage return that does not end a line");
  EXPECT_EQ(errorOf(std::string("1,2\n3,\0004\n", 9)),
            "t.csv:2:3: error: found a NUL byte; this is not a text file");
  EXPECT_EQ(errorOf("1,2\n\xff,4\n"),
            "t.csv:2:1: error: found the byte 0xff, which is not valid UTF-8");
  EXPECT_EQ(errorOf("\xff\xfe\x31"), "t.csv:1:1: error: the file is UTF-16 text, expected UTF-8");
  EXPECT_EQ(errorOf(""), "t.csv:1:1: error: the file has no records");
  EXPECT_EQ(errorOf("\n\n"), "t.csv:3:1: error: the file has no records");
  EXPECT_EQ(errorOf("1\n", {',', Header::Absent, 3}),
            "t.csv:2:1: error: the file has no more than 2 lines, all of them skipped");
  EXPECT_EQ(errorOf("a,a\n", {',', Header::Present, 0}),
            "t.csv:1:3: error: the header names two columns \"a\"");
  EXPECT_EQ(errorOf("a,\n", {',', Header::Present, 0}),
            "t.csv:1:3: error: the header does not name column 2");
}

TEST(Csv, RefusesMalformedUtf8) {
  for (const char *bytes : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80",
                            "\xC3", "\xF5\x80\x80\x80"})
    EXPECT_NE(errorOf(std::string("abcdefgh") + bytes).find("not valid UTF-8"), std::string::npos);
  EXPECT_EQ(rowsOf("é,日本,😀\n"), (Rows{{"é", "日本", "😀"}}));
}

TEST(Csv, ForgetsTheFieldsOfTheRecordBefore) {
  // Fields are written over from record to record: nothing of an earlier one may stay.
  EXPECT_EQ(rowsOf("\"a\"\"b\",\"c\"\"d\"\n\"e\",f\n,\"\"\n"),
            (Rows{{"a\"b", "c\"d"}, {"e", "f"}, {"", ""}}));
  CsvTable table = CsvTable::parse("t", "\"a\"\"b\",1\n\"e\",2\n", {',', Header::Absent, 0});
  EXPECT_TRUE(table.next()->front().isEscaped);
  EXPECT_FALSE(table.next()->front().isEscaped);
}

TEST(Csv, BoundsTheNumberOfColumns) {
  const std::string most((1u << 20) - 1, ',');
  EXPECT_EQ(CsvTable::parse("t", most + "\n", {',', Header::Absent, 0}).columnCount(), 1u << 20);
  EXPECT_EQ(errorOf(most + ",\n"),
            "t.csv:1:1048577: error: the record has more than 1048576 fields");
}

TEST(Csv, ReadsHeadersOfManyColumns) {
  std::string header = "c0";
  for (int column = 1; column < 200'000; ++column)
    header += ",c" + std::to_string(column);
  EXPECT_EQ(CsvTable::parse("t", header + "\n", {}).names().size(), 200'000u);
  EXPECT_NE(errorOf(header + ",c7\n", {}).find("the header names two columns \"c7\""),
            std::string::npos);
}

TEST(Csv, ReadsAFieldAsLongAsItsFile) {
  const std::string text = "\"" + std::string(std::size_t{1} << 26, 'x') + "\",1\n";
  EXPECT_EQ(rowsOf(text)[0][0].size(), std::size_t{1} << 26);
  // A quote that is never closed makes one field of all that follows.
  EXPECT_EQ(errorOf("1,\"" + std::string(std::size_t{1} << 26, '\n')),
            "t.csv:1:3: error: the quote that opens this field is never closed");
}

TEST(Csv, TellsWhereAFieldOfAnEarlierRecordStands) {
  CsvTable table = CsvTable::parse("t", "x,y\n\"a\nb\",c\n", {',', Header::Present, 0});
  table.next();
  const Place place = table.fieldPlace(table.recordOffset(), 1);
  EXPECT_EQ(place.line, 3u);
  EXPECT_EQ(place.column, 4u);
}

} // namespace
} // namespace apr::train
