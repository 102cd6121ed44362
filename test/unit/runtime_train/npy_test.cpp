// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/npy.h"

#include "runtime/train/error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace apr::train {
namespace {

using namespace std::string_literals;

template <class T> std::string bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

/// A version 1 file with this dictionary.
std::string fileOf(const std::string &dictionary, const std::string &values) {
  const auto length = static_cast<char>(dictionary.size());
  return "\x93NUMPY\x01"s + '\0' + length + '\0' + dictionary + values;
}

std::string errorOf(const std::string &content) {
  try {
    parseNpy(content, "a.npy");
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

TEST(Npy, ReadsWhatItWrites) {
  const std::vector<float> values = {1, -0.0f, 2.5f, 1e-40f, 3e38f, 7};
  const std::string content = npyHeader(NpyType::F32, {2, 3}) + bytesOf(values);
  const NpyHeader header = parseNpyHeader(content, content.size(), "a.npy");
  EXPECT_EQ(header.items(), 2u);
  EXPECT_EQ(header.itemElements(), 3u);
  EXPECT_EQ(header.valueBytes, 24u);
  const NpyArray array = parseNpy(content, "a.npy");
  EXPECT_EQ(array.shape, (std::vector<std::uint64_t>{2, 3}));
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(std::get<double>(array.number(i)), values[i]);
  for (std::uint64_t n : {0u, 9u, 10u, 99999u})
    EXPECT_EQ(npyHeader(NpyType::U8, {n}).size() % 64, 0u);
}

TEST(Npy, ReadsTheHeadersOfNumpy) {
  // Written by numpy.save of NumPy 1.26: int32, Fortran order.
  const std::string text = "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }  \n";
  const NpyArray array = parseNpy(fileOf(text, bytesOf<std::int32_t>({1, 4, 2, 5, 3, 6})), "a.npy");
  for (std::int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(std::get<std::int64_t>(array.number(static_cast<std::uint64_t>(i))), i + 1);
}

TEST(Npy, TurnsBigEndianRound) {
  const NpyArray array = parseNpy(
      fileOf("{'descr': '>u2', 'fortran_order': False, 'shape': (2,), }", "\x01\x02\xff\x00"s),
      "a.npy");
  EXPECT_EQ(std::get<std::uint64_t>(array.number(0)), 0x102u);
  EXPECT_EQ(std::get<std::uint64_t>(array.number(1)), 0xff00u);
}

TEST(Npy, KnowsEveryType) {
  const auto one = [](NpyType type, const std::string &bytes) {
    return parseNpy(npyHeader(type, {}) + bytes, "a.npy").number(0);
  };
  const auto natural = [](std::uint64_t x) { return NpyNumber(x); };
  const auto integer = [](std::int64_t x) { return NpyNumber(x); };
  EXPECT_EQ(one(NpyType::Bool, "\x01"), natural(1));
  EXPECT_EQ(one(NpyType::I8, "\xff"), integer(-1));
  EXPECT_EQ(one(NpyType::U8, "\xff"), natural(255));
  EXPECT_EQ(one(NpyType::I16, "\xfe\xff"), integer(-2));
  EXPECT_EQ(one(NpyType::U16, "\xfe\xff"), natural(65534));
  EXPECT_EQ(one(NpyType::I32, bytesOf<std::int32_t>({-7})), integer(-7));
  EXPECT_EQ(one(NpyType::U32, "\xff\xff\xff\xff"), natural(4294967295));
  EXPECT_EQ(one(NpyType::I64, bytesOf<std::int64_t>({-5})), integer(-5));
  EXPECT_EQ(one(NpyType::U64, bytesOf<std::uint64_t>({~std::uint64_t{0}})),
            natural(~std::uint64_t{0}));
  EXPECT_EQ(one(NpyType::F32, bytesOf<float>({0.1f})), NpyNumber(double{0.1f}));
  EXPECT_EQ(one(NpyType::F64, bytesOf<double>({0.1})), NpyNumber(0.1));
  EXPECT_EQ(one(NpyType::F16, "\x00\x3c"s), NpyNumber(1.0));
  EXPECT_EQ(one(NpyType::F16, "\x01\x00"s), NpyNumber(0x1p-24));
  EXPECT_EQ(one(NpyType::F16, "\xff\xfb"s), NpyNumber(-65504.0));
  EXPECT_EQ(one(NpyType::F16, "\x00\xfc"s), NpyNumber(-double{INFINITY}));
}

TEST(Npy, ReadsAnArrayWithoutElements) {
  const auto header = [](const std::vector<std::uint64_t> &shape) {
    const std::string content = npyHeader(NpyType::F32, shape);
    return parseNpyHeader(content, content.size(), "a.npy");
  };
  EXPECT_EQ(header({0, 7}).items(), 0u);
  EXPECT_EQ(header({5, 0}).itemElements(), 0u);
}

TEST(Npy, ComparesSizesWithTheBytesThatAreThere) {
  const auto shaped = [](const std::string &shape, const std::string &values) {
    return errorOf(
        fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", values));
  };
  const std::string twelve(12, '\0');
  EXPECT_NE(shaped("(3,)", twelve + "x").find("the shape (3) of float32, but 13 bytes"),
            std::string::npos);
  EXPECT_NE(shaped("(4,)", twelve).find("but 12 bytes"), std::string::npos);
  EXPECT_NE(shaped("(4294967296, 4294967296, 4294967296)", twelve).find("but 12 bytes"),
            std::string::npos);
  EXPECT_NE(shaped("(0, 18446744073709551615)", "").find("but 0 bytes"), std::string::npos);
  EXPECT_NE(shaped("(99999999999999999999,)", twelve).find("no size before"), std::string::npos);
  std::string many = "(1";
  for (int i = 0; i < 32; ++i)
    many += ",1";
  EXPECT_NE(shaped(many + ")", twelve).find("more than 32 axes"), std::string::npos);
}

TEST(Npy, RefusesOtherFiles) {
  EXPECT_NE(errorOf("PK\x03\x04").find("this is no NPY file"), std::string::npos);
  EXPECT_NE(errorOf("\x93NUMPY\x07"s + std::string(9, '\0')).find("version 7"), std::string::npos);
  EXPECT_NE(errorOf("\x93NUMPY\x01"s + '\0' + "\xff\xff{"s).find("65535 bytes but has only 1"),
            std::string::npos);
  EXPECT_NE(errorOf("\x93NUMPY\x02"s + '\0' + "\x01\x00"s).find("ends within its header"),
            std::string::npos);
  const auto headed = [](const std::string &text) { return errorOf(fileOf(text, "")); };
  EXPECT_NE(headed("{'descr': '|O', 'fortran_order': False, 'shape': (), }").find("type \"|O\""),
            std::string::npos);
  EXPECT_NE(headed("{'descr': [('a', '<f4')], }").find("records of several fields"),
            std::string::npos);
  EXPECT_NE(headed("{'descr': '<f4', 'descr': '<f4'}").find("second key \"descr\""),
            std::string::npos);
  EXPECT_NE(headed("{'descr': '<f4'}").find("lacks one of"), std::string::npos);
  EXPECT_NE(headed("{'descr': '<f4").find("does not end"), std::string::npos);
  EXPECT_NE(headed("{'fortran_order': 1}").find("neither True nor False"), std::string::npos);
  EXPECT_NE(headed("").find("no dictionary"), std::string::npos);
}

} // namespace
} // namespace apr::train
