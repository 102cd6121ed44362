/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Checks the conversions of functions.apr by integer arithmetic on mantissas, which shares nothing
 * with the compiler or with the processor's conversions: every STRIDE-th f32 and all bf16; numbers
 * at, next to and between rounding boundaries, and random ones, of the wider types. */
#include "functions.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { chunk = 4096 };

static _Alignas(FUNCTIONS_ALIGNMENT) unsigned char state[FUNCTIONS_ALIGNMENT];
static int failures;

/* A binary format: bits of precision, exponents of the smallest subnormal and of overflow. */
struct Format {
  int precision, least, overflow;
};
static const struct Format bf16 = {8, -133, 128}, f32 = {24, -149, 128}, f64 = {53, -1074, 1024};

/* The number nearest to mantissa * 2^exponent in the format, ties to even. */
static double rounded(uint64_t mantissa, int exponent, struct Format format) {
  if (mantissa == 0)
    return 0;
  int length = 64 - __builtin_clzll(mantissa);
  int quantum = length + exponent - format.precision;
  if (quantum < format.least)
    quantum = format.least;
  const int dropped = quantum - exponent;
  if (dropped > 64)
    return 0;
  if (dropped > 0) {
    const uint64_t kept = dropped == 64 ? 0 : mantissa >> dropped;
    const uint64_t half = (uint64_t)1 << (dropped - 1);
    const uint64_t rest = dropped == 64 ? mantissa : mantissa & ((half << 1) - 1);
    mantissa = kept + (rest > half || (rest == half && (kept & 1)));
    exponent = quantum;
  }
  if (mantissa == 0)
    return 0;
  length = 64 - __builtin_clzll(mantissa);
  /* The mantissa has few enough bits now, or exactly a power of two more. */
  return length + exponent > format.overflow ? INFINITY : ldexp((double)mantissa, exponent);
}

static double roundedInteger(int64_t x, struct Format format) {
  const uint64_t magnitude = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
  const double result = rounded(magnitude, 0, format);
  return x < 0 ? -result : result;
}

static double roundedDouble(double x, struct Format format) {
  if (isnan(x) || isinf(x))
    return x;
  int exponent;
  const double fraction = frexp(fabs(x), &exponent);
  return copysign(rounded((uint64_t)ldexp(fraction, 53), exponent - 53, format), x);
}

/* Truncated and saturated; 0 for NaN. */
static int64_t truncated(double x, int64_t least, int64_t greatest) {
  if (isnan(x))
    return 0;
  if (isinf(x))
    return x < 0 ? least : greatest;
  int exponent;
  const double fraction = frexp(fabs(x), &exponent);
  if (exponent > 63)
    return x < 0 ? least : greatest;
  const uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
  const uint64_t magnitude = exponent >= 53 ? mantissa << (exponent - 53)
                             : exponent < 1 ? 0
                                            : mantissa >> (53 - exponent);
  if (x < 0)
    return magnitude > 0 - (uint64_t)least ? least : (int64_t)(0 - magnitude);
  return magnitude > (uint64_t)greatest ? greatest : (int64_t)magnitude;
}

static double bfloatValue(uint16_t bits) {
  const int exponent = bits >> 7 & 0xff, fraction = bits & 0x7f;
  const double magnitude = exponent == 0xff ? (fraction ? NAN : INFINITY)
                           : exponent == 0  ? ldexp(fraction, -133)
                                            : ldexp(fraction + 128, exponent - 134);
  return bits & 0x8000 ? -magnitude : magnitude;
}

static uint64_t nextRandom(void) { /* splitmix64 */
  static uint64_t seed = 0;
  uint64_t z = seed += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

static void check(aprt_status status) {
  if (status == APRT_OK)
    return;
  fprintf(stderr, "functions_conversions: %s\n", functions_status_text(status));
  exit(1);
}

static void compare(const char *what, double x, double found, double expected) {
  if (isnan(expected) ? isnan(found) : found == expected && !signbit(found) == !signbit(expected))
    return;
  if (++failures <= 20)
    printf("%s of %a gives %a, not %a\n", what, x, found, expected);
}

static void compareIntegers(const char *what, double x, int64_t found, int64_t expected) {
  if (found != expected && ++failures <= 20)
    printf("%s of %a gives %lld, not %lld\n", what, x, (long long)found, (long long)expected);
}

static void checkBfloats(void) {
  static uint16_t x[chunk];
  static float y[chunk];
  for (int first = 0; first < 65536; first += chunk) {
    for (int i = 0; i < chunk; ++i)
      x[i] = (uint16_t)(first + i);
    check(functions_bf16_to_f32(NULL, state, NULL, chunk, x, y));
    for (int i = 0; i < chunk; ++i)
      compare("f32", bfloatValue(x[i]), y[i], bfloatValue(x[i]));
  }
}

static void checkFloats(uint64_t stride) {
  static float x[chunk];
  static uint16_t narrow[chunk];
  static int32_t whole[chunk];
  for (uint64_t next = 0; next <= UINT32_MAX;) {
    int n = 0;
    for (; n < chunk && next <= UINT32_MAX; ++n, next += stride) {
      const uint32_t bits = (uint32_t)next;
      memcpy(&x[n], &bits, sizeof bits);
    }
    check(functions_f32_to_bf16(NULL, state, NULL, n, x, narrow));
    check(functions_f32_to_i32(NULL, state, NULL, n, x, whole));
    for (int i = 0; i < n; ++i) {
      compare("bf16", x[i], bfloatValue(narrow[i]), roundedDouble(x[i], bf16));
      if (isnan(x[i]) && narrow[i] != 0x7fc0)
        compareIntegers("the NaN", x[i], narrow[i], 0x7fc0);
      compareIntegers("i32", x[i], whole[i], truncated(x[i], INT32_MIN, INT32_MAX));
    }
  }
}

/* Somewhere around a boundary of f32, or of bf16, or anywhere. */
static double nextDouble(void) {
  const uint64_t choice = nextRandom();
  uint64_t bits = nextRandom();
  if (choice % 4 == 0) {
    double any;
    memcpy(&any, &bits, sizeof any);
    return any;
  }
  /* The upper bits of a mantissa, then 0, 1000… or 1111…, then at most a few units more. */
  const int kept = choice % 4 == 1 ? 7 : choice % 4 == 2 ? 23 : (int)(choice >> 8 & 31);
  const int exponent = 1023 + (int)(choice >> 16 & 511) - 256;
  const uint64_t ends[] = {0, (uint64_t)1 << (51 - kept), ((uint64_t)1 << (52 - kept)) - 1};
  uint64_t fraction = bits >> 12 & ~(((uint64_t)1 << (52 - kept)) - 1);
  fraction |= ends[bits % 3];
  bits = ((bits & 2048) << 52) | (uint64_t)exponent << 52 | (fraction & 0xfffffffffffff);
  bits += (nextRandom() % 5) - 2;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static void checkDoubles(int chunks) {
  static double x[chunk];
  static float y[chunk];
  static uint16_t narrow[chunk];
  static int64_t whole[chunk];
  const double edges[] = {0x1.ffffffp127,
                          0x1.fffffefffffffp127,
                          0x1.fffffep127,
                          0x1.ffp127,
                          0x1.fefffffffffffp127,
                          0x1p-150,
                          0x1.0000000000001p-150,
                          0x1p-149,
                          0x1.8p-149,
                          0x1p-134,
                          0x1.0000000000001p-134,
                          0x1.8p-133,
                          0x1p63,
                          0x1.fffffffffffffp62,
                          0x1.0000000000001p63,
                          0x1p31,
                          0.5,
                          0.0,
                          INFINITY,
                          0x1p-1074,
                          0x1.fffffffffffffp1023,
                          NAN};
  for (int c = 0; c < chunks; ++c) {
    for (int i = 0; i < chunk; ++i)
      x[i] = nextDouble();
    for (size_t i = 0; i < sizeof edges / sizeof *edges; ++i) {
      x[2 * i] = edges[i];
      x[2 * i + 1] = -edges[i];
    }
    check(functions_f64_to_f32(NULL, state, NULL, chunk, x, y));
    check(functions_f64_to_bf16(NULL, state, NULL, chunk, x, narrow));
    check(functions_f64_to_i64(NULL, state, NULL, chunk, x, whole));
    for (int i = 0; i < chunk; ++i) {
      compare("f32", x[i], y[i], roundedDouble(x[i], f32));
      compare("bf16", x[i], bfloatValue(narrow[i]), roundedDouble(x[i], bf16));
      compareIntegers("i64", x[i], whole[i], truncated(x[i], INT64_MIN, INT64_MAX));
    }
  }
}

/* Any length; ones and zeros in long runs, which make ties and what is next to them. */
static int64_t nextInteger(void) {
  uint64_t bits = nextRandom();
  const uint64_t choice = nextRandom();
  const int length = (int)(choice & 63), kept = (int)(choice >> 6 & 63);
  bits = bits >> 1 >> length;
  if (choice >> 12 & 1) { /* a few leading bits, then one bit below them, then nearly nothing */
    const int lowest = 62 - length - kept;
    if (lowest > 0)
      bits = ((bits >> lowest | 1) << lowest) + (choice >> 13) % 3 - 1;
  }
  return (int64_t)(choice >> 32 & 1 ? 0 - bits : bits);
}

static void checkIntegers(int chunks) {
  static int64_t x[chunk];
  static int32_t small[chunk];
  static float y[chunk];
  static double wide[chunk];
  static uint16_t narrow[chunk];
  const int64_t edges[] = {0,
                           1,
                           INT64_MAX,
                           INT64_MIN,
                           INT64_MAX - 255,
                           INT32_MAX,
                           INT32_MIN,
                           0x40000040000000,
                           16777217,
                           16777219,
                           257,
                           259,
                           0x7fffff4000000000,
                           0x7fffffbfffffffff,
                           0x7fffffc000000000,
                           0x7fffffffffffffff,
                           (1LL << 53) + 1};
  for (int c = 0; c < chunks; ++c) {
    for (int i = 0; i < chunk; ++i)
      x[i] = nextInteger();
    for (size_t i = 0; i < sizeof edges / sizeof *edges; ++i) {
      x[2 * i] = edges[i];
      x[2 * i + 1] = (int64_t)(0 - (uint64_t)edges[i]);
    }
    for (int i = 0; i < chunk; ++i)
      small[i] = (int32_t)(uint32_t)x[i];
    check(functions_i64_to_f32(NULL, state, NULL, chunk, x, y));
    check(functions_i64_to_f64(NULL, state, NULL, chunk, x, wide));
    check(functions_i64_to_bf16(NULL, state, NULL, chunk, x, narrow));
    for (int i = 0; i < chunk; ++i) {
      compare("f32 of i64", (double)x[i], y[i], roundedInteger(x[i], f32));
      compare("f64 of i64", (double)x[i], wide[i], roundedInteger(x[i], f64));
      compare("bf16 of i64", (double)x[i], bfloatValue(narrow[i]), roundedInteger(x[i], bf16));
    }
    check(functions_i32_to_f32(NULL, state, NULL, chunk, small, y));
    check(functions_i32_to_bf16(NULL, state, NULL, chunk, small, narrow));
    for (int i = 0; i < chunk; ++i) {
      compare("f32 of i32", small[i], y[i], roundedInteger(small[i], f32));
      compare("bf16 of i32", small[i], bfloatValue(narrow[i]), roundedInteger(small[i], bf16));
    }
  }
}

int main(int argc, char **argv) {
  const uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  if (stride == 0) {
    fprintf(stderr, "usage: functions_conversions STRIDE\n");
    return 2;
  }
  const int chunks = stride == 1 ? 20000 : 50;
  checkBfloats();
  checkFloats(stride);
  checkDoubles(chunks);
  checkIntegers(chunks);
  printf("%d failures\n", failures);
  return failures != 0;
}
