/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Data that are the same on every machine: counted, not drawn, and exact in their dtype. */
#ifndef BITS_DATA_H
#define BITS_DATA_H

#include "aprt.h"

size_t bits_element_bytes(int32_t dtype);
const char *bits_dtype_name(int32_t dtype);

/* A bijection that makes neighbours look unrelated (the finalizer of SplitMix64). */
uint64_t bits_mix(uint64_t x);
uint64_t bits_digest(uint64_t seed, const void *bytes, size_t size);

/* An element of an input from 64 random bits: floats lie in [-1, 1), integers below the input's
 * index limit, or below `range` where it has none. */
void bits_fill_element(char *to, const aprt_tensor *input, uint64_t range, uint64_t random);

#endif
