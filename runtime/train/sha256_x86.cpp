// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sha256_x86.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

namespace apr::train {
namespace {

// The instructions keep the eight words in two registers, as ABEF and CDGH.

__attribute__((target("sha,sse4.1"))) void compress(std::uint32_t *state, const std::byte *bytes,
                                                    std::size_t blocks,
                                                    const std::uint32_t *constants) {
  const __m128i bigEndian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const auto load = [](const void *from) __attribute__((target("sha,sse4.1"))) {
    return _mm_loadu_si128(static_cast<const __m128i *>(from));
  };
  const __m128i cdab = _mm_shuffle_epi32(load(state), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(load(state + 4), 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; blocks > 0; --blocks, bytes += 64) {
    const __m128i abefBefore = abef;
    const __m128i cdghBefore = cdgh;
    __m128i w[4]; // 16 words of the schedule, four rounds each
    for (int i = 0; i < 16; ++i) {
      __m128i &now = w[i % 4];
      if (i < 4)
        now = _mm_shuffle_epi8(load(bytes + 16 * i), bigEndian);
      else
        now =
            _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) % 4]),
                                               _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4)),
                                 w[(i + 3) % 4]);
      const __m128i sum = _mm_add_epi32(now, load(constants + 4 * i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
    abef = _mm_add_epi32(abef, abefBefore);
    cdgh = _mm_add_epi32(cdgh, cdghBefore);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i *>(state), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i *>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

} // namespace

bool hasShaInstructions() {
  constexpr unsigned sse41 = 1u << 19;
  constexpr unsigned sha = 1u << 29;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & sse41))
    return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & sha);
}

void compressWithInstructions(std::array<std::uint32_t, 8> &state, const std::byte *bytes,
                              std::size_t blocks, const std::array<std::uint32_t, 64> &constants) {
  compress(state.data(), bytes, blocks, constants.data());
}

} // namespace apr::train

#else

namespace apr::train {

bool hasShaInstructions() { return false; }
void compressWithInstructions(std::array<std::uint32_t, 8> &, const std::byte *, std::size_t,
                              const std::array<std::uint32_t, 64> &) {}

} // namespace apr::train

#endif
