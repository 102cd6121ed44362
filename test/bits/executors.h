/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Ways of running the blocks of a kernel, all of them allowed by the ABI: in reverse, and on
 * threads that take shuffled blocks, sleep and yield at random. */
#ifndef BITS_EXECUTORS_H
#define BITS_EXECUTORS_H

#include "aprt.h"

/* How many kernels ran in parallel, and how many blocks they had: says whether a run has tested
 * anything. */
typedef struct bits_counts {
  uint64_t kernels;
  uint64_t blocks;
} bits_counts;
extern bits_counts bits_parallel;

/* Flushes subnormals and rounds towards zero in this thread, for all tasks too. */
void bits_make_hostile(void);
/* Whether the thread's environment is the hostile one, or was never made so. */
int bits_is_environment_kept(void);

/* `ctx` of par_for points to the number of workers. */
void bits_backwards(void *ctx, int64_t n, aprt_task fn, void *arg);

/* Starts workers - 1 threads; delays and the order of blocks come from `seed`. Null where threads
 * lack. `ctx` of bits_jitter is what it returns. */
void *bits_jitter_create(uint32_t workers, uint64_t seed);
void bits_jitter(void *ctx, int64_t n, aprt_task fn, void *arg);

/* Runs on the pool of libaprt and counts. `ctx` points to the pool's context. */
void bits_pool(void *ctx, int64_t n, aprt_task fn, void *arg);

#endif
