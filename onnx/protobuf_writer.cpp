// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "onnx/protobuf_writer.h"

#include <bit>

namespace apr::onnx {
namespace {

enum WireType : uint32_t { Varint = 0, LengthDelimited = 2, FourBytes = 5 };

uint64_t key(uint32_t field, WireType type) { return uint64_t{field} << 3 | type; }

} // namespace

void ProtobufWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    bytes_ += static_cast<char>(0x80 | (value & 0x7f));
  bytes_ += static_cast<char>(value);
}

void ProtobufWriter::integer(uint32_t field, int64_t value) {
  varint(key(field, Varint));
  varint(static_cast<uint64_t>(value));
}

void ProtobufWriter::real(uint32_t field, float value) {
  varint(key(field, FourBytes));
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8)
    bytes_ += static_cast<char>(bits >> shift & 0xff);
}

void ProtobufWriter::bytes(uint32_t field, std::string_view content) {
  varint(key(field, LengthDelimited));
  varint(content.size());
  bytes_ += content;
}

void ProtobufWriter::text(uint32_t field, std::string_view content) {
  if (!content.empty())
    bytes(field, content);
}

} // namespace apr::onnx
