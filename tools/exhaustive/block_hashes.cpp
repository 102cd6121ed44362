// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/block_hashes.h"

#include <fstream>
#include <stdexcept>

namespace apr::exhaustive {

uint64_t digestOf(std::span<const uint64_t> hashes) {
  uint64_t digest = 0;
  for (uint64_t word : hashes) {
    digest = (digest ^ word) * 0x9e3779b97f4a7c15;
    digest ^= digest >> 32;
  }
  return digest;
}

std::vector<uint64_t> readHashes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint64_t> hashes;
  unsigned char bytes[8];
  while (file.read(reinterpret_cast<char *>(bytes), sizeof bytes)) {
    uint64_t word = 0;
    for (int i = 7; i >= 0; --i)
      word = word << 8 | bytes[i];
    hashes.push_back(word);
  }
  return hashes;
}

void writeHashes(const std::string &path, std::span<const uint64_t> hashes) {
  std::ofstream file(path, std::ios::binary);
  for (uint64_t word : hashes)
    for (int i = 0; i < 8; ++i)
      file.put(static_cast<char>(word >> (8 * i)));
  if (!file.flush())
    throw std::runtime_error("cannot write " + path);
}

} // namespace apr::exhaustive
