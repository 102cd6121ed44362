/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "data.h"

#include <string.h>

size_t bits_element_bytes(int32_t dtype) {
  static const size_t bytes[] = {4, 8, 4, 8, 1, 1, 2};
  return bytes[dtype];
}

const char *bits_dtype_name(int32_t dtype) {
  static const char *const names[] = {"f32", "f64", "i32", "i64", "bool", "u8", "bf16"};
  return names[dtype];
}

uint64_t bits_mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

uint64_t bits_digest(uint64_t seed, const void *bytes, size_t size) {
  const char *at = bytes;
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    seed = (seed ^ word) * 0x9e3779b97f4a7c15u;
    seed ^= seed >> 29;
  }
  for (; size > 0; --size, ++at)
    seed = (seed ^ (unsigned char)*at) * 0x100000001b3u;
  return seed;
}

void bits_fill_element(char *to, const aprt_tensor *input, uint64_t range, uint64_t random) {
  const uint64_t limit = input->index_limit > 0 ? (uint64_t)input->index_limit : range;
  switch (input->dtype) {
  case APRT_F32: {
    const float value = (float)((double)(random >> 40) / 8388608.0 - 1.0);
    memcpy(to, &value, sizeof value);
    break;
  }
  case APRT_F64: {
    const double value = (double)(random >> 11) / 4503599627370496.0 - 1.0;
    memcpy(to, &value, sizeof value);
    break;
  }
  case APRT_BF16: {
    const float value = (float)((double)(random >> 57) / 64.0 - 1.0);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t upper = (uint16_t)(bits >> 16);
    memcpy(to, &upper, sizeof upper);
    break;
  }
  case APRT_I32: {
    const int32_t value = (int32_t)((random >> 8) % limit);
    memcpy(to, &value, sizeof value);
    break;
  }
  case APRT_I64: {
    const int64_t value = (int64_t)((random >> 8) % limit);
    memcpy(to, &value, sizeof value);
    break;
  }
  case APRT_BOOL:
    *to = (char)(random >> 63);
    break;
  default:
    *to = (char)(unsigned char)((random >> 8) % (input->index_limit > 0 ? limit : 256));
    break;
  }
}
