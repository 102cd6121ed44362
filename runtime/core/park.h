/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sleeping until a word in memory changes. */
#ifndef APRT_CORE_PARK_H
#define APRT_CORE_PARK_H

#include <stdatomic.h>
#include <stdint.h>

/* Sleeps while *word == seen; may return early, so callers check again. */
void aprtPark(_Atomic uint32_t *word, uint32_t seen);

/* Wakes up to `count` threads parked on the word. */
void aprtUnpark(_Atomic uint32_t *word, uint32_t count);

#endif
