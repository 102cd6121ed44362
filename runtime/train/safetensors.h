// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace apr::train {

/// A tensor to be written: its bytes stay with the caller.
struct TensorSource {
  std::string name;
  std::int32_t dtype = 0; ///< APRT_F32 …
  std::vector<std::int64_t> shape;
  const std::byte *values = nullptr;
};

/// Writes a safetensors file atomically, tensors in the order given; NaNs become canonical.
void writeSafetensors(const std::string &path, const std::vector<TensorSource> &tensors,
                      const std::map<std::string, std::string> &metadata);

/// A tensor that a file declares, already checked against the file's real size.
struct StoredTensor {
  std::string name;
  std::string dtype; ///< as in the file: "F32", "BF16" …
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0; ///< byte offsets in the file
  std::uint64_t end = 0;
};

/// A safetensors file that was found to be well-formed: header length and JSON, known types, shapes
/// whose sizes agree with their offsets, no overlap, no gap, no duplicate name, nothing beyond the
/// file's end. Everything else is an `Error` of kind Data that names the file and the tensor. No
/// declared size is believed before it is compared with the file.
class SafetensorsFile {
public:
  static SafetensorsFile open(const std::string &path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile &&other) noexcept;
  SafetensorsFile &operator=(SafetensorsFile &&other) noexcept;

  const std::string &path() const { return path_; }
  const std::vector<StoredTensor> &tensors() const { return tensors_; }
  const std::map<std::string, std::string> &metadata() const { return metadata_; }
  const StoredTensor *find(const std::string &name) const;

  /// Reads a tensor's bytes; `to` has exactly its size.
  void read(const StoredTensor &tensor, std::span<std::byte> to) const;

private:
  SafetensorsFile(std::string path, int descriptor);
  void readHeader();
  void parseHeader(const std::string &text, std::uint64_t dataBegin, std::uint64_t fileSize);
  void checkLayout(std::uint64_t dataBegin, std::uint64_t fileSize) const;
  void readAt(std::uint64_t offset, std::span<std::byte> to) const;
  [[noreturn]] void fail(const std::string &message) const;

  std::string path_;
  int descriptor_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// "F32" …, the name of a reflection table's type in safetensors files.
const char *safetensorsType(std::int32_t dtype);

} // namespace apr::train
