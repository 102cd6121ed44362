/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Trains the tiny classifier and prints the hash of its state:
 *
 *   tiny_train <how> <workers> <environment>
 *
 * how: "none" passes no context, "serial" one without par_for, "reverse" runs the blocks backwards,
 * each as another worker; with -DWITH_POOL also "pool". environment: "plain", or "hostile": flushes
 * subnormals, where a machine can, and rounds towards zero, in the caller and in every task. */
#define _DEFAULT_SOURCE
#include "hostile_environment.h"
#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef WITH_POOL
#include "aprt.h"
#endif

enum { rows = 1024, steps = 6 };

static float x[rows][64], probabilities[rows][10];
static int32_t y[rows];
static int hostile;

static void setEnvironment(void) {
  if (hostile)
    setHostileEnvironment();
}

static int isEnvironmentKept(void) { return !hostile || isHostileEnvironment(); }

static void reverse(void *ctx, int64_t n, aprt_task fn, void *arg) {
  const uint32_t workers = *(const uint32_t *)ctx;
  for (int64_t block = n - 1; block >= 0; --block) {
    setEnvironment();
    fn(arg, block, (uint32_t)(block % workers));
  }
}

static uint64_t hash(uint64_t seed, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; ++i)
    seed = (seed ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
  return seed;
}

static void makeData(void) {
  uint32_t random = 1;
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < 64; ++i) {
      random = random * 1664525u + 1013904223u;
      x[row][i] = (float)(int32_t)(random >> 8) / 16777216.0f - 0.5f;
    }
    /* Some inputs whose products are subnormal. */
    if (row % 8 == 0)
      x[row][5] = 1e-38f;
    y[row] = (int32_t)(random >> 13) % 10;
  }
}

/* Ends where memory ends: a write behind the block is a crash. */
static void *newBlock(size_t bytes) {
  const size_t used = (bytes + 63) / 64 * 64, page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t mapped = (used + page - 1) / page * page;
  char *memory =
      mmap(NULL, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + mapped, page, PROT_NONE) != 0)
    exit(1);
  memset(memory, 0xa5, mapped);
  return memory + mapped - used;
}

static void check(aprt_status status) {
  if (status == APRT_OK)
    return;
  printf("failed: %s\n", tiny_status_text(status));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  uint32_t workers = (uint32_t)atoi(argv[2]);
  hostile = strcmp(argv[3], "hostile") == 0;
  makeData();

  const size_t bytes = tiny_workspace_bytes(workers, rows);
  void *workspace = newBlock(bytes);
  void *state = newBlock(tiny_state_bytes());
  void *other = newBlock(tiny_state_bytes());
  void *gradients = newBlock(tiny_gradients_bytes());
  memset(state, 0, tiny_state_bytes());
  memset(other, 0, tiny_state_bytes());
  aprt_exec exec = {.size = sizeof exec, .workers = workers, .workspace_bytes = bytes};
  const aprt_exec *context = &exec;
  if (strcmp(argv[1], "none") == 0)
    context = NULL;
  if (strcmp(argv[1], "reverse") == 0) {
    exec.par_for = reverse;
    exec.ctx = &workers;
  }
#ifdef WITH_POOL
  if (strcmp(argv[1], "pool") == 0)
    exec = aprt_pool_exec(aprt_pool_create(workers), bytes);
#endif

  /* One model by step, one by grad and apply: the same bits. */
  uint64_t losses = 1;
  setEnvironment();
  check(tiny_init(state, 7));
  check(tiny_init(other, 7));
  for (int step = 0; step < steps; ++step) {
    const int64_t B = rows - 37 * step;
    tiny_hyper hyper = TINY_HYPER_INIT;
    hyper.step_lr = 0.5;
    tiny_step_out out = TINY_STEP_OUT_INIT;
    check(tiny_step(context, state, workspace, B, x[0], y, step % 2 ? &hyper : NULL, &out));
    tiny_grad_out gradOut = TINY_GRAD_OUT_INIT;
    check(tiny_grad(context, other, workspace, B, x[0], y, NULL, gradients, &gradOut));
    check(tiny_apply(context, other, workspace, gradients, step % 2 ? &hyper : NULL));
    check(tiny_nudge(context, state, workspace, 0.001f, NULL));
    check(tiny_nudge(context, other, workspace, 0.001f, NULL));
    if (memcmp(&out.loss, &gradOut.loss, sizeof out.loss) != 0)
      printf("step and grad differ in loss\n");
    losses = hash(losses, &out.loss, sizeof out.loss);
  }
  check(tiny_predict(context, state, workspace, rows, x[0], probabilities[0]));
  const int kept = isEnvironmentKept();
  hostile = 0;
  if (!kept)
    printf("the caller's floating-point environment was not restored\n");
  if (memcmp(state, other, tiny_state_bytes()) != 0)
    printf("step differs from grad and apply\n");
  printf("state %016llx losses %016llx probabilities %016llx\n",
         (unsigned long long)hash(1, state, tiny_state_bytes()), (unsigned long long)losses,
         (unsigned long long)hash(1, probabilities, sizeof probabilities));
  return 0;
}
