// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/array_source.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/table_loader.h"

#include <aprt.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace apr::train {
namespace {

template <class T> std::string bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

template <class T> std::vector<T> valuesOf(const InputArray &array) {
  std::vector<T> values(array.values.size() / sizeof(T));
  std::memcpy(values.data(), array.values.data(), array.values.size());
  return values;
}

class ArraySourceTest : public ::testing::Test {
protected:
  void SetUp() override {
    const auto *test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = ::testing::TempDir() + "array_source_" + test->name();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void writeFile(const std::string &content) { std::ofstream(path_, std::ios::binary) << content; }
  void writeArchive(const std::vector<std::pair<std::string, std::string>> &entries) {
    zip_t *archive = zip_open(path_.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto &[name, content] : entries) {
      zip_source_t *source = zip_source_buffer(archive, content.data(), content.size(), 0);
      ASSERT_GE(zip_file_add(archive, (name + ".npy").c_str(), source, 0), 0);
    }
    ASSERT_EQ(zip_close(archive), 0);
  }

  Dataset load(const std::vector<InputNeed> &needs, const std::vector<Declared> &inputs = {},
               const std::vector<Declared> &transforms = {},
               const std::vector<std::size_t> &training = {0}) {
    auto source = std::make_unique<ArraySource>(path_, readFile(path_));
    auto bindings = bindColumns(needs, source->columns(), inputs, transforms);
    return TableLoader(std::move(source), needs, std::move(bindings)).assemble(training);
  }
  std::string errorOfLoading(const std::vector<InputNeed> &needs,
                             const std::vector<Declared> &inputs = {}) {
    try {
      load(needs, inputs);
    } catch (const Error &error) {
      return error.what();
    }
    return "no error";
  }

  std::string path_;
};

const std::string images =
    npyHeader(NpyType::U8, {3, 2, 1}) + bytesOf<std::uint8_t>({1, 2, 3, 4, 5, 255});
const std::string classes = npyHeader(NpyType::I64, {3}) + bytesOf<std::int64_t>({2, 0, 1});

TEST_F(ArraySourceTest, GivesInputsTheArraysOfTheirNames) {
  writeArchive({{"y", classes}, {"x", images}});
  const Dataset data =
      load({{"x", APRT_F32, 2, 0}, {"y", APRT_I32, 1, 3}}, {}, {{"x", "divide(2)", {}}});
  EXPECT_EQ(data.rows, 3u);
  EXPECT_EQ(valuesOf<float>(data.inputs[0]), (std::vector<float>{0.5, 1, 1.5, 2, 2.5, 127.5}));
  EXPECT_EQ(valuesOf<std::int32_t>(data.inputs[1]), (std::vector<std::int32_t>{2, 0, 1}));
}

TEST_F(ArraySourceTest, NeedsRowsOnlyOfArraysInUse) {
  writeArchive({{"x", images},
                {"test", npyHeader(NpyType::F32, {1, 2}) + bytesOf<float>({7, 8})},
                {"y", classes}});
  const std::vector<InputNeed> needs = {{"x", APRT_F32, 2, 0}};
  EXPECT_EQ(valuesOf<float>(load(needs, {{"x", "test", {}}}).inputs[0]),
            (std::vector<float>{7, 8}));
  EXPECT_EQ(valuesOf<float>(load(needs, {{"x", "x_2,y", {}}}).inputs[0]),
            (std::vector<float>{2, 2, 4, 0, 255, 1}));
  EXPECT_NE(errorOfLoading(needs, {{"x", "test_1,y", {}}})
                .find("array \"y\" has 3 rows, but \"test\" has 1"),
            std::string::npos);
  EXPECT_NE(errorOfLoading(needs, {{"x", "tests", {}}}).find("did you mean \"test\""),
            std::string::npos);
}

TEST_F(ArraySourceTest, ReadsNothingOfArraysThatNoInputTakes) {
  const std::string wide = npyHeader(NpyType::F32, {0, std::uint64_t{1} << 30});
  const std::string text = "\x93NUMPY\x02 and no more";
  writeArchive({{"wide", wide}, {"text", text}, {"x", images}, {"y", classes}});
  const std::vector<InputNeed> needs = {{"x", APRT_F32, 2, 0}};
  EXPECT_EQ(load(needs).rows, 3u);
  EXPECT_NE(errorOfLoading(needs, {{"x", "wide,y", {}}})
                .find("array \"wide\": an item has 1073741824 elements"),
            std::string::npos);
  EXPECT_NE(errorOfLoading(needs, {{"x", "y,text", {}}}).find("array \"text\": "),
            std::string::npos);
}

TEST_F(ArraySourceTest, CountsTheColumnsOfASingleArray) {
  writeFile(npyHeader(NpyType::F64, {2, 3}) + bytesOf<double>({0.1, 1, 2, 0.3, 4, 0}));
  const Dataset data = load({{"x", APRT_F32, 2, 0}, {"y", APRT_BOOL, 1, 0}},
                            {{"x", "1..2", {}}, {"y", "3", {}}}, {{"y", "clip(0, 1)", {}}});
  EXPECT_EQ(valuesOf<float>(data.inputs[0]), (std::vector<float>{0.1f, 1, 0.3f, 4}));
  EXPECT_EQ(valuesOf<std::uint8_t>(data.inputs[1]), (std::vector<std::uint8_t>{1, 0}));
}

TEST_F(ArraySourceTest, MakesCategoriesOfNumbers) {
  writeArchive({{"y", classes}});
  const Dataset data =
      load({{"y", APRT_F32, 3, 0}}, {{"y", "y", {}}}, {{"y", "one_hot", {}}}, {0, 1, 2});
  EXPECT_EQ(valuesOf<float>(data.inputs[0]), (std::vector<float>{0, 0, 1, 1, 0, 0, 0, 1, 0}));
}

TEST_F(ArraySourceTest, KeepsLargeIntegers) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  writeFile(npyHeader(NpyType::I64, {2}) + bytesOf<std::int64_t>({large, -large}));
  EXPECT_EQ(valuesOf<std::int64_t>(load({{"x", APRT_I64, 1, 0}}).inputs[0]),
            (std::vector<std::int64_t>{large, -large}));
  writeFile(npyHeader(NpyType::U64, {2}) + bytesOf<std::uint64_t>({(1ull << 53) + 1, INT64_MAX}));
  EXPECT_EQ(valuesOf<std::int64_t>(load({{"x", APRT_I64, 1, 0}}).inputs[0]),
            (std::vector<std::int64_t>{large, INT64_MAX}));
}

TEST_F(ArraySourceTest, RoundsLargeIntegersOnce) {
  // Half a step above a float in f64 already: rounded twice it would stay there.
  const std::uint64_t tie = (std::uint64_t{1} << 60) + (std::uint64_t{1} << 36) + 1;
  writeFile(npyHeader(NpyType::U64, {1}) + bytesOf<std::uint64_t>({tie}));
  EXPECT_EQ(valuesOf<float>(load({{"x", APRT_F32, 1, 0}}).inputs[0]),
            (std::vector<float>{0x1.000002p60f}));
}

TEST_F(ArraySourceTest, TellsCategoriesApart) {
  const std::vector<InputNeed> needs = {{"x", APRT_F32, 2, 0}};
  const std::vector<Declared> hot = {{"x", "one_hot", {}}};
  writeFile(npyHeader(NpyType::U64, {2}) +
            bytesOf<std::uint64_t>({~std::uint64_t{0}, std::uint64_t{1} << 63}));
  EXPECT_EQ(valuesOf<float>(load(needs, {{"x", "1", {}}}, hot, {0, 1}).inputs[0]),
            (std::vector<float>{0, 1, 1, 0}));
  writeFile(npyHeader(NpyType::F64, {3}) + bytesOf<double>({-0.0, 1.5, 0.0}));
  EXPECT_EQ(valuesOf<float>(load(needs, {{"x", "1", {}}}, hot, {0, 1, 2}).inputs[0]),
            (std::vector<float>{1, 0, 0, 1, 1, 0}));
  writeFile(npyHeader(NpyType::F64, {2}) + bytesOf<double>({1, NAN}));
  try {
    load(needs, {{"x", "1", {}}}, hot, {0, 1});
    FAIL();
  } catch (const Error &error) {
    EXPECT_NE(std::string(error.what()).find("row 2, column 1: the value nan"), std::string::npos);
  }
}

TEST_F(ArraySourceTest, LocatesValuesThatDoNotFit) {
  const auto errorOf = [&](NpyType type, const std::string &bytes, std::int32_t dtype) {
    writeFile(npyHeader(type, {bytes.size() / elementBytes(type)}) + bytes);
    return errorOfLoading({{"x", dtype, 1, 0}});
  };
  EXPECT_NE(errorOf(NpyType::F32, bytesOf<float>({1, NAN}), APRT_F32)
                .find("row 2, column 1: the value nan is no finite number"),
            std::string::npos);
  EXPECT_NE(errorOf(NpyType::F64, bytesOf<double>({1e300}), APRT_F32).find("out of range"),
            std::string::npos);
  EXPECT_NE(errorOf(NpyType::F64, bytesOf<double>({0.5}), APRT_I32).find("not a whole number"),
            std::string::npos);
  EXPECT_NE(errorOf(NpyType::U32, bytesOf<std::uint32_t>({0x80000000}), APRT_I32)
                .find("2147483648 is out of range"),
            std::string::npos);
  EXPECT_NE(errorOf(NpyType::U64, bytesOf<std::uint64_t>({std::uint64_t{1} << 63}), APRT_I64)
                .find("out of range"),
            std::string::npos);
  EXPECT_NE(errorOf(NpyType::I8, "\xff", APRT_U8).find("-1 is out of range"), std::string::npos);
  EXPECT_NE(errorOf(NpyType::U8, "\x02", APRT_BOOL).find("2 is out of range"), std::string::npos);
  EXPECT_EQ(errorOf(NpyType::I32, bytesOf<std::int32_t>({INT32_MIN}), APRT_I32), "no error");
  EXPECT_NE(errorOf(NpyType::F32, "", APRT_F32).find("have no rows"), std::string::npos);
}

} // namespace
} // namespace apr::train
