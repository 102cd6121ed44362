// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/safetensors.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"

#include <aprt.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

namespace apr::train {
namespace {

class Safetensors : public ::testing::Test {
protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "apr_safetensors";
    std::filesystem::remove_all(folder_);
    makeFolder(folder_);
    path_ = folder_ + "/w.safetensors";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::string fileText(const std::string &header, std::size_t dataBytes) {
    std::string text(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
      text[i] = static_cast<char>(header.size() >> (8 * i));
    return text + header + std::string(dataBytes, 'x');
  }
  /// The message without the file's name.
  std::string errorOf(const std::string &content) {
    writeFile(path_, content);
    try {
      SafetensorsFile::open(path_);
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::Data);
      const std::string text = error.what();
      EXPECT_EQ(text.rfind(path_, 0), 0u);
      return text.substr(path_.size());
    }
    return "no error";
  }
  std::string headerError(const std::string &header, std::size_t dataBytes) {
    return errorOf(fileText(header, dataBytes));
  }

  std::string folder_;
  std::string path_;
};

TEST_F(Safetensors, WritesAndReads) {
  const float a[] = {1, 2, 3, 4, 5, 6};
  const std::uint64_t nan = 0xfff8000000000001u;
  writeSafetensors(path_,
                   {{"a", APRT_F32, {2, 3}, reinterpret_cast<const std::byte *>(a)},
                    {"s", APRT_F64, {}, reinterpret_cast<const std::byte *>(&nan)},
                    {"empty", APRT_I32, {0, 5}, nullptr}},
                   {{"model", "m"}});
  const SafetensorsFile file = SafetensorsFile::open(path_);
  EXPECT_EQ(file.metadata().at("model"), "m");
  ASSERT_NE(file.find("a"), nullptr);
  EXPECT_EQ(file.find("a")->shape, (std::vector<std::int64_t>{2, 3}));
  float back[6];
  file.read(*file.find("a"), std::as_writable_bytes(std::span(back)));
  EXPECT_EQ(std::memcmp(a, back, sizeof a), 0);
  std::uint64_t canonical = 0;
  file.read(*file.find("s"), std::as_writable_bytes(std::span(&canonical, 1)));
  EXPECT_EQ(canonical, 0x7ff8000000000000u);
  EXPECT_EQ(file.find("b"), nullptr);
  // Nothing but the file is left in its folder.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Safetensors, RefusesLyingFiles) {
  EXPECT_EQ(errorOf("abc"), ": error: the file has 3 bytes; a safetensors file has at least 8");
  EXPECT_EQ(
      errorOf(std::string(8, '\xff')),
      ": error: the header claims 18446744073709551615 bytes, the file has 0 after its length");
  EXPECT_EQ(headerError("", 0),
            ": error: this is not a safetensors file: its header does not begin with {");
  EXPECT_EQ(
      headerError("{\"a\": ", 0),
      " (header):1:7: error: malformed JSON text: it ends here, expected '[', '{', or a literal");
  EXPECT_EQ(headerError(R"({"a":1,"a":2})", 0),
            " (header): error: duplicate key \"a\" in the JSON text");
  EXPECT_EQ(headerError(R"({"a":{"dtype":"F32","shape":[2]}})", 8),
            ": error: tensor \"a\": the header gives no valid dtype, shape and data_offsets");
  EXPECT_EQ(headerError(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8),
            ": error: tensor \"a\": the header gives no valid dtype, shape and data_offsets");
  EXPECT_EQ(headerError(R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", 8),
            ": error: tensor \"a\": unknown dtype \"F99\" or too large a shape [2]");
  EXPECT_EQ(
      headerError(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
                  8),
      ": error: tensor \"a\": unknown dtype \"F32\" or too large a shape [4611686018427387904, 4]");
  EXPECT_EQ(headerError(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}})", 8),
            ": error: tensor \"a\": data_offsets [0, 9] do not lie in the file's 8 data bytes");
  EXPECT_EQ(headerError(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
            ": error: tensor \"a\": F32[3] takes 12 bytes, data_offsets span 8");
  EXPECT_EQ(headerError(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                        R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                        6)
                .substr(0, 47),
            ": error: tensor \"b\": its data overlaps another ");
  EXPECT_NE(headerError(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})", 4)
                .find("leaves a gap"),
            std::string::npos);
  EXPECT_EQ(headerError(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 5),
            ": error: 3 bytes follow the last tensor's data");
  EXPECT_NE(headerError(std::string(200, '[') + std::string(200, ']'), 0), "no error");
  EXPECT_NE(headerError("{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}", 0)
                .find("deeper than 64"),
            std::string::npos);
}

TEST_F(Safetensors, LeavesNoPartOfAFileThatCannotBeWritten) {
  EXPECT_THROW(writeFile(folder_ + "/missing/file", "x"), Error);
  {
    AtomicFile abandoned(path_);
    abandoned.write("half");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  writeFile(path_, "old");
  {
    AtomicFile abandoned(path_);
    abandoned.write("half");
  }
  EXPECT_EQ(readFile(path_), "old");
}

} // namespace
} // namespace apr::train
