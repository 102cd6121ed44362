// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/onnx_model.h"
#include "onnx/protobuf_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace apr::onnx {
namespace {

using namespace std::string_literals;

std::string integer(uint32_t field, int64_t value) {
  ProtobufWriter writer;
  writer.integer(field, value);
  return writer.finish();
}

// The examples of the encoding's own description.
TEST(ProtobufWriter, WritesVarints) {
  EXPECT_EQ(integer(1, 150), "\x08\x96\x01"s);
  EXPECT_EQ(integer(1, 0), "\x08\x00"s);
  EXPECT_EQ(integer(1, 127), "\x08\x7f"s);
  EXPECT_EQ(integer(1, 128), "\x08\x80\x01"s);
  EXPECT_EQ(integer(1, -2), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ(integer(1, std::numeric_limits<int64_t>::max()),
            "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s);
  // Field numbers from 16 on take two bytes.
  EXPECT_EQ(integer(20, 2), "\xa0\x01\x02"s);
}

TEST(ProtobufWriter, WritesBytesAndReals) {
  ProtobufWriter writer;
  writer.bytes(2, "testing");
  writer.bytes(3, "");
  writer.text(4, "");
  writer.real(5, 1.0f);
  EXPECT_EQ(writer.finish(), "\x12\x07testing\x1a\x00\x2d\x00\x00\x80\x3f"s);
}

TEST(ProtobufWriter, WritesMessagesInMessages) {
  ProtobufWriter inner;
  inner.integer(1, 150);
  ProtobufWriter outer;
  outer.bytes(3, inner.finish());
  EXPECT_EQ(outer.finish(), "\x1a\x03\x08\x96\x01"s);
}

TEST(OnnxModel, NumbersTheTypes) {
  EXPECT_EQ(dataType(DType::F32), 1);
  EXPECT_EQ(dataType(DType::U8), 2);
  EXPECT_EQ(dataType(DType::I32), 6);
  EXPECT_EQ(dataType(DType::I64), 7);
  EXPECT_EQ(dataType(DType::Bool), 9);
  EXPECT_EQ(dataType(DType::F64), 11);
  EXPECT_EQ(dataType(DType::BF16), 16);
}

} // namespace
} // namespace apr::onnx
