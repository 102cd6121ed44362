/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Calls every entry point of a model, found in its reflection table, in every floating-point
 * environment that a host may leave behind: in right calls and in wrong ones, alone, in tasks, in
 * threads that inherit the environment, after a library of fast mathematics was loaded. The bits
 * must be those of the plain environment, nothing may trap, and the registers must come back as
 * they were, flags included.
 *
 *   cc -DMODEL=tiny_model environments.c tiny.o libaprt.a; environments SIZE [LIBRARY]
 *
 * SIZE is what every open dim is set to. */
#define _GNU_SOURCE
#include "aprt.h"
#include "float_registers.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const aprt_model *MODEL(void);

enum { mostTensors = 64, mostShapes = 512, mostDims = 16, workers = 3 };

static const aprt_model *model;
static int64_t size;
static int failures;
/* Of the thread that calls; tasks take the one of the session. */
static _Thread_local const FloatRegisters *environment = &kPlain;
static const FloatRegisters *taskEnvironment;

static void onTrap(int signal) {
  static const char text[] = "a floating-point exception was delivered\n";
  (void)signal;
  if (write(1, text, sizeof text - 1) < 0)
    _exit(2);
  _exit(1);
}

static void *allocate(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
  if (!memory)
    exit(2);
  memset(memory, 0, (bytes + 64) / 64 * 64);
  return memory;
}

static uint64_t hash(uint64_t seed, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; ++i)
    seed = (seed ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
  return seed;
}

static size_t elementBytes(int32_t dtype) {
  static const size_t bytes[] = {4, 8, 4, 8, 1, 1, 2};
  return bytes[dtype];
}

/* Bits of ordinary numbers, with a subnormal now and then; no arithmetic is done here. */
static void fill(void *data, size_t count, const aprt_tensor *tensor) {
  static uint32_t random;
  random = 1;
  const uint64_t limit = tensor->index_limit > 0 ? (uint64_t)tensor->index_limit : 2;
  for (size_t i = 0; i < count; ++i) {
    random = random * 1664525u + 1013904223u;
    const uint32_t sign = random & 0x80000000u, fraction = (random >> 7) & 0x7fffff;
    const uint32_t single = i % 11 == 5 ? sign | fraction : sign | 0x3f000000u | fraction;
    const uint64_t wide = (uint64_t)sign << 32 | 0x3fe0000000000000u | (uint64_t)fraction << 29;
    switch (tensor->dtype) {
    case APRT_F32:
      ((uint32_t *)data)[i] = single;
      break;
    case APRT_F64:
      ((uint64_t *)data)[i] = wide;
      break;
    case APRT_I32:
      ((uint32_t *)data)[i] = (uint32_t)((random >> 8) % limit);
      break;
    case APRT_I64:
      ((uint64_t *)data)[i] = (random >> 8) % limit;
      break;
    case APRT_BF16:
      ((uint16_t *)data)[i] = (uint16_t)(single >> 16);
      break;
    default:
      ((uint8_t *)data)[i] = (uint8_t)((random >> 8) % 2);
    }
  }
}

static void expectRegisters(const char *where, const FloatRegisters *expected) {
  const FloatRegisters found = readRegisters();
  setRegisters(&kPlain);
  if (areSameRegisters(expected, &found))
    return;
  printf("%s, %s: registers %llx %llx %x %x became %llx %llx %x %x\n", where, expected->name,
         (unsigned long long)expected->control, (unsigned long long)expected->flags,
         (unsigned)expected->x87, (unsigned)expected->x87Flags, (unsigned long long)found.control,
         (unsigned long long)found.flags, (unsigned)found.x87, (unsigned)found.x87Flags);
  ++failures;
}

/* A host's scheduler: another environment for every task, another worker for every block. What it
 * leaves behind must not matter, but for the x87 control word, which a model never touches. */
static void changeAndRun(void *ctx, int64_t n, aprt_task fn, void *arg) {
  FloatRegisters left = *taskEnvironment;
  left.x87 = readRegisters().x87;
  (void)ctx;
  for (int64_t block = n - 1; block >= 0; --block) {
    setRegisters(taskEnvironment);
    fn(arg, block, (uint32_t)(block % workers));
    expectRegisters("a task", taskEnvironment);
  }
  setRegisters(&left);
}

/* The call in the thread's environment; whatever happens, the registers come back. */
static aprt_status call(const aprt_entry *entry, const aprt_call *arguments) {
  setRegisters(environment);
  const aprt_status status = entry->call(arguments);
  expectRegisters(entry->name, environment);
  return status;
}

static void expectStatus(const aprt_entry *entry, const aprt_call *arguments,
                         aprt_status expected) {
  const aprt_status found = call(entry, arguments);
  if (found != expected) {
    printf("%s, %s: status %d instead of %d (%s)\n", entry->name, environment->name, found,
           expected, model->status_text(found));
    ++failures;
  }
}

static void callWrongly(const aprt_entry *entry, aprt_call arguments) {
  expectStatus(entry, NULL, APRT_NULL_ARGUMENT);
  aprt_exec exec = arguments.exec ? *arguments.exec : (aprt_exec){.size = sizeof exec};
  aprt_call wrong = arguments;
  wrong.size = 1;
  expectStatus(entry, &wrong, APRT_BAD_STRUCT_SIZE);
  wrong = arguments;
  wrong.state = (char *)arguments.state + 4;
  expectStatus(entry, &wrong, APRT_MISALIGNED);
  wrong = arguments;
  wrong.exec = &exec;
  exec.workspace_bytes = 0;
  if (entry->workspace(exec.workers, arguments.dims) != 0)
    expectStatus(entry, &wrong, APRT_WORKSPACE_TOO_SMALL);
  const int64_t negative[mostDims] = {-1};
  wrong = arguments;
  wrong.dims = negative;
  if (entry->dim_count != 0)
    expectStatus(entry, &wrong, APRT_BAD_DIMENSION);
  for (uint32_t i = 0; i < entry->input_count; ++i) {
    if (entry->inputs[i].index_limit == 0)
      continue;
    static const int64_t outside[1 << 16] = {-1};
    const void *inputs[mostTensors];
    memcpy(inputs, arguments.inputs, entry->input_count * sizeof inputs[0]);
    inputs[i] = outside;
    wrong = arguments;
    wrong.inputs = inputs;
    expectStatus(entry, &wrong, APRT_INDEX_OUT_OF_RANGE);
  }
}

typedef struct {
  void *state;
  void *gradients;
  const aprt_exec *exec;
  uint64_t digest;
} Session;

static void callEntry(Session *session, const aprt_entry *entry) {
  int64_t dims[mostDims], shapes[mostShapes];
  for (uint32_t i = 0; i < mostDims; ++i)
    dims[i] = size;
  if (entry->shapes(dims, shapes) != APRT_OK)
    exit(2);
  const int64_t *shape = shapes;
  const void *inputs[mostTensors];
  void *results[mostTensors];
  size_t resultBytes[mostTensors];
  for (uint32_t i = 0; i < entry->input_count + entry->result_count; ++i) {
    const int isInput = i < entry->input_count;
    const aprt_tensor *tensor =
        isInput ? &entry->inputs[i] : &entry->results[i - entry->input_count];
    size_t count = 1;
    for (uint32_t d = 0; d < tensor->rank; ++d)
      count *= (size_t)*shape++;
    void *data = allocate(count * elementBytes(tensor->dtype));
    if (isInput) {
      fill(data, count, tensor);
      inputs[i] = data;
    } else {
      results[i - entry->input_count] = data;
      resultBytes[i - entry->input_count] = count * elementBytes(tensor->dtype);
    }
  }
  aprt_exec exec = session->exec ? *session->exec : (aprt_exec){.size = sizeof exec, .workers = 1};
  exec.workspace_bytes = entry->workspace(exec.workers, dims);
  void *workspace = allocate(exec.workspace_bytes);
  const aprt_call arguments = {.size = sizeof arguments,
                               .exec = &exec,
                               .state = session->state,
                               .workspace = workspace,
                               .dims = dims,
                               .inputs = inputs,
                               .gradients = session->gradients,
                               .results = results};
  callWrongly(entry, arguments);
  expectStatus(entry, &arguments, APRT_OK);
  session->digest = hash(session->digest, session->state, model->state_bytes);
  for (uint32_t i = 0; i < entry->result_count; ++i) {
    session->digest = hash(session->digest, results[i], resultBytes[i]);
    free(results[i]);
  }
  for (uint32_t i = 0; i < entry->input_count; ++i)
    free((void *)inputs[i]);
  free(workspace);
}

static uint64_t gradientBytes(void) {
  uint64_t most = 64;
  for (uint32_t i = 0; i < model->train_block_count; ++i)
    if (model->train_blocks[i].gradient_bytes > most)
      most = model->train_blocks[i].gradient_bytes;
  return most;
}

/* Everything that the model can do, twice, from its first state on. */
static uint64_t run(const aprt_exec *exec) {
  Session session = {allocate(model->state_bytes), allocate(gradientBytes()), exec, 1};
  for (uint32_t i = 0; i < model->entry_count; ++i)
    if (model->entries[i].kind == APRT_INIT)
      callEntry(&session, &model->entries[i]);
  for (uint32_t i = 0; i < 2 * model->entry_count; ++i)
    if (model->entries[i % model->entry_count].kind != APRT_INIT)
      callEntry(&session, &model->entries[i % model->entry_count]);
  session.digest = hash(session.digest, session.gradients, gradientBytes());
  free(session.state);
  free(session.gradients);
  return session.digest;
}

static void compare(const char *how, uint64_t expected, uint64_t found) {
  if (found == expected)
    return;
  printf("%s, %s: other bits\n", how, environment->name);
  ++failures;
}

static void *runInThread(void *expected) {
  /* Whatever the thread was started with. */
  const FloatRegisters inherited = readRegisters();
  environment = &inherited;
  compare("a thread", *(const uint64_t *)expected, run(NULL));
  environment = &kPlain;
  return NULL;
}

static void runInNewThread(const FloatRegisters *parents, uint64_t expected) {
  pthread_t thread;
  setRegisters(parents);
  const int failed = pthread_create(&thread, NULL, runInThread, &expected);
  setRegisters(&kPlain);
  if (failed || pthread_join(thread, NULL) != 0)
    exit(2);
}

/* Workers that were started in one environment, called from another. */
static void runOnPool(const FloatRegisters *workersEnvironment, uint64_t expected) {
  setRegisters(workersEnvironment);
  aprt_pool *pool = aprt_pool_create(workers);
  setRegisters(&kPlain);
  const aprt_exec exec = aprt_pool_exec(pool, 0);
  compare("a pool", expected, run(&exec));
  environment = workersEnvironment;
  compare("a pool of the same", expected, run(&exec));
  environment = &kPlain;
  aprt_pool_destroy(pool);
}

static void runAfterLoading(const char *library, uint64_t expected) {
  if (!dlopen(library, RTLD_NOW) || !isFlushing()) {
    printf("the library of fast mathematics changes nothing: %s\n", dlerror());
    ++failures;
    return;
  }
  const FloatRegisters loaded = readRegisters();
  environment = &loaded;
  compare("after dlopen", expected, run(NULL));
  environment = &kPlain;
}

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  size = atoll(argv[1]);
  model = MODEL();
  signal(SIGFPE, onTrap);
  setRegisters(&kPlain);
  const uint64_t expected = run(NULL);
  const aprt_exec changing = {.size = sizeof changing, .workers = workers, .par_for = changeAndRun};
  for (int i = 0; i < kHostileCount; ++i) {
    environment = &kHostile[i];
    compare("a call", expected, run(NULL));
    taskEnvironment = &kHostile[i];
    environment = &kPlain;
    compare("tasks", expected, run(&changing));
    environment = &kHostile[kHostileCount - 1 - i];
    compare("tasks of another", expected, run(&changing));
    environment = &kPlain;
    runInNewThread(&kHostile[i], expected);
    runOnPool(&kHostile[i], expected);
  }
  if (argc > 2)
    runAfterLoading(argv[2], expected);
  printf("%s %016llx, %d failures\n", model->name, (unsigned long long)expected, failures);
  return failures != 0;
}
