/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The functions of functions.apr through their C interface.
 *
 *   functions_hashes blocks FOLDER B...   compares blocks of 2^20 f32 results with the hashes of
 * the run that MPFR has judged (FOLDER/NAME.hashes) functions_hashes sample N             prints a
 * hash of N results of every function, f64 and two operands too: the same on every target
 */
#include "functions.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { chunk = 4096, block = 1 << 20 };

typedef aprt_status entry32(const aprt_exec *, const void *, void *, int64_t, const float *,
                            float *);
typedef aprt_status entry64(const aprt_exec *, const void *, void *, int64_t, const double *,
                            double *);

#define FUNCTION(name)                                                                             \
  {#name, functions_##name##_f32, functions_##name##_f64, functions_##name##_f64_workspace_bytes}
static const struct {
  const char *name;
  entry32 *f32;
  entry64 *f64;
  size_t (*workspace)(uint32_t workers, int64_t N);
} functions[] = {
    FUNCTION(sqrt),     FUNCTION(rsqrt), FUNCTION(exp),     FUNCTION(exp2),      FUNCTION(expm1),
    FUNCTION(log),      FUNCTION(log2),  FUNCTION(log1p),   FUNCTION(sin),       FUNCTION(cos),
    FUNCTION(tan),      FUNCTION(asin),  FUNCTION(acos),    FUNCTION(atan),      FUNCTION(sinh),
    FUNCTION(cosh),     FUNCTION(tanh),  FUNCTION(sigmoid), FUNCTION(erf),       FUNCTION(erfinv),
    FUNCTION(softplus), FUNCTION(silu),  FUNCTION(gelu),    FUNCTION(gelu_tanh),
};
enum { count = sizeof functions / sizeof *functions };

static _Alignas(FUNCTIONS_ALIGNMENT) unsigned char state[FUNCTIONS_ALIGNMENT];

static void check(aprt_status status) {
  if (status == APRT_OK)
    return;
  fprintf(stderr, "functions_hashes: %s\n", functions_status_text(status));
  exit(1);
}

static uint64_t mixed(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

static uint32_t bitsOf(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return x != x ? 0x7fc00000 : bits;
}

/* As tools/exhaustive/block_hashes.h has it: eight chains, then one over them. */
static uint64_t hashOfBlock(entry32 *function, uint32_t first) {
  uint64_t lanes[8] = {0}, hash = 0;
  static float x[chunk], y[chunk];
  for (uint32_t start = 0; start < block; start += chunk) {
    for (uint32_t i = 0; i < chunk; ++i) {
      const uint32_t bits = first + start + i;
      memcpy(&x[i], &bits, sizeof bits);
    }
    check(function(NULL, state, NULL, chunk, x, y));
    for (int i = 0; i < chunk; ++i)
      lanes[i % 8] = mixed(lanes[i % 8], bitsOf(y[i]));
  }
  for (int i = 0; i < 8; ++i)
    hash = mixed(hash, lanes[i]);
  return hash;
}

/* Little-endian words. */
static uint64_t readHash(const char *folder, const char *name, unsigned long number) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.hashes", folder, name);
  FILE *file = fopen(path, "rb");
  unsigned char bytes[8];
  if (!file || fseek(file, (long)(8 * number), SEEK_SET) != 0 || fread(bytes, 8, 1, file) != 1) {
    fprintf(stderr, "functions_hashes: no block %lu in %s\n", number, path);
    exit(1);
  }
  fclose(file);
  uint64_t word = 0;
  for (int i = 7; i >= 0; --i)
    word = word << 8 | bytes[i];
  return word;
}

static int compareBlocks(const char *folder, int blocks, char **numbers) {
  int different = 0;
  for (int f = 0; f < count; ++f)
    for (int b = 0; b < blocks; ++b) {
      const unsigned long number = strtoul(numbers[b], NULL, 10);
      const uint32_t first = (uint32_t)(number * block);
      if (hashOfBlock(functions[f].f32, first) == readHash(folder, functions[f].name, number))
        continue;
      ++different;
      printf("%s: block %lu differs\n", functions[f].name, number);
    }
  printf("%d of %d blocks differ\n", different, count * blocks);
  return different != 0;
}

static uint64_t nextRandom(uint64_t *seed) { /* splitmix64 */
  uint64_t z = *seed += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

/* Any bits, and numbers of ordinary size. */
static void fill(double *x, float *y, uint64_t seed) {
  for (int i = 0; i < chunk; ++i) {
    const uint64_t bits = nextRandom(&seed);
    const uint32_t half = (uint32_t)(bits >> 32);
    memcpy(&x[i], &bits, sizeof bits);
    memcpy(&y[i], &half, sizeof half);
    if (i % 2) {
      x[i] = (double)(int64_t)bits * 0x1p-59;
      y[i] = (float)(int32_t)half * 0x1p-27f;
    }
  }
}

static uint64_t hash32(uint64_t hash, const float *y) {
  for (int i = 0; i < chunk; ++i)
    hash = mixed(hash, bitsOf(y[i]));
  return hash;
}

static uint64_t hash64(uint64_t hash, const double *y) {
  for (int i = 0; i < chunk; ++i) {
    uint64_t bits;
    memcpy(&bits, &y[i], sizeof bits);
    hash = mixed(hash, y[i] != y[i] ? 0x7ff8000000000000 : bits);
  }
  return hash;
}

/* Functions of several kernels keep there what one hands to the next. */
static void *newWorkspace(void) {
  size_t bytes = functions_pow_f64_workspace_bytes(1, chunk);
  const size_t others[] = {functions_atan2_f64_workspace_bytes(1, chunk),
                           functions_pow_f32_workspace_bytes(1, chunk),
                           functions_atan2_f32_workspace_bytes(1, chunk)};
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
    bytes = others[i] > bytes ? others[i] : bytes;
  for (int f = 0; f < count; ++f)
    if (functions[f].workspace(1, chunk) > bytes)
      bytes = functions[f].workspace(1, chunk);
  return aligned_alloc(FUNCTIONS_ALIGNMENT,
                       (bytes / FUNCTIONS_ALIGNMENT + 1) * FUNCTIONS_ALIGNMENT);
}

static void printSample(long results) {
  void *workspace = newWorkspace();
  static double x[chunk], y[chunk], wide[chunk];
  static float a[chunk], b[chunk], narrow[chunk];
  const uint64_t chunks = (uint64_t)(results + chunk - 1) / chunk;
  for (int f = 0; f < count; ++f) {
    uint64_t hash = 0;
    for (uint64_t c = 0; c < chunks; ++c) {
      fill(x, a, c);
      check(functions[f].f32(NULL, state, workspace, chunk, a, narrow));
      check(functions[f].f64(NULL, state, workspace, chunk, x, wide));
      hash = hash64(hash32(hash, narrow), wide);
    }
    printf("%s %016llx\n", functions[f].name, (unsigned long long)hash);
  }
  uint64_t pow = 0, atan2 = 0;
  for (uint64_t c = 0; c < chunks; ++c) {
    fill(x, a, c);
    fill(y, b, c + 1000);
    check(functions_pow_f32(NULL, state, workspace, chunk, a, b, narrow));
    check(functions_pow_f64(NULL, state, workspace, chunk, x, y, wide));
    pow = hash64(hash32(pow, narrow), wide);
    check(functions_atan2_f32(NULL, state, workspace, chunk, a, b, narrow));
    check(functions_atan2_f64(NULL, state, workspace, chunk, x, y, wide));
    atan2 = hash64(hash32(atan2, narrow), wide);
  }
  printf("pow %016llx\natan2 %016llx\n", (unsigned long long)pow, (unsigned long long)atan2);
  free(workspace);
}

int main(int argc, char **argv) {
  if (argc > 3 && strcmp(argv[1], "blocks") == 0)
    return compareBlocks(argv[2], argc - 3, argv + 3);
  if (argc == 3 && strcmp(argv[1], "sample") == 0) {
    printSample(strtol(argv[2], NULL, 10));
    return 0;
  }
  fprintf(stderr, "usage: functions_hashes blocks FOLDER B... | sample N\n");
  return 2;
}
