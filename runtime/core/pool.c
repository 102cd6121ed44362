/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The task pool: fork and join over blocks.
 *
 * One job runs at a time. The caller publishes it, takes blocks like every worker, closes the job
 * when no block is left, and waits only for workers that are inside it. A worker that is parked or
 * not scheduled joins late or not at all, so it never delays a caller. Every worker starts in its
 * own range of blocks, the same in each job of one size, and helps out in the others' ranges
 * afterwards. Nothing is allocated after creation.
 *
 * A caller that finds the pool busy runs its blocks on its own thread. That serves nested calls and
 * several threads on one pool alike, and cannot deadlock.
 *
 * The worker number of a nested call is the one of the task around it, so scratch memory indexed
 * by worker number stays private to a thread. */
#define _GNU_SOURCE
#include "aprt.h"
#include "park.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { cacheLine = 64, maxWorkers = 1024 };

/* The job word. A worker joins by adding one while JOB_OPEN is set; so once the caller has cleared
 * that bit and the count is zero, nobody reads the job any more. The serial number in the bits
 * above tells a worker which job it has helped with already. */
#define JOB_COUNT 0x000007ffu
#define JOB_OPEN 0x00000800u
#define JOB_WAITING 0x00001000u /* the caller sleeps until the count is zero */
#define JOB_SERIAL 0xffffe000u
#define JOB_SERIAL_STEP 0x00002000u

/* How many blocks of a worker's range have been handed out. */
typedef struct Slot {
  alignas(cacheLine) _Atomic int64_t taken;
} Slot;

typedef struct Worker {
  struct aprt_pool *pool;
  pthread_t thread;
  uint32_t id;
} Worker;

struct aprt_pool {
  alignas(cacheLine) _Atomic uint32_t job;
  alignas(cacheLine) _Atomic uint32_t busy;   /* 1 while a caller owns the pool */
  alignas(cacheLine) _Atomic uint32_t signal; /* what idle workers park on */
  _Atomic uint32_t sleepers;
  _Atomic uint32_t stop;

  /* The job; written only while it is closed and nobody is inside. */
  alignas(cacheLine) aprt_task fn;
  void *arg;
  int64_t n;

  uint32_t workers;
  uint32_t started; /* threads that exist, for destroy */
  uint32_t spins;   /* rounds of 64 pauses before a thread parks; 0 where CPUs are scarce */
  pid_t process;
  Slot *slots;
  Worker *threads;
};

/* The tasks this thread is inside of, innermost first. */
typedef struct Frame {
  const aprt_pool *pool;
  uint32_t worker;
  const struct Frame *outer;
} Frame;

static _Thread_local const Frame *innermost;

static uint32_t workerOfThisThread(const aprt_pool *pool) {
  for (const Frame *frame = innermost; frame; frame = frame->outer)
    if (frame->pool == pool)
      return frame->worker;
  return 0;
}

static void pauseBriefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The lengths differ by at most one; without the risk of overflow that n * worker has. */
static int64_t rangeBegin(int64_t n, uint32_t workers, uint32_t worker) {
  int64_t share = n / workers, rest = n % workers;
  return share * worker + (worker < rest ? worker : rest);
}

static void runBlocks(aprt_pool *pool, uint32_t worker) {
  const Frame frame = {pool, worker, innermost};
  innermost = &frame;
  const aprt_task fn = pool->fn;
  void *const arg = pool->arg;
  const int64_t n = pool->n;
  for (uint32_t i = 0; i < pool->workers; ++i) {
    const uint32_t owner = (worker + i) % pool->workers;
    const int64_t begin = rangeBegin(n, pool->workers, owner);
    const int64_t length = rangeBegin(n, pool->workers, owner + 1) - begin;
    _Atomic int64_t *taken = &pool->slots[owner].taken;
    /* Looking first keeps a finished range's line shared instead of moving between the cores. */
    while (atomic_load_explicit(taken, memory_order_relaxed) < length) {
      const int64_t index = atomic_fetch_add_explicit(taken, 1, memory_order_relaxed);
      if (index >= length)
        break;
      fn(arg, begin + index, worker);
    }
  }
  innermost = frame.outer;
}

static bool tryJoin(aprt_pool *pool, uint32_t *lastSerial) {
  uint32_t word = atomic_load_explicit(&pool->job, memory_order_relaxed);
  while ((word & JOB_OPEN) && (word & JOB_SERIAL) != *lastSerial) {
    if (atomic_compare_exchange_weak_explicit(&pool->job, &word, word + 1, memory_order_acquire,
                                              memory_order_relaxed)) {
      *lastSerial = word & JOB_SERIAL;
      return true;
    }
  }
  return false;
}

static void leave(aprt_pool *pool) {
  const uint32_t before = atomic_fetch_sub_explicit(&pool->job, 1, memory_order_release);
  if ((before & JOB_COUNT) == 1 && (before & JOB_WAITING))
    aprtUnpark(&pool->job, 1);
}

static bool hasNews(aprt_pool *pool, uint32_t lastSerial) {
  const uint32_t word = atomic_load(&pool->job);
  return ((word & JOB_OPEN) && (word & JOB_SERIAL) != lastSerial) || atomic_load(&pool->stop);
}

static void waitForNews(aprt_pool *pool, uint32_t lastSerial) {
  for (uint32_t round = 0; round < pool->spins; ++round)
    for (int i = 0; i < 64; ++i) {
      if (hasNews(pool, lastSerial))
        return;
      pauseBriefly();
    }
  /* The caller publishes, then looks for sleepers; a worker becomes a sleeper, then looks for a
   * job. One of the two sees the other. */
  const uint32_t seen = atomic_load(&pool->signal);
  atomic_fetch_add(&pool->sleepers, 1);
  if (!hasNews(pool, lastSerial))
    aprtPark(&pool->signal, seen);
  atomic_fetch_sub(&pool->sleepers, 1);
}

static void *workerMain(void *argument) {
  const Worker *self = argument;
  aprt_pool *pool = self->pool;
  uint32_t lastSerial = 0;
  while (!atomic_load_explicit(&pool->stop, memory_order_acquire)) {
    if (tryJoin(pool, &lastSerial)) {
      runBlocks(pool, self->id);
      leave(pool);
    } else {
      waitForNews(pool, lastSerial);
    }
  }
  return NULL;
}

static void wakeSleepers(aprt_pool *pool, int64_t wanted) {
  const uint32_t sleepers = atomic_load(&pool->sleepers);
  if (sleepers == 0)
    return;
  atomic_fetch_add(&pool->signal, 1);
  aprtUnpark(&pool->signal, wanted < sleepers ? (uint32_t)wanted : sleepers);
}

static void openJob(aprt_pool *pool, int64_t n, aprt_task fn, void *arg) {
  pool->fn = fn;
  pool->arg = arg;
  pool->n = n;
  for (uint32_t i = 0; i < pool->workers; ++i)
    atomic_store_explicit(&pool->slots[i].taken, 0, memory_order_relaxed);
  uint32_t serial = atomic_load_explicit(&pool->job, memory_order_relaxed) & JOB_SERIAL;
  serial += JOB_SERIAL_STEP;
  if (serial == 0) /* what workers start with */
    serial = JOB_SERIAL_STEP;
  atomic_store(&pool->job, serial | JOB_OPEN);
  wakeSleepers(pool, n - 1);
}

static void closeJob(aprt_pool *pool) {
  uint32_t word = atomic_fetch_and_explicit(&pool->job, ~JOB_OPEN, memory_order_acquire);
  for (uint32_t round = 0; (word & JOB_COUNT) != 0;) {
    if (round < pool->spins) {
      for (int i = 0; i < 64 && (word & JOB_COUNT) != 0; ++i) {
        pauseBriefly();
        word = atomic_load_explicit(&pool->job, memory_order_acquire);
      }
      ++round;
    } else {
      word = atomic_fetch_or_explicit(&pool->job, JOB_WAITING, memory_order_acquire) | JOB_WAITING;
      if ((word & JOB_COUNT) != 0)
        aprtPark(&pool->job, word);
      word = atomic_load_explicit(&pool->job, memory_order_acquire);
    }
  }
  /* An open bit is clear here already; the serial number stays, the waiting bit goes. */
  atomic_fetch_and_explicit(&pool->job, JOB_SERIAL, memory_order_acquire);
}

static void parFor(void *ctx, int64_t n, aprt_task fn, void *arg) {
  aprt_pool *pool = ctx;
  if (n > 1 && pool->workers > 1 &&
      atomic_exchange_explicit(&pool->busy, 1, memory_order_acquire) == 0) {
    openJob(pool, n, fn, arg);
    runBlocks(pool, 0);
    closeJob(pool);
    atomic_store_explicit(&pool->busy, 0, memory_order_release);
    return;
  }
  const uint32_t worker = workerOfThisThread(pool);
  for (int64_t block = 0; block < n; ++block)
    fn(arg, block, worker);
}

static uint32_t availableCpus(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return (uint32_t)CPU_COUNT(&set);
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (uint32_t)online : 1;
}

/* Rounds of 64 pauses in about 50 microseconds: longer than the gap between two kernels of a step,
 * short against a time slice. A pause takes 5 to 140 cycles, so it is measured. */
static uint32_t measureSpins(void) {
  const int64_t begin = nanoseconds();
  enum { rounds = 16 };
  for (int i = 0; i < rounds * 64; ++i)
    pauseBriefly();
  const int64_t each = (nanoseconds() - begin) / rounds;
  const int64_t spins = 50000 / (each > 50 ? each : 50);
  return spins > 0 ? (uint32_t)spins : 1;
}

static bool startThreads(aprt_pool *pool) {
  /* The host's signal handlers run on the host's threads. */
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
    return false;
  bool ok = true;
  for (uint32_t id = 1; ok && id < pool->workers; ++id) {
    Worker *worker = &pool->threads[id];
    worker->pool = pool;
    worker->id = id;
    ok = pthread_create(&worker->thread, NULL, workerMain, worker) == 0;
    if (ok)
      pool->started = id;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return ok;
}

aprt_pool *aprt_pool_create(uint32_t workers) {
  const uint32_t cpus = availableCpus();
  if (workers == 0)
    workers = cpus < maxWorkers ? cpus : maxWorkers;
  if (workers > maxWorkers)
    return NULL;
  aprt_pool *pool = aligned_alloc(cacheLine, sizeof *pool);
  if (!pool)
    return NULL;
  *pool = (aprt_pool){.workers = workers, .process = getpid()};
  pool->spins = workers <= cpus ? measureSpins() : 0;
  pool->slots = aligned_alloc(cacheLine, workers * sizeof(Slot));
  pool->threads = calloc(workers, sizeof(Worker));
  if (!pool->slots || !pool->threads || !startThreads(pool)) {
    aprt_pool_destroy(pool);
    return NULL;
  }
  return pool;
}

void aprt_pool_destroy(aprt_pool *pool) {
  if (!pool)
    return;
  atomic_store(&pool->stop, 1);
  atomic_fetch_add(&pool->signal, 1);
  aprtUnpark(&pool->signal, maxWorkers);
  /* A forked child has the memory of the pool but not its threads. */
  if (pool->process == getpid())
    for (uint32_t id = 1; id <= pool->started; ++id)
      pthread_join(pool->threads[id].thread, NULL);
  free(pool->slots);
  free(pool->threads);
  free(pool);
}

uint32_t aprt_pool_workers(const aprt_pool *pool) { return pool ? pool->workers : 1; }

aprt_exec aprt_pool_exec(aprt_pool *pool, uint64_t workspace_bytes) {
  aprt_exec exec = {.size = sizeof exec, .workers = 1, .workspace_bytes = workspace_bytes};
  if (pool) {
    exec.workers = pool->workers;
    exec.ctx = pool;
    exec.par_for = parFor;
  }
  return exec;
}
