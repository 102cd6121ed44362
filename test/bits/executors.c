/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#define _GNU_SOURCE
#include "executors.h"

#include "../e2e/Inputs/hostile_environment.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

bits_counts bits_parallel;

static int hostile;

void bits_make_hostile(void) {
  hostile = 1;
  setHostileEnvironment();
}

int bits_is_environment_kept(void) { return !hostile || isHostileEnvironment(); }

static void count_kernel(int64_t n) {
  bits_parallel.kernels += 1;
  bits_parallel.blocks += (uint64_t)n;
}

void bits_pool(void *ctx, int64_t n, aprt_task fn, void *arg) {
  const aprt_exec *pool = ctx;
  count_kernel(n);
  pool->par_for(pool->ctx, n, fn, arg);
}

void bits_backwards(void *ctx, int64_t n, aprt_task fn, void *arg) {
  const uint32_t workers = *(const uint32_t *)ctx;
  count_kernel(n);
  for (int64_t block = n - 1; block >= 0; --block) {
    if (hostile)
      setHostileEnvironment();
    fn(arg, block, (uint32_t)(block % workers));
  }
}

typedef struct jitter {
  pthread_mutex_t mutex;
  pthread_cond_t started, finished;
  uint64_t turn; /* counts the kernels that were started */
  uint32_t running;
  uint32_t workers;
  uint64_t seed;
  aprt_task fn;
  void *arg;
  int64_t n, capacity;
  int64_t *order;
  atomic_int_fast64_t next;
} jitter;

typedef struct jitter_thread {
  jitter *pool;
  uint32_t worker;
} jitter_thread;

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static void delay(uint64_t random) {
  if (random % 64 == 0) {
    const struct timespec pause = {0, (long)(random >> 8) % 100000};
    nanosleep(&pause, NULL);
  } else if (random % 8 == 1) {
    sched_yield();
  } else if (random % 4 == 2) {
    for (volatile uint64_t i = (random >> 8) % 2000; i > 0;)
      i = i - 1;
  }
}

static void take_blocks(jitter *pool, uint32_t worker) {
  for (;;) {
    const int64_t at = atomic_fetch_add(&pool->next, 1);
    if (at >= pool->n)
      return;
    delay(mix(pool->seed + pool->turn * 0x9e3779b97f4a7c15u + (uint64_t)at));
    if (hostile)
      setHostileEnvironment();
    pool->fn(pool->arg, pool->order[at], worker);
  }
}

static void *run_thread(void *argument) {
  jitter_thread self = *(jitter_thread *)argument;
  free(argument);
  jitter *pool = self.pool;
  uint64_t seen = 0;
  pthread_mutex_lock(&pool->mutex);
  for (;;) {
    while (pool->turn == seen)
      pthread_cond_wait(&pool->started, &pool->mutex);
    seen = pool->turn;
    pthread_mutex_unlock(&pool->mutex);
    delay(mix(pool->seed + seen * 31 + self.worker));
    take_blocks(pool, self.worker);
    pthread_mutex_lock(&pool->mutex);
    if (--pool->running == 0)
      pthread_cond_signal(&pool->finished);
  }
  return NULL;
}

void *bits_jitter_create(uint32_t workers, uint64_t seed) {
  jitter *pool = calloc(1, sizeof *pool);
  if (!pool)
    return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->started, NULL);
  pthread_cond_init(&pool->finished, NULL);
  pool->workers = workers;
  pool->seed = mix(seed + 1);
  for (uint32_t worker = 1; worker < workers; ++worker) {
    pthread_t thread;
    jitter_thread *self = malloc(sizeof *self);
    if (!self)
      return NULL;
    *self = (jitter_thread){pool, worker};
    if (pthread_create(&thread, NULL, run_thread, self) != 0)
      return NULL;
    pthread_detach(thread);
  }
  return pool;
}

static int shuffle(jitter *pool, int64_t n) {
  if (n > pool->capacity) {
    free(pool->order);
    pool->capacity = 0;
    pool->order = malloc((size_t)n * sizeof *pool->order);
    if (!pool->order)
      return 0;
    pool->capacity = n;
  }
  for (int64_t i = 0; i < n; ++i) {
    const int64_t j =
        (int64_t)(mix(pool->seed ^ (pool->turn << 24) ^ (uint64_t)i) % (uint64_t)(i + 1));
    pool->order[i] = pool->order[j];
    pool->order[j] = i;
  }
  return 1;
}

void bits_jitter(void *ctx, int64_t n, aprt_task fn, void *arg) {
  jitter *pool = ctx;
  count_kernel(n);
  pthread_mutex_lock(&pool->mutex);
  pool->turn += 1;
  if (!shuffle(pool, n))
    abort();
  pool->n = n;
  pool->fn = fn;
  pool->arg = arg;
  pool->running = pool->workers - 1;
  atomic_store(&pool->next, 0);
  pthread_cond_broadcast(&pool->started);
  pthread_mutex_unlock(&pool->mutex);
  take_blocks(pool, 0);
  pthread_mutex_lock(&pool->mutex);
  while (pool->running > 0)
    pthread_cond_wait(&pool->finished, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}
