// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace apr::onnx {

/// Writes one message of Protocol Buffers in its wire format. A message inside a message is a field
/// whose bytes are those of another writer.
///
/// The format: a field is a key, (number << 3) | wire type, and a value. Wire type 0 is a *varint*,
/// seven bits per byte from the lowest, all but the last byte with the top bit set; 2 is a length
/// as a varint and so many bytes; 5 is four bytes, little-endian. Fields that repeat stand several
/// times.
class ProtobufWriter {
public:
  /// Negative numbers take ten bytes, as two's complement of 64 bits.
  void integer(uint32_t field, int64_t value);
  void real(uint32_t field, float value);
  /// A string, bytes or a message.
  void bytes(uint32_t field, std::string_view content);
  /// The same, left out where it is empty: what a reader takes for absent.
  void text(uint32_t field, std::string_view content);

  std::string finish() { return std::move(bytes_); }

private:
  void varint(uint64_t value);

  std::string bytes_;
};

} // namespace apr::onnx
