/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Trains any compiled model through its reflection table and writes everything it can see:
 *
 *   train [--steps=N] [--how=HOW] [--workers=N] [--seed=N] [--hostile] [--apart] [--dim=NAME=N]…
 * FILE
 *
 * The object defines bits_model() (see bits.py). HOW: null, serial, backwards, jitter, pool. Data
 * are a function of step, input and element, and exact in every dtype. FILE gets one line per
 * tensor (what, dtype, shape), an empty line, and the bytes of all of them: the state, the results
 * of the last steps, of every entry and evaluation, and the gradients. Standard output has the
 * sizes that were chosen, a digest per step, and how much ran in parallel. */
#define _GNU_SOURCE
#include "data.h"
#include "executors.h"
#include "parts.h"
#include "snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const aprt_model *bits_model(void);

enum { maximum_dims = 8, default_range = 8 };
static const size_t maximum_bytes = (size_t)1 << 33;

static struct {
  long steps;
  const char *how;
  uint32_t workers;
  uint64_t seed;
  int apart;
  const char *file;
} options = {200, "serial", 1, 1, 0, NULL};

static struct {
  const char *name;
  int64_t value;
  int is_given;
} dims[maximum_dims];
static uint32_t dim_count;

static const aprt_model *model;
static char *state, *workspace, **gradients;
static aprt_exec exec;
/* Integers without a limit in the table count to this; 1 where that was too much for an index. */
static uint64_t integer_range = default_range;

static bits_arguments *memory;

static void fail(const char *what, const char *which, const char *why) {
  fprintf(stderr, "train: %s %s: %s\n", what, which, why);
  exit(1);
}

static void *new_block(size_t bytes, size_t misalignment) {
  void *block = NULL;
  if (bytes > maximum_bytes || posix_memalign(&block, 64, bytes + 128) != 0)
    fail("memory", "", "a block is too large; choose smaller sizes with --dim");
  memset(block, 0, bytes + 128);
  return (char *)block + misalignment;
}

/* ---- Sizes ---- */

static int64_t *find_dim(const char *name) {
  for (uint32_t i = 0; i < dim_count; ++i)
    if (strcmp(dims[i].name, name) == 0)
      return &dims[i].value;
  return NULL;
}

static void collect_dims(void) {
  for (uint32_t e = 0; e < model->entry_count; ++e)
    for (uint32_t d = 0; d < model->entries[e].dim_count; ++d) {
      if (find_dim(model->entries[e].dims[d]))
        continue;
      if (dim_count == maximum_dims)
        fail("model", model->name, "too many open dims");
      dims[dim_count++].name = model->entries[e].dims[d];
    }
}

static void dims_of(const aprt_entry *entry, int64_t *values) {
  for (uint32_t d = 0; d < entry->dim_count; ++d)
    values[d] = *find_dim(entry->dims[d]);
}

/* Dims are checked before the state, so a call without one says whether they fit. */
static aprt_status check_dims(const aprt_entry *entry) {
  int64_t values[maximum_dims];
  dims_of(entry, values);
  const aprt_call call = {.size = sizeof call, .dims = values};
  const aprt_status status = entry->call(&call);
  return status == APRT_BAD_DIMENSION || status == APRT_UNSUPPORTED_CPU ||
                 status >= APRT_FIRST_MODEL_STATUS
             ? status
             : APRT_OK;
}

static int all_dims_fit(void) {
  for (uint32_t e = 0; e < model->entry_count; ++e)
    if (model->entries[e].kind != APRT_INIT && check_dims(&model->entries[e]) != APRT_OK)
      return 0;
  return 1;
}

/* The first of a few odd and even sizes that all entries accept, the same for all dims if possible.
 */
static void choose_dims(void) {
  static const int64_t sizes[] = {21, 24, 16, 12, 10, 8, 6, 4, 3, 2, 1, 32, 64, 100, 128, 256, 784};
  const uint32_t count = sizeof sizes / sizeof *sizes;
  for (uint32_t s = 0; s < count; ++s) {
    for (uint32_t d = 0; d < dim_count; ++d)
      if (!dims[d].is_given)
        dims[d].value = sizes[s];
    if (all_dims_fit())
      return;
  }
  uint64_t combinations = 1;
  for (uint32_t d = 0; d < dim_count && combinations < 1000000; ++d)
    combinations *= dims[d].is_given ? 1 : count;
  for (uint64_t number = 0; number < combinations; ++number) {
    uint64_t rest = number;
    for (uint32_t d = 0; d < dim_count; ++d)
      if (!dims[d].is_given) {
        dims[d].value = sizes[rest % count];
        rest /= count;
      }
    if (all_dims_fit())
      return;
  }
  for (uint32_t e = 0; e < model->entry_count; ++e)
    if (model->entries[e].kind != APRT_INIT && check_dims(&model->entries[e]) != APRT_OK)
      fail("sizes of", model->entries[e].name, model->status_text(check_dims(&model->entries[e])));
}

/* ---- Data ---- */

/* Entries that share the name of an input get the same data. */
static void fill_inputs(const aprt_entry *entry, const bits_arguments *place, uint64_t step) {
  for (uint32_t i = 0; i < entry->input_count; ++i) {
    const aprt_tensor *input = &entry->inputs[i];
    const uint64_t stream =
        bits_mix(bits_digest(1, input->name, strlen(input->name)) + step * 0x9e3779b97f4a7c15u);
    const size_t bytes = bits_element_bytes(input->dtype);
    for (size_t e = 0; e < place->input_elements[i]; ++e)
      bits_fill_element(place->inputs[i] + e * bytes, input, integer_range,
                        bits_mix(stream + (e + 1) * 0x9e3779b97f4a7c15u));
  }
}

/* Memory at odd multiples of the elements' size, so that no vector is aligned by luck. */
static char **new_tensors(const aprt_tensor *tensors, uint32_t count, const int64_t **shapes,
                          size_t **elements) {
  char **blocks = calloc(count + 1, sizeof *blocks);
  *elements = calloc(count + 1, sizeof **elements);
  for (uint32_t i = 0; i < count; ++i) {
    size_t total = 1;
    for (uint32_t d = 0; d < tensors[i].rank; ++d)
      total *= (size_t)*(*shapes)++;
    const size_t bytes = bits_element_bytes(tensors[i].dtype);
    (*elements)[i] = total;
    blocks[i] = new_block(total * bytes, bytes);
  }
  return blocks;
}

static bits_arguments new_arguments(const aprt_entry *entry) {
  bits_arguments place = {0};
  size_t ranks = 1;
  for (uint32_t i = 0; i < entry->input_count; ++i)
    ranks += entry->inputs[i].rank;
  for (uint32_t i = 0; i < entry->result_count; ++i)
    ranks += entry->results[i].rank;
  place.shapes = calloc(ranks, sizeof *place.shapes);
  int64_t values[maximum_dims];
  dims_of(entry, values);
  if (entry->shapes(values, place.shapes) != APRT_OK)
    fail("sizes of", entry->name, "out of range");
  const int64_t *next = place.shapes;
  place.inputs = new_tensors(entry->inputs, entry->input_count, &next, &place.input_elements);
  place.results = new_tensors(entry->results, entry->result_count, &next, &place.result_elements);
  return place;
}

/* ---- Calls ---- */

static void allocate(void) {
  size_t bytes = 0;
  memory = calloc(model->entry_count + 1, sizeof *memory);
  for (uint32_t e = 0; e < model->entry_count; ++e) {
    int64_t values[maximum_dims];
    dims_of(&model->entries[e], values);
    const size_t needed = model->entries[e].workspace(options.workers, values);
    bytes = needed > bytes ? needed : bytes;
    if (model->entries[e].kind != APRT_INIT)
      memory[e] = new_arguments(&model->entries[e]);
  }
  state = new_block(model->state_bytes, 0);
  workspace = new_block(bytes, 0);
  gradients = calloc(model->train_block_count + 1, sizeof *gradients);
  for (uint32_t b = 0; b < model->train_block_count; ++b)
    gradients[b] = new_block(model->train_blocks[b].gradient_bytes, 0);
  exec = (aprt_exec){.size = sizeof exec, .workers = options.workers, .workspace_bytes = bytes};
}

static void check(uint32_t e, aprt_status status) {
  if (status != APRT_OK)
    fail("entry", model->entries[e].name, model->status_text(status));
}

static aprt_status call_once(uint32_t e) {
  const aprt_entry *entry = &model->entries[e];
  int64_t values[maximum_dims];
  dims_of(entry, values);
  const aprt_call call = {
      .size = sizeof call,
      .exec = strcmp(options.how, "null") == 0 ? NULL : &exec,
      .state = state,
      .workspace = workspace,
      .dims = values,
      .inputs = (const void *const *)memory[e].inputs,
      .gradients =
          entry->train_block < model->train_block_count ? gradients[entry->train_block] : NULL,
      .results = (void *const *)memory[e].results,
  };
  return entry->call(&call);
}

static void call_entry(uint32_t e, uint64_t step) {
  /* What the workspace holds before a call means nothing. */
  memset(workspace, (int)(step * 37 + 0xa5),
         exec.workspace_bytes < 65536 ? exec.workspace_bytes : 65536);
  fill_inputs(&model->entries[e], &memory[e], step);
  aprt_status status = call_once(e);
  if (status == APRT_INDEX_OUT_OF_RANGE && integer_range > 1) {
    integer_range = 1;
    fill_inputs(&model->entries[e], &memory[e], step);
    status = call_once(e);
  }
  check(e, status);
}

static void initialize(void) {
  const int64_t seed = (int64_t)options.seed;
  for (uint32_t e = 0; e < model->entry_count; ++e) {
    const aprt_entry *entry = &model->entries[e];
    if (entry->kind != APRT_INIT)
      continue;
    const void *inputs[] = {&seed};
    const aprt_call call = {
        .size = sizeof call, .state = state, .workspace = workspace, .inputs = inputs};
    const aprt_status status = entry->call(&call);
    if (status != APRT_OK)
      fail("entry", entry->name, model->status_text(status));
  }
}

static uint32_t entry_of(uint32_t block, int32_t kind) {
  for (uint32_t e = 0; e < model->entry_count; ++e)
    if (model->entries[e].kind == kind && model->entries[e].train_block == block)
      return e;
  fail("train block", model->train_blocks[block].name, "lacks an entry point");
  return 0;
}

/* Into how many parts the block divides a batch: grad then takes a part of each input. */
static size_t shards_of(uint32_t block) {
  const uint32_t step = entry_of(block, APRT_STEP), grad = entry_of(block, APRT_GRAD);
  for (uint32_t i = 0; i < model->entries[step].input_count; ++i) {
    const size_t whole = memory[step].input_elements[i], part = memory[grad].input_elements[i];
    if (whole != part && part > 0)
      return whole / part;
  }
  return 1;
}

/* The rows of the whole batch that a part has. */
static void take_part(uint32_t whole, uint32_t grad, size_t part) {
  const aprt_entry *entry = &model->entries[grad];
  const int64_t *shape = memory[grad].shapes;
  exec.row_offset = 0;
  for (uint32_t i = 0; i < entry->input_count; ++i) {
    const size_t elements = memory[grad].input_elements[i];
    const int is_divided = elements != memory[whole].input_elements[i];
    const size_t bytes = elements * bits_element_bytes(entry->inputs[i].dtype);
    memcpy(memory[grad].inputs[i], memory[whole].inputs[i] + (is_divided ? part * bytes : 0),
           bytes);
    if (is_divided)
      exec.row_offset = (int64_t)part * shape[0];
    shape += entry->inputs[i].rank;
  }
}

/* One step by grad and apply, in parts that combine as abi.md says. */
static void train_apart(uint32_t block, uint64_t step) {
  const uint32_t grad = entry_of(block, APRT_GRAD), whole = entry_of(block, APRT_STEP);
  const aprt_entry *entry = &model->entries[grad];
  const size_t count = shards_of(block);
  bits_part *parts = calloc(count, sizeof *parts);
  fill_inputs(&model->entries[whole], &memory[whole], step);
  for (size_t part = 0; part < count; ++part) {
    take_part(whole, grad, part);
    check(grad, call_once(grad));
    parts[part] =
        bits_copy_part(&model->train_blocks[block], entry, &memory[grad], gradients[block]);
  }
  exec.row_offset = 0;
  bits_combine(&model->train_blocks[block], entry, parts, count);
  memcpy(gradients[block], parts[0].gradients, model->train_blocks[block].gradient_bytes);
  check(entry_of(block, APRT_APPLY), call_once(entry_of(block, APRT_APPLY)));
  for (uint32_t i = 0; i < entry->result_count; ++i)
    memcpy(memory[whole].results[i], parts[0].results[i], parts[0].result_bytes[i]);
  bits_free_part(&parts[0], entry);
  free(parts);
}

static void train_block(uint32_t block, uint64_t step) {
  if (options.apart)
    train_apart(block, step);
  else
    call_entry(entry_of(block, APRT_STEP), step);
}

static uint64_t digest_step(void) {
  uint64_t result = 1;
  for (uint32_t t = 0; t < model->tensor_count; ++t)
    result = bits_digest(result, state + model->tensors[t].offset, model->tensors[t].bytes);
  for (uint32_t b = 0; b < model->train_block_count; ++b) {
    const uint32_t e = entry_of(b, APRT_STEP);
    for (uint32_t i = 0; i < model->entries[e].result_count; ++i)
      result = bits_digest(result, memory[e].results[i],
                           memory[e].result_elements[i] *
                               bits_element_bytes(model->entries[e].results[i].dtype));
  }
  return result;
}

static void run(void) {
  initialize();
  /* Settles what integers may be, and changes nothing. */
  for (uint32_t e = 0; e < model->entry_count; ++e)
    if (model->entries[e].kind == APRT_EVAL)
      call_entry(e, 0);
  for (long step = 0; step < options.steps; ++step) {
    for (uint32_t b = 0; b < model->train_block_count; ++b)
      train_block(b, (uint64_t)step);
    printf("step %016" PRIx64 "\n", digest_step());
  }
  for (uint32_t e = 0; e < model->entry_count; ++e) {
    const int32_t kind = model->entries[e].kind;
    if (kind == APRT_ENTRY || kind == APRT_EVAL || kind == APRT_GRAD)
      call_entry(e, (uint64_t)options.steps);
  }
}

/* ---- Options ---- */

static int has_value(const char *argument, const char *flag, const char **value) {
  const size_t length = strlen(flag);
  if (strncmp(argument, flag, length) != 0)
    return 0;
  *value = argument + length;
  return 1;
}

static void give_dim(const char *text) {
  const char *equals = strchr(text, '=');
  if (!equals || dim_count == maximum_dims)
    fail("option", text, "expected --dim=NAME=N");
  dims[dim_count].name = strndup(text, (size_t)(equals - text));
  dims[dim_count].value = atoll(equals + 1);
  dims[dim_count++].is_given = 1;
}

static int is_hostile;

static void parse(int argc, char **argv) {
  const char *value;
  for (int i = 1; i < argc; ++i) {
    if (has_value(argv[i], "--steps=", &value))
      options.steps = atol(value);
    else if (has_value(argv[i], "--how=", &value))
      options.how = value;
    else if (has_value(argv[i], "--workers=", &value))
      options.workers = (uint32_t)atoi(value);
    else if (has_value(argv[i], "--seed=", &value))
      options.seed = (uint64_t)atoll(value);
    else if (has_value(argv[i], "--dim=", &value))
      give_dim(value);
    else if (strcmp(argv[i], "--hostile") == 0)
      is_hostile = 1;
    else if (strcmp(argv[i], "--apart") == 0)
      options.apart = 1;
    else
      options.file = argv[i];
  }
  if (!options.file || options.workers < 1)
    fail("usage", "", "train [options] FILE");
}

static void choose_executor(void) {
  if (strcmp(options.how, "backwards") == 0) {
    exec.par_for = bits_backwards;
    exec.ctx = &options.workers;
  } else if (strcmp(options.how, "jitter") == 0) {
    exec.par_for = bits_jitter;
    exec.ctx = bits_jitter_create(options.workers, options.seed);
    if (!exec.ctx)
      fail("threads", "", "cannot be started");
  } else if (strcmp(options.how, "pool") == 0) {
    aprt_pool *pool = aprt_pool_create(options.workers);
    if (!pool)
      fail("threads", "", "cannot be started");
    static aprt_exec of_pool;
    of_pool = aprt_pool_exec(pool, exec.workspace_bytes);
    exec.par_for = bits_pool;
    exec.ctx = &of_pool;
  } else if (strcmp(options.how, "serial") != 0 && strcmp(options.how, "null") != 0) {
    fail("option --how", options.how, "expected null, serial, backwards, jitter or pool");
  }
}

int main(int argc, char **argv) {
  parse(argc, argv);
  model = bits_model();
  collect_dims();
  choose_dims();
  for (uint32_t d = 0; d < dim_count; ++d)
    printf("dim %s=%" PRId64 "\n", dims[d].name, dims[d].value);
  allocate();
  choose_executor();
  if (is_hostile)
    bits_make_hostile();
  run();
  if (!bits_is_environment_kept())
    fail("environment", "", "the caller's floating-point state was not restored");
  printf("parallel %" PRIu64 " %" PRIu64 "\n", bits_parallel.kernels, bits_parallel.blocks);
  const bits_view view = {model, memory, state, gradients};
  if (!bits_write(&view, options.file))
    fail("file", options.file, "cannot be written");
  return 0;
}
