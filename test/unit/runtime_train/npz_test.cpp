// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/npz.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/error.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstring>
#include <filesystem>

namespace apr::train {
namespace {

template <class T> std::string bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

const std::string ones = npyHeader(NpyType::F32, {4}) + bytesOf<float>({1, 1, 1, 1});

class NpzTest : public ::testing::Test {
protected:
  /// The bytes of an archive of these entries.
  static std::string archiveOf(const std::vector<std::pair<std::string, std::string>> &entries) {
    const auto *test = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string path = ::testing::TempDir() + "npz_" + test->name() + ".npz";
    zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto &[name, content] : entries) {
      zip_source_t *source = zip_source_buffer(archive, content.data(), content.size(), 0);
      EXPECT_GE(zip_file_add(archive, name.c_str(), source, 0), 0);
    }
    EXPECT_EQ(zip_close(archive), 0);
    const std::string content = readFile(path);
    std::filesystem::remove(path);
    return content;
  }
  static std::string errorOfReading(std::string content) {
    try {
      const NpzFile file("a.npz", std::move(content));
      for (const NpzFile::Entry &entry : file.arrays())
        file.read(entry);
    } catch (const Error &error) {
      return error.what();
    }
    return "no error";
  }
  /// Overwrites a number of the archive's local and central headers of its first entry.
  static void putSize(std::string &content, std::size_t local, std::size_t central,
                      std::uint32_t value) {
    std::memcpy(content.data() + content.find("PK\x03\x04") + local, &value, sizeof value);
    std::memcpy(content.data() + content.find("PK\x01\x02") + central, &value, sizeof value);
  }
};

TEST_F(NpzTest, ReadsArraysByName) {
  const NpzFile file("a.npz",
                     archiveOf({{"x.npy", ones}, {"y.npy", npyHeader(NpyType::U8, {3}) + "abc"}}));
  ASSERT_EQ(file.arrays().size(), 2u);
  EXPECT_EQ(file.arrays()[0].name, "x");
  EXPECT_EQ(file.arrays()[1].name, "y");
  EXPECT_EQ(file.arrays()[1].header->items(), 3u);
  EXPECT_EQ(std::get<std::uint64_t>(file.read(file.arrays()[1]).number(2)), std::uint64_t{'c'});
}

TEST_F(NpzTest, ReadsWhatIsLongerThanAPiece) {
  std::vector<std::uint32_t> numbers(700'000);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<std::uint32_t>(i * 2654435761u);
  const NpzFile file("a.npz", archiveOf({{"x.npy", npyHeader(NpyType::U32, {numbers.size()}) +
                                                       bytesOf(numbers)}}));
  const NpyArray array = file.read(file.arrays()[0]);
  for (const std::size_t i : {std::size_t{0}, std::size_t{262'111}, numbers.size() - 1})
    EXPECT_EQ(std::get<std::uint64_t>(array.number(i)), numbers[i]);
}

TEST_F(NpzTest, LeavesOutWhatIsNoNumbers) {
  const std::string names =
      "\x93NUMPY\x01" + std::string(1, '\0') + std::string(1, 60) + std::string(1, '\0') +
      "{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }   " + std::string(16, 'x');
  const NpzFile file("a.npz", archiveOf({{"names.npy", names}, {"x.npy", ones}}));
  EXPECT_FALSE(file.arrays()[0].header);
  EXPECT_EQ(std::get<double>(file.read(file.arrays()[1]).number(3)), 1.0);
  try {
    file.read(file.arrays()[0]);
    ADD_FAILURE() << "texts were read";
  } catch (const Error &error) {
    EXPECT_NE(std::string(error.what())
                  .find("a.npz(\"names.npy\"): error: cannot read elements of "
                        "type \"<U4\""),
              std::string::npos)
        << error.what();
  }
}

TEST_F(NpzTest, BelievesNoSizeThatThePackedBytesCannotMake) {
  constexpr std::uint32_t size = 2'000'000'000;
  std::string content = archiveOf({{"x.npy", npyHeader(NpyType::U8, {size}) + "abc"}});
  constexpr std::size_t localSize = 22;
  constexpr std::size_t centralSize = 24;
  putSize(content, localSize, centralSize, size + 128);
  EXPECT_NE(errorOfReading(content).find("declares 2000000128 bytes, which the"), std::string::npos)
      << errorOfReading(content);
  // A size that is possible and not there: found at the end of what is there.
  content = archiveOf({{"x.npy", npyHeader(NpyType::U8, {40'000}) + "abc"}});
  putSize(content, localSize, centralSize, 40'128);
  const std::string error = errorOfReading(content);
  EXPECT_TRUE(error.find("ends early: the archive declares 40128 bytes") != std::string::npos ||
              error.find("is damaged") != std::string::npos)
      << error;
  EXPECT_NE(errorOfReading(archiveOf({{"x.npy", npyHeader(NpyType::U8, {size}) + "abc"}}))
                .find("declares the shape (2000000000) of uint8, but 3 bytes of values follow"),
            std::string::npos);
}

TEST_F(NpzTest, RefusesOtherArchives) {
  EXPECT_NE(errorOfReading(archiveOf({{"x.txt", "text"}}))
                .find("npz(\"x.txt\"): error: the entry is no array"),
            std::string::npos);
  EXPECT_NE(errorOfReading("PK\x03\x04 and no more").find("found no whole archive"),
            std::string::npos);
  EXPECT_NE(errorOfReading("PK\x05\x06" + std::string(18, '\0')).find("holds no array"),
            std::string::npos);
}

TEST_F(NpzTest, RefusesDamagedArrays) {
  std::string content = archiveOf({{"x.npy", ones}});
  content[content.size() / 4] ^= 1; // in the compressed bytes
  EXPECT_NE(errorOfReading(content).find("npz(\"x.npy\"): error: "), std::string::npos)
      << errorOfReading(content);
}

} // namespace
} // namespace apr::train
