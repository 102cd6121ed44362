// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/byte_loader.h"

#include "runtime/train/gzip.h"

#include <aprt.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace apr::train {
namespace {

using namespace std::string_literals;

class ByteTableTest : public ::testing::Test {
protected:
  void SetUp() override {
    const auto *test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = ::testing::TempDir() + "byte_table_" + test->name();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string &name, const std::string &content) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
    return folder_ + "/" + name;
  }
  std::string writeGzip(const std::string &name, const std::string &content) {
    const std::string path = folder_ + "/" + name;
    gzFile file = gzopen(path.c_str(), "wb");
    EXPECT_EQ(gzwrite(file, content.data(), static_cast<unsigned>(content.size())),
              static_cast<int>(content.size()));
    gzclose(file);
    return path;
  }

private:
  std::string folder_;
};

template <class F> std::string errorOf(F &&action) {
  try {
    action();
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

ByteTable readTable(const std::string &path, const ByteFormat &format) {
  const std::string labels =
      format.labels.empty() ? std::string() : readMaybeCompressed(format.labels);
  return ByteTable::parse(path, readMaybeCompressed(path), labels, format);
}

/// Two images of 1 x 2 pixels.
const std::string images = "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x0a\xff\x00\x07"s;
const std::string labels = "\0\0\x08\x01\0\0\0\x02\x03\x01"s;

TEST_F(ByteTableTest, JoinsImagesAndLabels) {
  ByteFormat format;
  format.labels = write("labels", labels);
  const ByteTable table = readTable(writeGzip("images.gz", images), format);
  ASSERT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.names(), (std::vector<std::string>{"pixel_1", "pixel_2", "label"}));
  EXPECT_EQ(table.at(0, 1), 255);
  EXPECT_EQ(table.at(1, 1), 7);
  EXPECT_EQ(table.at(0, 2), 3);
  EXPECT_EQ(table.at(1, 2), 1);
}

TEST_F(ByteTableTest, JoinsFiles) {
  std::vector<ByteTable> tables;
  tables.push_back(readTable(write("a", images), {}));
  tables.push_back(readTable(write("b", images), {}));
  const ByteTable table = ByteTable::joined(std::move(tables));
  ASSERT_EQ(table.rows(), 4u);
  EXPECT_EQ(table.at(1, 1), 7);
  EXPECT_EQ(table.at(2, 0), 10);
  EXPECT_EQ(table.at(3, 1), 7);
  EXPECT_EQ(table.shardOf(1), 0u);
  EXPECT_EQ(table.shardOf(2), 1u);
  // No window of a text reaches into the next file.
  ByteFormat text;
  text.window = 2;
  text.stride = 1;
  text.vocabulary = vocabularyOf({"abcd", "cax"});
  EXPECT_EQ(text.vocabulary, (std::vector<std::uint64_t>{'a', 'b', 'c', 'd', 'x'}));
  tables.clear();
  tables.push_back(readTable(write("t1", "abcd"), text));
  tables.push_back(readTable(write("t2", "cax"), text));
  const ByteTable texts = ByteTable::joined(std::move(tables));
  ASSERT_EQ(texts.rows(), 3u);
  EXPECT_EQ(texts.at(1, 2), 3);
  EXPECT_EQ(texts.at(2, 0), 2);
  EXPECT_EQ(texts.at(2, 2), 4);
  tables.clear();
  tables.push_back(readTable(write("i", images), {}));
  tables.push_back(readTable(write("l", labels), {}));
  EXPECT_NE(errorOf([&] {
              ByteTable::joined(std::move(tables));
            }).find("the file has 1 columns, pixel_1 to pixel_1, but"),
            std::string::npos);
}

TEST_F(ByteTableTest, RefusesSizesThatTheFileDoesNotHave) {
  std::string huge = images;
  huge.replace(4, 12, "\x7f\xff\xff\xff\x7f\xff\xff\xff\x7f\xff\xff\xff"s);
  EXPECT_NE(errorOf([&] { readTable(write("huge", huge), {}); }).find("cannot fill"),
            std::string::npos);
  EXPECT_NE(errorOf([&] { readTable(write("cut", images.substr(0, 19)), {}); }).find("declares 2"),
            std::string::npos);
  EXPECT_NE(errorOf([&] {
              readTable(write("head", images.substr(0, 9)), {});
            }).find("ends after 9 bytes"),
            std::string::npos);
  std::string floats = images;
  floats[2] = 0x0d;
  ByteFormat idx;
  idx.format = DataFormat::Idx;
  EXPECT_NE(errorOf([&] { readTable(write("floats", floats), idx); }).find("type 0x0d"),
            std::string::npos);
}

TEST_F(ByteTableTest, RefusesLabelsOfOtherImages) {
  ByteFormat format;
  format.labels = write("labels", "\0\0\x08\x01\0\0\0\x03\x03\x01\x02"s);
  EXPECT_NE(errorOf([&] { readTable(write("images", images), format); }).find("found 3 labels"),
            std::string::npos);
}

TEST_F(ByteTableTest, RefusesDamagedArchives) {
  const std::string path = writeGzip("images.gz", std::string(5000, 'x'));
  std::ifstream stream(path, std::ios::binary);
  std::string packed((std::istreambuf_iterator<char>(stream)), {});
  EXPECT_NE(errorOf([&] {
              readMaybeCompressed(write("cut.gz", packed.substr(0, packed.size() / 2)), 1 << 20);
            }).find("middle of its compressed data"),
            std::string::npos);
  packed[packed.size() - 5] ^= 1; // in the checksum
  EXPECT_NE(errorOf([&] { readMaybeCompressed(write("bad.gz", packed), 1 << 20); }).find("damaged"),
            std::string::npos);
  EXPECT_NE(errorOf([&] { readMaybeCompressed(path, 4999); }).find("more than 4999 bytes"),
            std::string::npos);
}

TEST_F(ByteTableTest, JoinsMembersOfAnArchive) {
  const auto read = [](const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(stream)), {});
  };
  const std::string both = read(writeGzip("a.gz", "one ")) + read(writeGzip("b.gz", "two"));
  EXPECT_EQ(readMaybeCompressed(write("ab.gz", both), 100), "one two");
}

TEST_F(ByteTableTest, PutsTheChannelsOfAPixelSideBySide) {
  std::string record(3073, '\0');
  record[0] = 9;
  record[1] = 1;               // red of the first pixel
  record[1 + 1024 + 1] = 2;    // green of the second
  record[1 + 2048 + 1023] = 3; // blue of the last
  const ByteTable table = readTable(write("batch.bin", record), {});
  ASSERT_EQ(table.rows(), 1u);
  EXPECT_EQ(table.at(0, 0), 1);
  EXPECT_EQ(table.at(0, 4), 2);
  EXPECT_EQ(table.at(0, 3071), 3);
  EXPECT_EQ(table.at(0, 3072), 9);
  EXPECT_EQ(table.names().back(), "label");
  EXPECT_NE(errorOf([&] {
              readTable(write("odd.bin", record + "x"), {});
            }).find("no whole number of records"),
            std::string::npos);
}

TEST_F(ByteTableTest, ReadsACoarseClassBeforeTheFineOne) {
  std::string record(3074, '\0');
  record[0] = 4;
  record[1] = 77;
  ByteFormat format;
  format.format = DataFormat::Cifar100;
  const ByteTable table = readTable(write("train.bin", record), format);
  EXPECT_EQ(table.at(0, 3072), 4);
  EXPECT_EQ(table.at(0, 3073), 77);
}

TEST_F(ByteTableTest, CutsATextIntoWindows) {
  ByteFormat format;
  format.window = 3;
  const ByteTable table = readTable(write("text", "abcabcad"), format);
  EXPECT_EQ(table.vocabulary(), (std::vector<std::uint64_t>{'a', 'b', 'c', 'd'}));
  ASSERT_EQ(table.rows(), 2u); // a third would need a symbol after its last
  EXPECT_EQ(table.columnCount(), 4u);
  EXPECT_EQ(table.at(0, 3), 0);
  EXPECT_EQ(table.at(1, 0), 0);
  EXPECT_EQ(table.at(1, 3), 0);
  format.stride = 1;
  const ByteTable dense = readTable(write("text", "abcabcad"), format);
  ASSERT_EQ(dense.rows(), 5u);
  EXPECT_EQ(dense.at(4, 3), 3);
}

TEST_F(ByteTableTest, KeepsAGivenVocabulary) {
  ByteFormat format;
  format.window = 2;
  format.vocabulary = {'c', 'a', 'b'};
  const ByteTable table = readTable(write("text", "abc"), format);
  EXPECT_EQ(table.at(0, 0), 1);
  EXPECT_EQ(table.at(0, 2), 0);
  EXPECT_NE(errorOf([&] {
              readTable(write("text", "abz"), format);
            }).find("byte 122 at offset 2 is not in the vocabulary"),
            std::string::npos);
  format.vocabulary = {'a', 'a'};
  EXPECT_NE(errorOf([&] { readTable(write("text", "aaa"), format); }).find("twice"),
            std::string::npos);
}

TEST_F(ByteTableTest, LooksAtNameAndFirstBytes) {
  const auto found = [](const std::string &path, const std::string &content) {
    return detectFormat(path, content, {});
  };
  EXPECT_EQ(found("a", images), DataFormat::Idx);
  EXPECT_EQ(found("-", "1,2\n"), DataFormat::Csv);
  EXPECT_EQ(found("b.bin", "x"), DataFormat::Cifar10);
  EXPECT_EQ(found("-", "PK\x03\x04"), DataFormat::Npy);
  EXPECT_EQ(found("-", "\x93NUMPY"), DataFormat::Npy);
  // An archive of nothing, and what was cut off.
  EXPECT_EQ(found("a", "PK\x05\x06"), DataFormat::Npy);
  EXPECT_EQ(found("a.npz", "PK"), DataFormat::Npy);
  EXPECT_NE(errorOf([&] {
              ByteFormat format;
              format.labels = "labels";
              detectFormat("a.csv", "1,2\n", format);
            }).find("only IDX files take their labels"),
            std::string::npos);
}

struct Loaded {
  Dataset data;
  std::vector<InputColumns> bindings;
};

Loaded load(ByteTable table, const std::vector<InputNeed> &needs,
            const std::vector<Declared> &inputs, const std::vector<Declared> &transforms,
            const std::vector<std::size_t> &training) {
  const ColumnSet columns{table.file(), table.columnCount(), table.names()};
  ByteLoader loader(std::move(table), needs, bindColumns(needs, columns, inputs, transforms));
  Dataset data = loader.assemble(training);
  return {std::move(data), loader.bindings()};
}

template <class T> std::vector<T> valuesOf(const InputArray &array) {
  std::vector<T> values(array.values.size() / sizeof(T));
  std::memcpy(values.data(), array.values.data(), array.values.size());
  return values;
}

const std::vector<InputNeed> needs = {{"x", APRT_F32, 2, 0}, {"y", APRT_I32, 1, 4}};

TEST_F(ByteTableTest, AppliesTransformsAsToNumbers) {
  ByteFormat format;
  format.labels = write("labels", labels);
  const Loaded loaded =
      load(readTable(write("images", images), format), needs,
           {{"x", "pixel_1..pixel_2", {}}, {"y", "label", {}}}, {{"x", "divide(255)", {}}}, {0, 1});
  EXPECT_EQ(
      valuesOf<float>(loaded.data.inputs[0]),
      (std::vector<float>{static_cast<float>(10.0 / 255), 1, 0, static_cast<float>(7.0 / 255)}));
  EXPECT_EQ(valuesOf<std::int32_t>(loaded.data.inputs[1]), (std::vector<std::int32_t>{3, 1}));
}

TEST_F(ByteTableTest, FitsOnTheTrainingRowsOnly) {
  ByteFormat format;
  format.labels = write("labels", labels);
  const Loaded loaded =
      load(readTable(write("images", images), format), needs, {}, {{"x", "min_max", {}}}, {0});
  const Transform &fitted = loaded.bindings[0].columns[1].pipeline.front();
  EXPECT_EQ(fitted.constants, (std::vector<double>{255, 256}))
      << "a range of one value counts as 1";
}

TEST_F(ByteTableTest, MakesCategories) {
  ByteFormat format;
  format.labels = write("labels", labels);
  const std::vector<InputNeed> hot = {{"x", APRT_F32, 2, 0}, {"y", APRT_F32, 2, 0}};
  const Loaded loaded = load(readTable(write("images", images), format), hot,
                             {{"x", "1,2", {}}, {"y", "3", {}}}, {{"y", "one_hot", {}}}, {0, 1});
  EXPECT_EQ(valuesOf<float>(loaded.data.inputs[1]), (std::vector<float>{0, 1, 1, 0}));
}

TEST_F(ByteTableTest, NamesTheRowOfABadLabel) {
  ByteFormat format;
  format.labels = write("labels", labels);
  const std::vector<InputNeed> few = {{"x", APRT_F32, 2, 0}, {"y", APRT_I32, 1, 3}};
  EXPECT_NE(errorOf([&] {
              load(readTable(write("images", images), format), few, {}, {}, {0, 1});
            }).find("row 1, column label: found 3 for input y, expected 0 to 2"),
            std::string::npos);
}

} // namespace
} // namespace apr::train
