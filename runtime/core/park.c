/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#define _GNU_SOURCE
#include "park.h"

#ifdef __linux__

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

void aprtPark(_Atomic uint32_t *word, uint32_t seen) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void aprtUnpark(_Atomic uint32_t *word, uint32_t count) {
  uint32_t limit = count < INT_MAX ? count : INT_MAX;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, limit, NULL, NULL, 0);
}

#else

#include <time.h>

/* Without futexes a parked thread looks again every 50 microseconds. */
void aprtPark(_Atomic uint32_t *word, uint32_t seen) {
  if (atomic_load_explicit(word, memory_order_relaxed) == seen) {
    struct timespec pause = {0, 50000};
    nanosleep(&pause, NULL);
  }
}

void aprtUnpark(_Atomic uint32_t *word, uint32_t count) {
  (void)word;
  (void)count;
}

#endif
